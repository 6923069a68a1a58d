"""GET /metrics: the metrics of this process, for whoever has the token of METRICS_TOKEN."""

import hmac

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response

from core.ground import NotFound, NotSignedIn, get_settings
from pages.web import CONTENT_TYPE, PRIVATE, bearer_of, render_metrics

_AT_ONCE = CapacityLimiter(1)


async def answer_metrics(request: Request) -> Response:
    """Answer with the metrics; raise NotFound without a setting, NotSignedIn without the token."""
    token = get_settings().metrics_token
    if token is None:
        raise NotFound("Metrics are off here. Set METRICS_TOKEN to turn them on.")
    if not hmac.compare_digest(bearer_of(request).encode(), token.get_secret_value().encode()):
        raise NotSignedIn("Send METRICS_TOKEN in the header Authorization, after “Bearer ”.")
    body = await to_thread.run_sync(render_metrics, limiter=_AT_ONCE)
    return Response(body, headers=PRIVATE | {"Content-Type": CONTENT_TYPE})
