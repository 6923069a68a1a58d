"""Pages without the font of Streamlit that Order Desk does not use."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from pages.guards.rewriting import Change, rewrite

# Pages are in Inter. But Streamlit's page preloads Source Sans (170 kB), and draws its first texts
# in it, before it has our theme.
LINK = re.compile(rb"<link[^<>]*>")
FACE = re.compile(rb'@font-face\{font-family:"?Source Sans"?;[^}]*\}')
PRELOADS_FONT = (b'rel="preload"', b'as="font"')
UNUSED = {"text/html": LINK, "text/css": FACE}


class OwnFonts:
    """Takes Source Sans out of Streamlit's page and style sheet; other answers pass as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and change the answer if it can name the font."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
        else:
            await rewrite(self.app, scope, receive, send, _change_for)


def _change_for(kind: str) -> Change | None:
    unused = UNUSED.get(kind)
    return None if unused is None else lambda page: unused.sub(_without, page)


def _without(found: re.Match[bytes]) -> bytes:
    """Return a link that preloads no font as it is, and nothing for what is not needed."""
    is_needed = found.re is LINK and not all(one in found[0] for one in PRELOADS_FONT)
    return found[0] if is_needed else b""
