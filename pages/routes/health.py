"""GET /healthz: this process runs. GET /readyz: it can serve; otherwise 503 and why not."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core import readiness
from pages.web import PRIVATE


async def answer_alive(_request: Request) -> Response:
    """Answer 200: a process that does not answer has to be started again."""
    return JSONResponse({"status": "alive"}, headers=PRIVATE)


async def answer_ready(_request: Request) -> Response:
    """Answer 200 if the database takes writes and a worker runs; otherwise 503 with the reason."""
    fault = readiness.find_fault()
    return JSONResponse({"status": fault or "ready"}, 503 if fault else 200, headers=PRIVATE)
