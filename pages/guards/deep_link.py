"""Bring a person back, after signing in, to the address that they asked for.

After a sign-in, Streamlit redirects from the provider to `/`. So the address of the page before
the sign-in (the browser sends it as Referer) is kept in a cookie and replaces `/`. It is always a
path on this site, never an address of another site.
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
LOGIN, CALLBACK = "/auth/login", "/oauth2callback"
# An empty value removes the cookie, so it does not count.
_USER_COOKIE = re.compile(rf'{re.escape(USER_COOKIE_NAME)}="?[^";]')
# A path with its query, in characters that a cookie may hold. `//` would name another site.
_SAFE = re.compile(r"/(?![/\\])[!#-+\--:<-\[\]-~]*")


class DeepLink:
    """Keeps the address in a cookie before the sign-in, and redirects to it afterwards."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        """Serve under the path `base`: empty, or for example /desk."""
        self.app = app
        self.base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Change the responses of two paths, and no others."""
        path = str(scope.get("path", "")).removeprefix(self.base)
        if scope["type"] != "http" or path not in (LOGIN, CALLBACK):
            await self.app(scope, receive, send)
            return
        request = Request(scope)

        async def send_changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if path == LOGIN:
                    headers.append("set-cookie", self._cookie(_address_in(request), LIFE_SECONDS))
                else:
                    self._redirect(headers, request)
            await send(message)

        await self.app(scope, receive, send_changed)

    def _redirect(self, headers: MutableHeaders, request: Request) -> None:
        if not signs_in(headers):  # for example another site's link: keep the cookie
            return
        address = request.cookies.get(COOKIE, "")
        if headers.get("location") == f"{self.base}/" and _is_safe(address, self.base):
            headers["location"] = address
        headers.append("set-cookie", self._cookie("", 0))

    def _cookie(self, address: str, seconds: int) -> str:
        path = self.base or "/"
        return f"{COOKIE}={address}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax"


def signs_in(headers: MutableHeaders) -> bool:
    """Return whether a response completes a sign-in: it sets Streamlit's cookie."""
    cookies = headers.getlist("set-cookie")
    return any(_USER_COOKIE.match(one) is not None for one in cookies)


def _address_in(request: Request) -> str:
    """Return path and query of the page before the sign-in; empty if it is not one of ours."""
    try:
        page = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return ""
    if not is_own(f"{page.scheme}://{page.netloc}".encode("latin-1", "replace"), request.scope):
        return ""
    whole = f"{page.path}?{page.query}" if page.query else page.path
    # A cookie's value ends at these characters, so escape them.
    whole = whole.replace(";", "%3B").replace(",", "%2C")
    return whole if _is_safe(whole, "") else page.path if _is_safe(page.path, "") else ""


def _is_safe(address: str, base: str) -> bool:
    is_ours = address.startswith(f"{base}/") and len(address) <= MAX_LENGTH
    return is_ours and _SAFE.fullmatch(address) is not None
