"""The address that somebody wanted when they had to sign in: kept, and gone to afterwards.

Streamlit sends whoever comes back from the provider to `/`. So the address of the page from which
they leave (their browser names it) waits in a cookie, and takes the place of `/`. It is a path on
this site and never another site's address.
"""

import re
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from pages.guards.origins import is_own

COOKIE = "order_desk_address"
LIFE_SECONDS = 600
MAX_LENGTH = 3_900  # browsers keep no cookie over 4,096
LEAVING, COMING_BACK = "/auth/login", "/oauth2callback"
# Not the one that takes the cookie away, which is empty.
_USER_COOKIE = re.compile(rf'{re.escape(USER_COOKIE_NAME)}="?[^";]')
# A path, and its query, as a cookie may hold it: no second slash, which would name another site.
_SAFE = re.compile(r"/(?![/\\])[!#-+\--:<-\[\]-~]*")


class DeepLink:
    """Keeps the address in a cookie on the way to the provider, and leads to it on the way back."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        """Serve under the path `base`: empty, or such as /desk."""
        self.app = app
        self.base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Change the answers of two paths, and leave all others alone."""
        path = str(scope.get("path", "")).removeprefix(self.base)
        if scope["type"] != "http" or path not in (LEAVING, COMING_BACK):
            await self.app(scope, receive, send)
            return
        request = Request(scope)

        async def send_changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if path == LEAVING:
                    headers.append("set-cookie", self._cookie(_address_in(request), LIFE_SECONDS))
                else:
                    self._lead(headers, request)
            await send(message)

        await self.app(scope, receive, send_changed)

    def _lead(self, headers: MutableHeaders, request: Request) -> None:
        if not signs_in(headers):  # another site's link, say: a sign-in under way goes on
            return
        address = request.cookies.get(COOKIE, "")
        if headers.get("location") == f"{self.base}/" and _is_safe(address, self.base):
            headers["location"] = address
        headers.append("set-cookie", self._cookie("", 0))

    def _cookie(self, address: str, seconds: int) -> str:
        path = self.base or "/"
        return f"{COOKIE}={address}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax"


def signs_in(headers: MutableHeaders) -> bool:
    """Say whether an answer is that of a sign-in that succeeded: it brings Streamlit's cookie."""
    brought = headers.getlist("set-cookie")
    return any(_USER_COOKIE.match(one) is not None for one in brought)


def _address_in(request: Request) -> str:
    """Return the path and query of the page that is left; empty when it is none of ours."""
    try:
        page = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return ""
    if not is_own(f"{page.scheme}://{page.netloc}".encode("latin-1", "replace"), request.scope):
        return ""
    whole = f"{page.path}?{page.query}" if page.query else page.path
    # What it holds beyond is escaped, for a cookie's value ends there.
    whole = whole.replace(";", "%3B").replace(",", "%2C")
    return whole if _is_safe(whole, "") else page.path if _is_safe(page.path, "") else ""


def _is_safe(address: str, base: str) -> bool:
    is_ours = address.startswith(f"{base}/") and len(address) <= MAX_LENGTH
    return is_ours and _SAFE.fullmatch(address) is not None
