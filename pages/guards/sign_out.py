"""GET /auth/logout: end the sign-in on the server, before Streamlit removes its cookies."""

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

LOGOUT = "/auth/logout"
NOT_SIGNED_OUT = "Not signed out"
# Values of Sec-Fetch-Site for a request from our own page, or typed by the person.
FROM_HERE = {"same-origin", "none"}


class SignOut:
    """Ends the sign-in of a person who signs out; refuses it when another site's link asks."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        """Serve under the path `base`: empty, or for example /desk."""
        self.app = app
        self.base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """End the sign-in and pass the request on, or refuse it."""
        if scope["type"] != "http" or scope["path"] != f"{self.base}{LOGOUT}":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        refusal = _refusal(request) or await run_in_threadpool(_end, request.cookies)
        await (refusal or self.app)(scope, receive, send)


def _refusal(request: Request) -> Response | None:
    if is_from_here(request):
        return None
    logger.warning("Refused a sign-out request from another site")
    words = "Another site tried to sign you out. To sign out, choose Sign out in Order Desk."
    return refuse_page(words, 403, NOT_SIGNED_OUT)


def is_from_here(request: Request) -> bool:
    """Return whether a request comes from our own page, or from no page at all."""
    sites = request.headers.getlist("sec-fetch-site")
    if sites:
        return set(sites) <= FROM_HERE
    # Over HTTP to another machine, a browser sends only Origin and Referer.
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
    except access.SignInNeeded:  # already signed out
        return None
    except OutsideFailed as error:
        logger.warning("%s", error)
        return refuse_page(str(error), 503, NOT_SIGNED_OUT)
    return None
