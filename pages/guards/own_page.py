"""Streamlit's page made ours: with our title, style, script and bar, before anything is drawn."""

from functools import cache

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pages.guards.rewriting import Change, rewrite
from pages.web import PAGE_SCRIPT, PAGE_SCRIPT_PATH, page_body, page_head

# Only Streamlit's page has this title: the page of the grid passes as it is.
TITLE, ROOT = b"<title>Streamlit</title>", b'<div id="root">'


class OwnPage:
    """Adds our parts to Streamlit's page, and answers for our script; other answers pass."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        """Serve under the path `base`: empty, or for example /desk."""
        self.app = app
        self.script = base + PAGE_SCRIPT_PATH

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the script; or pass the request on, and change an answer that is the page."""
        if scope["type"] == "http" and scope["path"] == self.script:
            answer = Response(PAGE_SCRIPT, media_type="text/javascript")
            await answer(scope, receive, send)
        elif scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
        else:
            await rewrite(self.app, scope, receive, send, _change_for)


def _change_for(kind: str) -> Change | None:
    return _complete if kind == "text/html" else None


def _complete(page: bytes) -> bytes:
    if TITLE not in page:
        return page
    head, body = _parts()
    return page.replace(TITLE, head, 1).replace(ROOT, body + ROOT, 1)


@cache
def _parts() -> tuple[bytes, bytes]:
    return page_head().encode(), page_body().encode()
