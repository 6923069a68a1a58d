"""What each request passes on its way in: origin, sign-in, size, headers, cookies."""

from pages.guards.closed_doors import ClosedDoors
from pages.guards.cookies import BrowserCookie, SecureCookies
from pages.guards.deep_link import DeepLink
from pages.guards.local_only import LocalOnly
from pages.guards.origins import OwnOrigin
from pages.guards.request_limits import RequestLimits
from pages.guards.security_headers import SecurityHeaders
from pages.guards.sign_out import SignOut
from pages.guards.uploads import Uploads

__all__ = [
    "BrowserCookie",
    "ClosedDoors",
    "DeepLink",
    "LocalOnly",
    "OwnOrigin",
    "RequestLimits",
    "SecureCookies",
    "SecurityHeaders",
    "SignOut",
    "Uploads",
]
