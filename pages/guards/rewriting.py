"""Change the body of an answer on its way out, packed or not."""

import gzip
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.guards.packing import coding_for, pack_page

Change = Callable[[bytes], bytes]


async def rewrite(
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    change_for: Callable[[str], Change | None],
) -> None:
    """Pass a request on, and change the answer with `change_for` its kind; None leaves it as it is.

    Only what Streamlit sends of its own files, which a browser may keep, is changed.
    """
    start: Message = {}
    body = bytearray()
    change: Change | None = None

    async def send_changed(message: Message) -> None:
        nonlocal change
        if message["type"] == "http.response.start":
            change = change_for(_kind(message)) if _is_own_file(message) else None
            if change is not None:
                start.update(message)
                return
        if change is None:
            await send(message)
            return
        body.extend(message.get("body", b""))
        if not message.get("more_body"):
            changed = _changed(start, bytes(body), change, coding_for(scope))
            await send(start)
            await send({"type": "http.response.body", "body": changed})

    await app(scope, receive, send_changed)


def _kind(start: Message) -> str:
    headers = MutableHeaders(scope=start)
    return headers.get("content-type", "").partition(";")[0]


def _is_own_file(start: Message) -> bool:
    may_be_kept = MutableHeaders(scope=start).get("cache-control", "")
    return start["status"] == 200 and may_be_kept.startswith(("no-cache", "public"))


def _changed(start: Message, body: bytes, change: Change, coding: str) -> bytes:
    """Return the changed body; adapt its length and coding in the headers."""
    headers = MutableHeaders(scope=start)
    is_packed = headers.get("content-encoding") == "gzip"
    page = change(gzip.decompress(body) if is_packed else body)
    if is_packed:
        page = pack_page(page, coding)
        headers["content-encoding"] = coding
    headers["content-length"] = str(len(page))
    return page
