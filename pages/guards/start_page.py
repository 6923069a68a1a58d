"""Changes Streamlit's page and style sheet: they name no unused font, and say where the server is.

Streamlit's page looks for its server below its own address first: at /orders it asks for
/orders/_stcore/health, waits a tenth of a second, and asks again at the right place. Then it asks
before it connects. Told both beforehand, it connects at once.
"""

import html
import re

from starlette.types import ASGIApp, Receive, Scope, Send

from pages.guards.rewriting import Change, rewrite

# Pages are in Inter. But Streamlit's page preloads Source Sans (170 kB), and draws its first texts
# in it, before it has our theme.
LINK = re.compile(rb"<link[^<>]*>")
FACE = re.compile(rb'@font-face\{font-family:"?Source Sans"?;[^}]*\}')
PRELOADS_FONT = (b'rel="preload"', b'as="font"')
UNUSED = {"text/html": LINK, "text/css": FACE}
HEAD = b"<head>"
# The policy of pages has the hash of this text, so the base path is in an attribute.
START_SCRIPT = """window.__streamlit = {
  BACKEND_BASE_URL: location.origin + document.currentScript.dataset.base + "/",
  HOST_CONFIG: { allowedOrigins: [location.origin], useExternalAuthToken: false },
};"""


class StartPage:
    """Changes Streamlit's page and style sheet; other answers pass as they are."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        """Serve under the path `base`: empty, or for example /desk."""
        self.app = app
        self._components = f"{base}/component/"
        script = f'<script data-base="{html.escape(base)}">{START_SCRIPT}</script>'
        self._head = HEAD + script.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and change the answer if it is such a file."""
        if (
            scope["type"] != "http"
            or scope["method"] != "GET"
            or scope["path"].startswith(self._components)
        ):
            await self.app(scope, receive, send)
        else:
            await rewrite(self.app, scope, receive, send, self._change_for)

    def _change_for(self, kind: str) -> Change | None:
        unused = UNUSED.get(kind)
        if unused is None:
            return None
        return lambda page: unused.sub(_without, page).replace(HEAD, self._head, 1)


def _without(found: re.Match[bytes]) -> bytes:
    """Return a link that preloads no font as it is, and nothing for what is not needed."""
    is_needed = found.re is LINK and not all(one in found[0] for one in PRELOADS_FONT)
    return found[0] if is_needed else b""
