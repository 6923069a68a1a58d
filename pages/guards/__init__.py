"""Middleware that checks every request: host, origin, sign-in, size, time, headers, cookies.

It also answers for static files, and makes Streamlit's page ours.
"""

from pages.guards.body_time import BodyTime
from pages.guards.closed_doors import InternalRoutes
from pages.guards.cookies import BrowserCookie, SecureCookies
from pages.guards.deep_link import DeepLink
from pages.guards.leaving_clients import LeavingClients
from pages.guards.local_only import LocalOnly
from pages.guards.one_host import OneHost
from pages.guards.origins import OwnOrigin
from pages.guards.own_page import OwnPage
from pages.guards.request_limits import RequestLimits
from pages.guards.security_headers import SecurityHeaders
from pages.guards.sign_out import SignOut
from pages.guards.static_files import StaticFiles
from pages.guards.uploads import Uploads

__all__ = [
    "BodyTime",
    "BrowserCookie",
    "DeepLink",
    "InternalRoutes",
    "LeavingClients",
    "LocalOnly",
    "OneHost",
    "OwnOrigin",
    "OwnPage",
    "RequestLimits",
    "SecureCookies",
    "SecurityHeaders",
    "SignOut",
    "StaticFiles",
    "Uploads",
]
