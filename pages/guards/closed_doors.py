"""Close the routes of Streamlit that nobody needs before signing in."""

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pages.web import PRIVATE, refuse_json

INSIDE = "/_stcore"
# What a browser asks for: whether the server is there, and what to connect to.
OPEN = ("/_stcore/health", "/_stcore/stream")
OPEN_BELOW = ("/_stcore/upload_file/",)
HOST_CONFIG = "/_stcore/host-config"
# All that the page needs of it: no other site talks to it, and it talks to none.
LEAST = {"allowedOrigins": [], "useExternalAuthToken": False, "metricsUrl": ""}


class ClosedDoors:
    """Answers 404 to what is under /_stcore/, but for what the page itself asks for."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        """Serve under the path `base`: empty, or such as /desk."""
        self.app = app
        self.base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, answer it with the least, or refuse it."""
        path = str(scope.get("path", "")).removeprefix(self.base)
        if scope["type"] == "http" and path == HOST_CONFIG:
            await JSONResponse(LEAST, headers=PRIVATE)(scope, receive, send)
        elif scope["type"] == "http" and _is_closed(path):
            await refuse_json("There is nothing here.", 404)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _is_closed(path: str) -> bool:
    is_inside = path == INSIDE or path.startswith(f"{INSIDE}/")
    return is_inside and path not in OPEN and not path.startswith(OPEN_BELOW)
