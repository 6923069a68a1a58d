"""Cookies: bind tokens to a browser; mark every cookie Secure behind TLS."""

import secrets
from http.cookies import SimpleCookie

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.guards.deep_link import COMING_BACK, signs_in
from pages.guards.security_headers import is_behind_tls
from pages.web import BROWSER_COOKIE, browser_of


class BrowserCookie:
    """Gives every browser a cookie with the page's HTML; tokens are bound to it.

    Who comes back from signing in gets a new one: another person may know the one from before.
    Lax, not Strict: a Strict cookie is dropped on arrival from a link in a mail, and replaced.
    """

    def __init__(self, app: ASGIApp, base: str) -> None:
        """Serve under the path `base`: empty, or such as /desk."""
        self.app = app
        self.base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set the cookie on a page for a browser without one, and when somebody has signed in."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        is_new = "text/html" in request.headers.get("accept", "") and not browser_of(request)
        comes_back = scope["path"] == f"{self.base}{COMING_BACK}"

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if is_new or (comes_back and signs_in(headers)):
                    headers.append("set-cookie", _new_cookie(self.base or "/"))
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def _new_cookie(path: str) -> str:
    cookie: SimpleCookie = SimpleCookie({BROWSER_COOKIE: secrets.token_urlsafe(24)})
    morsel = cookie[BROWSER_COOKIE]
    morsel["path"], morsel["httponly"], morsel["samesite"] = path, True, "Lax"
    return morsel.OutputString()


class SecureCookies:
    """Marks every cookie Secure where people come by HTTPS, Streamlit's too, which leaves it out.

    Over HTTP they are left alone: a browser would not keep them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and complete the cookies of its answer."""
        if scope["type"] not in ("http", "websocket") or not is_behind_tls(scope):
            await self.app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if "headers" in message:
                message["headers"] = [_secured(*header) for header in message["headers"]]
            await send(message)

        await self.app(scope, receive, send_secured)


def _secured(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    if name.lower() != b"set-cookie":
        return name, value
    attributes = [one.strip().lower() for one in value.split(b";")[1:]]
    return name, value if b"secure" in attributes else value + b"; Secure"
