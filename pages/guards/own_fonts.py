"""Streamlit's page made ours: without the font that is not used, with our style, script and bar."""

import gzip
import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.web import page_body, page_head

# Pages are in Inter. But Streamlit's page preloads Source Sans (170 kB), and draws its first texts
# in it, before it has our theme.
LINK = re.compile(rb"<link[^<>]*>")
FACE = re.compile(rb'@font-face\{font-family:"?Source Sans"?;[^}]*\}')
PRELOADS_FONT = (b'rel="preload"', b'as="font"')
UNUSED = {"text/html": LINK, "text/css": FACE}
TITLE, ROOT = b"<title>Streamlit</title>", b'<div id="root">'


class OwnFonts:
    """Takes Source Sans out of Streamlit's page and style sheet, and adds our parts to the page.

    Other answers pass as they are.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and change the answer if it can name the font."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def send_shortened(message: Message) -> None:
            if message["type"] == "http.response.start" and _may_name_it(message):
                start.update(message)
            elif not start:
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    page = _shorten(start, bytes(body))
                    await send(start)
                    await send({"type": "http.response.body", "body": page})

        await self.app(scope, receive, send_shortened)


def _kind(headers: MutableHeaders) -> str:
    return headers.get("content-type", "").partition(";")[0]


def _may_name_it(start: Message) -> bool:
    """Return whether it is a page or style sheet of Streamlit, which a browser may keep."""
    headers = MutableHeaders(scope=start)
    may_be_kept = headers.get("cache-control", "").startswith(("no-cache", "public"))
    return start["status"] == 200 and _kind(headers) in UNUSED and may_be_kept


def _shorten(start: Message, body: bytes) -> bytes:
    """Take the font out of a page, packed or not; adapt the length in the headers."""
    headers = MutableHeaders(scope=start)
    is_packed = headers.get("content-encoding") == "gzip"
    page = gzip.decompress(body) if is_packed else body
    page = UNUSED[_kind(headers)].sub(_without, page)
    if TITLE in page:
        page = page.replace(TITLE, page_head().encode(), 1)
        page = page.replace(ROOT, page_body().encode() + ROOT, 1)
    page = gzip.compress(page, mtime=0) if is_packed else page
    headers["content-length"] = str(len(page))
    return page


def _without(found: re.Match[bytes]) -> bytes:
    """Return a link that preloads no font as it is, and nothing for what is not needed."""
    is_needed = found.re is LINK and not all(one in found[0] for one in PRELOADS_FONT)
    return found[0] if is_needed else b""
