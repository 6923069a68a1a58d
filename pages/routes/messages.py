"""GET /messages/<delivery id>?token=…: an e-mail as a file that mail programs open.

The vouchers are attached only if all of them are valid at this moment.
"""

from datetime import UTC, datetime
from typing import IO

from starlette.requests import Request
from starlette.responses import Response

from core.mail import write_message
from core.storage import CancelToken
from core.tables import EMAILS
from pages.routes.downloads import answer_file
from pages.web import grant_of


async def answer_message(request: Request) -> Response:
    """Check, write and audit the copy, then stream it."""
    if request.method != "GET":  # HEAD would audit a copy that is never sent
        return Response(status_code=405, headers={"Allow": "GET"})
    return await answer_file(request, _write)


def _write(request: Request, file: IO[bytes], _cancel: CancelToken) -> str:
    grant = grant_of(request, "messages", table=EMAILS.name)
    delivery_id = request.path_params["delivery_id"]
    return write_message(delivery_id, file, actor=grant.actor, now=datetime.now(UTC))
