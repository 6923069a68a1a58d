"""GET /vouchers?view=…&form=pdf|zip&token=…: the vouchers of order items, as PDF or ZIP.

The items are the pasted IDs of the view, so that an address can hold any number of them. The route
checks again that each voucher is valid.
"""

from datetime import UTC, datetime
from typing import IO, Literal

from starlette.requests import Request
from starlette.responses import Response

from core import views, vouchers
from core.storage import CancelToken
from core.tables import ORDER_ITEMS
from pages.routes.downloads import answer_file
from pages.web import grant_of


async def answer_vouchers(request: Request) -> Response:
    """Check, write and audit the vouchers, then stream them."""
    if request.method != "GET":  # HEAD would audit a copy that is never sent
        return Response(status_code=405, headers={"Allow": "GET"})
    return await answer_file(request, _write)


def _write(request: Request, file: IO[bytes], _cancel: CancelToken) -> str:
    asked = request.query_params
    grant = grant_of(request, "vouchers", table=ORDER_ITEMS.name)
    view = views.opened_at(ORDER_ITEMS, asked, actor=grant.actor, zone="UTC").view
    form: Literal["pdf", "zip"] = "zip" if asked.get("form") == "zip" else "pdf"
    now = datetime.now(UTC)
    return vouchers.issue(view.ids, file, file_format=form, actor=grant.actor, now=now)
