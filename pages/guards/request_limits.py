"""How long a request may be: what is read of it before anybody is known has to be read quickly."""

from starlette.types import ASGIApp, Receive, Scope, Send

from pages.web import refuse_page

MOST_BYTES = 128_000  # of an address, and of all headers; our longest link has about half of it
MOST_OF_COOKIES = 32_000
# Before 3.11.10, Python reads a cookie in quotes once more for each backslash: 64 kB took 8 s.
MOST_BACKSLASHES = 500
TOO_LONG = "This request is too long. If you use a browser, delete its cookies of this address."


class RequestLimits:
    """Refuses a request whose address, headers or cookies are longer than any page makes them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it with 431."""
        if scope["type"] not in ("http", "websocket") or not _is_too_long(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await refuse_page(TOO_LONG, 431, "Not answered")(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})


def _is_too_long(scope: Scope) -> bool:
    headers = scope["headers"]
    cookies = b"".join(value for name, value in headers if name.lower() == b"cookie")
    return (
        len(scope.get("path", "")) + len(scope.get("query_string", b"")) > MOST_BYTES
        or sum(len(name) + len(value) for name, value in headers) > MOST_BYTES
        or len(cookies) > MOST_OF_COOKIES
        or cookies.count(b"\\") > MOST_BACKSLASHES
    )
