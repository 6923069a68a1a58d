"""Changes Streamlit's page and style sheet: they name no unused font, and say where the server is.

Streamlit's page looks for its server below its own address first: at /orders it asks for
/orders/_stcore/health, waits a tenth of a second, and asks again at the right place. Then it asks
before it connects. Told both beforehand, it connects at once.
"""

import gzip
import html
import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
            return
        start: Message = {}
        body = bytearray()

        async def send_changed(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_streamlits(message):
                start.update(message)
            elif not start:
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    page = self._change(start, bytes(body))
                    await send(start)
                    await send({"type": "http.response.body", "body": page})

        await self.app(scope, receive, send_changed)

    def _change(self, start: Message, body: bytes) -> bytes:
        """Change a page or style sheet, packed or not; adapt the length in the headers."""
        headers = MutableHeaders(scope=start)
        is_packed = headers.get("content-encoding") == "gzip"
        page = gzip.decompress(body) if is_packed else body
        page = UNUSED[_kind(headers)].sub(_without, page).replace(HEAD, self._head, 1)
        page = gzip.compress(page, mtime=0) if is_packed else page
        headers["content-length"] = str(len(page))
        return page


def _kind(headers: MutableHeaders) -> str:
    return headers.get("content-type", "").partition(";")[0]


def _is_streamlits(start: Message) -> bool:
    """Return whether it is a page or style sheet that a browser may keep: ours are private."""
    headers = MutableHeaders(scope=start)
    may_be_kept = headers.get("cache-control", "").startswith(("no-cache", "public"))
    return start["status"] == 200 and _kind(headers) in UNUSED and may_be_kept


def _without(found: re.Match[bytes]) -> bytes:
    """Return a link that preloads no font as it is, and nothing for what is not needed."""
    is_needed = found.re is LINK and not all(one in found[0] for one in PRELOADS_FONT)
    return found[0] if is_needed else b""
