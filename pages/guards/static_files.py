"""Static files of Streamlit, the grid and Order Desk: packed once, then answered from memory.

Streamlit sends its own scripts unpacked (4 MB). It packs the grid's script (4.6 MB) at every
request, and does not say that a browser may keep it. Nothing private is among these files.
"""

import asyncio
import hashlib
import posixpath
import re
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.guards.packing import coding_for, pack

FOLDERS = ("/static/", "/component/", "/app/static/")
TEXT = ("text/", "application/javascript", "application/json", "image/svg+xml")
# In main.f4bb7ae6.js, and in our 007-855ae1b4.woff2, the name changes with the content.
NAMED_BY_CONTENT = re.compile(r"(\.[\w-]{8}|-[0-9a-f]{8})\.\w+$", re.ASCII)
FOR_EVER = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "public, no-cache"
# Without these headers, the answer is the whole file as it is.
LEFT_OUT = {b"accept-encoding", b"range", b"if-range", b"if-none-match", b"if-modified-since"}


@dataclass(frozen=True)
class _Kept:
    body: bytes
    headers: dict[str, str]


class StaticFiles:
    """Answers for files of the static folders, packed as the browser can read them.

    A browser keeps a file for ever if its name changes with its content. It asks for another file
    each time, and gets 304 while the file is the same.
    """

    def __init__(self, app: ASGIApp, base: str) -> None:
        self.app = app
        self._folders = tuple(base + folder for folder in FOLDERS)
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._keeping = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, or pass the request on."""
        kept = await self._find(scope) if self._is_static(scope) else None
        if kept is None:
            await self.app(scope, receive, send)
            return
        is_known = Headers(scope=scope).get("if-none-match") == kept.headers["ETag"]
        answer = Response(b"" if is_known else kept.body, 304 if is_known else 200)
        answer.headers.update(kept.headers)
        await answer(scope, receive, send)

    def _is_static(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return False
        path = str(scope["path"])
        # Another way to write the same path would be kept as another file.
        return path.startswith(self._folders) and posixpath.normpath(path) == path

    async def _find(self, scope: Scope) -> _Kept | None:
        coding = coding_for(scope)
        key = scope["path"], coding
        if key not in self._kept:
            async with self._keeping:  # several tabs ask at once
                kept = self._kept.get(key) or await self._keep(scope, coding)
                if kept is None:
                    return None
                self._kept[key] = kept
        return self._kept[key]

    async def _keep(self, scope: Scope, coding: str) -> _Kept | None:
        """Read and pack a file; None if it is no whole file, or is a page that Streamlit gives."""
        status, given, body = await self._read(scope)
        is_whole = given.get("content-length", f"{len(body)}") == f"{len(body)}"
        if status != 200 or not is_whole or given.get("cache-control") == "no-cache":
            return None
        kind, path = given.get("content-type", ""), scope["path"]
        headers = {
            "Content-Type": kind,
            "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}{coding}"',
            "Cache-Control": FOR_EVER if NAMED_BY_CONTENT.search(path) else ASK_EACH_TIME,
            "Vary": "Accept-Encoding",
        }
        if coding and kind.startswith(TEXT):

            def keep_better(better: bytes) -> None:
                self._kept[path, coding] = _Kept(better, headers)

            headers["Content-Encoding"] = coding
            body = await run_in_threadpool(pack, body, coding, keep_better)
        return _Kept(body, headers)

    async def _read(self, scope: Scope) -> tuple[int, Headers, bytes]:
        """Return status, headers and content of Streamlit's answer."""
        headers = [one for one in scope["headers"] if one[0] not in LEFT_OUT]
        sent: list[Message] = []
        asked: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Message:
            # The file is for everybody: it is read whole, also if who asked for it has left.
            return asked.pop() if asked else await asyncio.Future()

        async def keep(message: Message) -> None:
            sent.append(message)

        await self.app({**scope, "method": "GET", "headers": headers}, receive, keep)
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return sent[0]["status"], Headers(raw=sent[0]["headers"]), body
