"""Limit the size of addresses, headers and cookies, which are read before any sign-in check."""

from starlette.types import ASGIApp, Receive, Scope, Send

from pages.web import refuse_page

MAX_BYTES = 128_000  # of an address, and of all headers; our longest link has about half
MAX_COOKIE_BYTES = 32_000
# Before 3.11.10, Python reads a quoted cookie again for each backslash: 64 kB took 8 s.
MAX_BACKSLASHES = 500
TOO_LONG = "This request is too long. In a browser, delete the cookies of this site and try again."


class RequestLimits:
    """Refuses a request if its address, headers or cookies are longer than any page makes them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it with 431."""
        if scope["type"] not in ("http", "websocket") or not _is_too_long(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await refuse_page(TOO_LONG, 431, "Request refused")(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})


def _is_too_long(scope: Scope) -> bool:
    headers = scope["headers"]
    cookies = b"".join(value for name, value in headers if name.lower() == b"cookie")
    return (
        len(scope.get("path", "")) + len(scope.get("query_string", b"")) > MAX_BYTES
        or sum(len(name) + len(value) for name, value in headers) > MAX_BYTES
        or len(cookies) > MAX_COOKIE_BYTES
        or cookies.count(b"\\") > MAX_BACKSLASHES
    )
