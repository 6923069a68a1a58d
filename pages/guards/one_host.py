"""Refuse a request that does not say in one clear way which host it is for."""

import logging
import re

from starlette.types import ASGIApp, Receive, Scope, Send

from pages.web import refuse_json

logger = logging.getLogger(__name__)

MAX_LENGTH = 300  # a host name has at most 253 characters
_HOST = re.compile(rb"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
NOT_ONE = "The request must have one header Host, with the name of one host."


class OneHost:
    """Refuses with 400 a request with no header Host, with several, or with an invalid one.

    With two of them, a proxy and this server may each take another one: the proxy's rules would
    check a host that the server does not use.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] not in ("http", "websocket") or _has_one_host(scope):
            await self.app(scope, receive, send)
            return
        what = (scope.get("method", "WebSocket"), scope["path"])
        logger.warning("Refused %s %s: it does not name one host", *what)
        if scope["type"] == "http":
            await refuse_json(NOT_ONE, 400)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})  # before accept: this is a 403


def _has_one_host(scope: Scope) -> bool:
    hosts = [value for name, value in scope["headers"] if name.lower() == b"host"]
    return len(hosts) == 1 and len(hosts[0]) <= MAX_LENGTH and bool(_HOST.fullmatch(hosts[0]))
