"""POST /search: what a text is found in, over orders, order items and e-mails.

The body is JSON: `text`. The token is in the header `Authorization: Bearer`; it names no table.
"""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core import access, search
from core.ground import InvalidInput, show_controls
from core.views import View, to_address
from pages.web import PRIVATE, base_path, grant_of, read_body

EVERYWHERE = "everywhere"  # in place of a table
MAX_BODY_BYTES = 10_000
TOO_LONG = "The search is too long."
# A search that scans must not take a thread from the rows.
_AT_ONCE = CapacityLimiter(2)


async def answer_search(request: Request) -> Response:
    """Answer with the hits; raise AppError, which the caller turns into a status."""
    grant = await to_thread.run_sync(_accept, request, limiter=_AT_ONCE)
    body = await read_body(request, MAX_BODY_BYTES, TOO_LONG)
    groups = await to_thread.run_sync(_find, grant, body, limiter=_AT_ONCE)
    return JSONResponse({"groups": groups}, headers=PRIVATE)


def _accept(request: Request) -> access.Grant:
    return grant_of(request, "search", table=EVERYWHERE)


def _find(grant: access.Grant, body: bytes) -> list[dict[str, Any]]:
    found = search.find_everywhere(_text_in(body), actor=grant.actor, now=datetime.now(UTC))
    return [
        {"kind": one.kind, "count": _count(one), "hits": [*map(_hit, one.hits), *_all(one)]}
        for one in found
    ]


def _count(found: search.Found) -> str:
    shown = len(found.hits)
    return f"{shown:,} of {found.total_in_words}" if found.has_more else f"{shown:,}"


def _hit(hit: search.Hit) -> dict[str, str]:
    return {
        "title": show_controls(hit.title),
        "detail": show_controls(hit.detail),
        "match": show_controls(hit.match),
        "address": _address(hit),
    }


def _all(found: search.Found) -> list[dict[str, str]]:
    """Return the hit that opens all rows of a kind in their table, if it has more than shown."""
    if not found.has_more:
        return []
    table = found.view.table.title
    title = f"All {found.total:,} in {table}" if found.total else f"All in {table}"
    return [{"title": title, "detail": "", "match": "", "address": _address_of(found.view)}]


def _text_in(body: bytes) -> str:
    try:
        asked: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidInput("The request is not JSON.") from None
    text = asked.get("text") if isinstance(asked, dict) else None
    if not isinstance(text, str):
        raise InvalidInput("The request must have a text.")
    return text


def _address(hit: search.Hit) -> str:
    if hit.order_id is not None:
        return f"{base_path()}/order?{urlencode({'order': hit.order_id})}"
    assert hit.view is not None
    return _address_of(hit.view)


def _address_of(view: View) -> str:
    return f"{base_path()}/{view.table.name}?{urlencode({'view': to_address(view)})}"
