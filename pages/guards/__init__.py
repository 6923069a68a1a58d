"""Middleware that checks every request (origin, sign-in, size, headers, cookies); static files."""

from pages.guards.closed_doors import InternalRoutes
from pages.guards.cookies import BrowserCookie, SecureCookies
from pages.guards.deep_link import DeepLink
from pages.guards.local_only import LocalOnly
from pages.guards.origins import OwnOrigin
from pages.guards.request_limits import RequestLimits
from pages.guards.security_headers import SecurityHeaders
from pages.guards.sign_out import SignOut
from pages.guards.static_files import StaticFiles
from pages.guards.uploads import Uploads

__all__ = [
    "BrowserCookie",
    "DeepLink",
    "InternalRoutes",
    "LocalOnly",
    "OwnOrigin",
    "RequestLimits",
    "SecureCookies",
    "SecurityHeaders",
    "SignOut",
    "StaticFiles",
    "Uploads",
]
