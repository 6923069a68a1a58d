"""Streamlit's page made ours: with our title, style, script and bar, before anything is drawn.

Its page and style sheet name no font that we do not use. Of the icons they name our own file, which
has only those that we and Streamlit use: 12 kB instead of 375 kB.
"""

import re
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pages.guards.rewriting import Change, rewrite
from pages.web import PAGE_SCRIPT, PAGE_SCRIPT_PATH, page_body, page_head

# Only Streamlit's page has this title: other pages pass as they are.
TITLE, ROOT = b"<title>Streamlit</title>", b'<div id="root">'
# Pages are in Inter. But Streamlit's page preloads Source Sans (170 kB), and draws its first texts
# in it, before it has our theme.
LINK = re.compile(rb"<link[^<>]*>")
PRELOADS_FONT = (b'rel="preload"', b'as="font"')
# It ends before the next rule, so that the search takes linear time.
FACE = re.compile(rb'@font-face\{font-family:"?Source Sans"?;[^@}]*\}')
ICONS = re.compile(rb"\.\./media/MaterialSymbols-Rounded\.[\w-]+\.woff2", re.ASCII)
(ICON_FILE,) = (Path(__file__).parents[1] / "static/fonts").glob("icons-*.woff2")
OUR_ICONS = f"../../app/static/fonts/{ICON_FILE.name}".encode()


class OwnPage:
    """Adds our parts to Streamlit's page, and answers for our script; other answers pass."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        """Serve under the path `base`: empty, or for example /desk."""
        self.app = app
        self.script = base + PAGE_SCRIPT_PATH
        self.components = f"{base}/component/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the script; or pass the request on, and change an answer that is the page."""
        if scope["type"] == "http" and scope["path"] == self.script:
            answer = Response(PAGE_SCRIPT, media_type="text/javascript")
            await answer(scope, receive, send)
        elif (
            scope["type"] != "http"
            or scope["method"] != "GET"
            or scope["path"].startswith(self.components)
        ):
            await self.app(scope, receive, send)
        else:
            await rewrite(self.app, scope, receive, send, _change_for)


def _change_for(kind: str) -> Change | None:
    return {"text/html": _complete, "text/css": _with_our_fonts}.get(kind)


def _complete(page: bytes) -> bytes:
    if TITLE not in page:
        return page
    head, body = _parts()
    page = LINK.sub(_without_font, page)
    return page.replace(TITLE, head, 1).replace(ROOT, body + ROOT, 1)


def _without_font(link: re.Match[bytes]) -> bytes:
    return b"" if all(one in link[0] for one in PRELOADS_FONT) else link[0]


def _with_our_fonts(sheet: bytes) -> bytes:
    return ICONS.sub(OUR_ICONS, FACE.sub(b"", sheet))


@cache
def _parts() -> tuple[bytes, bytes]:
    return page_head().encode(), page_body().encode()
