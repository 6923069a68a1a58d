"""Cookies: one that tokens are bound to, and the attribute Secure for all of them over TLS."""

import secrets
from http.cookies import SimpleCookie

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.guards.deep_link import CALLBACK, signs_in
from pages.guards.security_headers import is_behind_tls
from pages.web import BROWSER_COOKIE, browser_of


class BrowserCookie:
    """Sets a cookie in every browser, with the HTML of a page; tokens are bound to it.

    A sign-in replaces it, because another person may know the old value. It is Lax, not Strict:
    a browser does not send a Strict cookie after a click in an e-mail, so it would be replaced.
    """

    def __init__(self, app: ASGIApp, base: str) -> None:
        """Serve under the path `base`: empty, or for example /desk."""
        self.app = app
        self.base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set the cookie if the browser has none, and after every sign-in."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        is_new = "text/html" in request.headers.get("accept", "") and not browser_of(request)
        is_callback = scope["path"] == f"{self.base}{CALLBACK}"

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if is_new or (is_callback and signs_in(headers)):
                    headers.append("set-cookie", _new_cookie(self.base or "/"))
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def _new_cookie(path: str) -> str:
    cookie: SimpleCookie = SimpleCookie({BROWSER_COOKIE: secrets.token_urlsafe(24)})
    morsel = cookie[BROWSER_COOKIE]
    morsel["path"], morsel["httponly"], morsel["samesite"] = path, True, "Lax"
    return morsel.OutputString()


class SecureCookies:
    """Marks every cookie Secure over HTTPS, also those of Streamlit, which does not do so itself.

    Over HTTP they stay as they are: a browser would not keep a Secure cookie.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and complete the cookies of its response."""
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
