"""A route that only the tests' copies of the application have: refund and mail without a page.

A person clicks these in a page, over its WebSocket. Here a request does it, in the same process and
by the same use cases, so that it can be killed in the middle and be asked for again.
"""

from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core import access, mail, refunds
from pages.web import bearer_of, browser_of

REASON = "goodwill"


async def answer_door(request: Request) -> Response:
    """Do what a request asks for, as the person of its token."""
    return JSONResponse(await run_in_threadpool(_act, request, await request.json()))


def _act(request: Request, asked: dict[str, Any]) -> dict[str, list[str]]:
    grant = access.accept_token(
        bearer_of(request), "rows", table="orders", browser=browser_of(request)
    )
    key, now = asked["key"], datetime.now(UTC)
    if asked["kind"] == "refund":
        answer = refunds.request(asked["items"], reason=REASON, key=key, actor=grant.actor, now=now)
        return {"granted": [one.order_item_id for one in answer.requested]}
    to = [f"{key}@mail.example"]
    sent = mail.send(asked["items"], to, message=None, key=key, actor=grant.actor, now=now)
    return {"queued": [one.delivery_id for one in sent.deliveries]}
