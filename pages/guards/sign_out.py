"""GET /auth/logout: the sign-in ends on the server, before Streamlit drops its cookies."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from core import access
from core.ground import OutsideFailed, get_settings
from pages.web import claims_in, refuse_page

logger = logging.getLogger(__name__)

LEAVING = "/auth/logout"
NOT_SIGNED_OUT = "Not signed out"
# As the browser says of where a request comes from: a page of ours, or the person's own hand.
FROM_HERE = {"same-origin", "none"}


class SignOut:
    """Ends the sign-in of whoever signs out; not for other sites, whose links would do it too."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        """Serve under the path `base`: empty, or such as /desk."""
        self.app = app
        self.base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """End the sign-in and pass the request on, or refuse it."""
        if scope["type"] != "http" or scope["path"] != f"{self.base}{LEAVING}":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        refusal = _refusal(request) or await run_in_threadpool(_end, request.cookies)
        await (refusal or self.app)(scope, receive, send)


def _refusal(request: Request) -> Response | None:
    if is_from_here(request):
        return None
    logger.warning("Another site's request to sign somebody out was refused")
    words = "Another site asked to sign you out. If you want to, choose Sign out in Order Desk."
    return refuse_page(words, 403, NOT_SIGNED_OUT)


def is_from_here(request: Request) -> bool:
    """Say whether a request comes from a page of ours, or from no page at all."""
    said = request.headers.getlist("sec-fetch-site")
    if said:
        return set(said) <= FROM_HERE
    # A browser says so over HTTPS and to this machine alone. Else it names the page.
    hosts = {request.headers.get("host"), urlsplit(get_settings().public_url).netloc}
    named = request.headers.getlist("origin") + request.headers.getlist("referer")
    return all(_host_of(address) in hosts for address in named)


def _host_of(address: str) -> str | None:
    try:
        return urlsplit(address).netloc or None
    except ValueError:
        return None


def _end(cookies: Mapping[str, str]) -> Response | None:
    claims = claims_in(cookies)
    if claims is None:
        return None
    try:
        access.sign_out(claims, now=datetime.now(UTC))
    except access.SignInNeeded:  # nobody, whom no page would let in either
        return None
    except OutsideFailed as error:
        logger.warning("%s", error)
        return refuse_page(str(error), 503, NOT_SIGNED_OUT)
    return None
