"""Hide those internal routes of Streamlit that a page does not need."""

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pages.web import PRIVATE, refuse_json

INTERNAL = "/_stcore"
# A browser needs these: the health check and the WebSocket.
OPEN = ("/_stcore/health", "/_stcore/stream")
OPEN_BELOW = ("/_stcore/upload_file/",)
HOST_CONFIG = "/_stcore/host-config"
# The page needs no more: it exchanges messages with no other site.
MINIMAL_HOST_CONFIG = {"allowedOrigins": [], "useExternalAuthToken": False, "metricsUrl": ""}


class InternalRoutes:
    """Answers 404 to every path under /_stcore/ that the page itself does not need."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        """Serve under the path `base`: empty, or for example /desk."""
        self.app = app
        self.base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, answer with the minimal configuration, or answer 404."""
        path = str(scope.get("path", "")).removeprefix(self.base)
        if scope["type"] == "http" and path == HOST_CONFIG:
            await JSONResponse(MINIMAL_HOST_CONFIG, headers=PRIVATE)(scope, receive, send)
        elif scope["type"] == "http" and _is_hidden(path):
            await refuse_json("Not found.", 404)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _is_hidden(path: str) -> bool:
    is_internal = path == INTERNAL or path.startswith(f"{INTERNAL}/")
    return is_internal and path not in OPEN and not path.startswith(OPEN_BELOW)
