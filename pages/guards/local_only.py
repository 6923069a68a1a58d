"""In local mode Order Desk answers this machine alone."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from pages.guards.proxies import is_of_proxy
from pages.web import refuse_page

LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]"}


class LocalOnly:
    """Answers this machine alone: in local mode everybody who gets an answer is the admin.

    A name that is not this machine's (DNS rebinding) or a proxy's header is refused with 403.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and not self._is_local(Request(scope)):
            refusal = refuse_page("In local mode Order Desk answers only on this machine.", 403)
            await refusal(scope, receive, send)
        elif scope["type"] == "websocket" and not self._is_local(
            Request({**scope, "type": "http"})
        ):
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self.app(scope, receive, send)

    def _is_local(self, request: Request) -> bool:
        host = request.headers.get("host", "").rsplit(":", 1)
        name = host[0] if len(host) == 2 and host[1].isdigit() else ":".join(host)
        return name in LOCAL_HOSTS and not any(map(is_of_proxy, request.headers))
