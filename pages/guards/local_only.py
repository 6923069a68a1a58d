"""Local mode: serve only this machine."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from pages.guards.proxies import is_of_proxy
from pages.web import refuse_page

LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]"}


class LocalOnly:
    """Serves only this machine, because in local mode everyone who is served is an admin.

    It refuses with 403 a host name of another machine (DNS rebinding) and a header of a proxy.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and not self._is_local(Request(scope)):
            words = "In local mode, Order Desk can be opened only on this machine."
            refusal = refuse_page(words, 403, "Not available here")
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
