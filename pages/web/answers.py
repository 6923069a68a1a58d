"""Responses of our own routes: headers, the browser's cookie, failures and refusals."""

import html
import logging
from collections.abc import Awaitable, Callable

import streamlit as st
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from core.ground import (
    AppError,
    InvalidInput,
    NotFound,
    NotPermitted,
    NotSignedIn,
    OutsideFailed,
    Refused,
    get_settings,
    set_request_id,
)

logger = logging.getLogger(__name__)

BROWSER_COOKIE = "order_desk_browser"
STATUS: dict[type[AppError], int] = {
    AppError: 400,
    InvalidInput: 400,
    NotSignedIn: 401,
    NotPermitted: 403,
    NotFound: 404,
    Refused: 409,
    OutsideFailed: 503,
}
# For our own routes: rows, files, and refusals, which are small pages with a style and a link.
OWN_ROUTES = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'none'"
    ),
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PRIVATE = OWN_ROUTES | {"Cache-Control": "no-store"}


def base_path() -> str:
    """Return the path that Order Desk is served under: empty, or for example /desk."""
    path = str(st.get_option("server.baseUrlPath")).strip("/")
    return f"/{path}" if path else ""


def browser_of(request: Request) -> str:
    """Return the browser's cookie, to which tokens are bound; empty if there is none."""
    return request.cookies.get(BROWSER_COOKIE, "")


def bearer_of(request: Request) -> str:
    """Return the token that a script sends; empty if there is none."""
    return request.headers.get("authorization", "").removeprefix("Bearer ")


Endpoint = Callable[[Request], Awaitable[Response]]


def answering(endpoint: Endpoint, refuse: Callable[[str, int], Response]) -> Endpoint:
    """Wrap a route: turn a failure into a plain sentence with a status, and log every response."""

    async def answer(request: Request) -> Response:
        reference = set_request_id()
        response = await attempt(request, reference)
        response.headers["X-Request-ID"] = reference
        what = (request.method, request.url.path, response.status_code)
        logger.info("%s %s answered with %s", *what)
        return response

    async def attempt(request: Request, reference: str) -> Response:
        try:
            return await endpoint(request)
        except AppError as error:
            status = status_of(error)
            what = (request.method, request.url.path, _sender(request, error), error)
            logger.warning("%s %s refused, from %s: %s", *what)
            return refuse(str(error), status)
        except ClientDisconnect:
            raise  # a guard ends it quietly: no one waits for a response
        except Exception:
            logger.exception("%s %s failed", request.method, request.url.path)
            sentence = f"Something went wrong. The error is logged as {reference}."
            return refuse(sentence, 500)

    return answer


def _sender(request: Request, error: AppError) -> str:
    """Return where a refused request comes from, and which user its token names, if it is ours."""
    address = request.client.host if request.client else "an unknown address"
    return address if error.user_id is None else f"{address} for user {error.user_id}"


def status_of(error: AppError) -> int:
    """Return the HTTP status for a failure."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def refuse_json(sentence: str, status: int) -> Response:
    """Refuse a request of a script."""
    return JSONResponse({"error": _encodable(sentence)}, status, headers=PRIVATE)


def refuse_page(sentence: str, status: int, title: str = "Not downloaded") -> Response:
    """Refuse a link with a small page. It links back, because it opens in a new tab."""
    name = html.escape(get_settings().app_name)
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" '
        f'content="light dark"><title>{name}</title><body style="font:16px/1.5 system-ui;'
        'max-width:34rem;margin:18vh auto;padding:0 1.5rem;background:canvas"><main>'
        f'<h1 style="font-size:1.3rem">{title}</h1>'
        f"<p>{html.escape(_encodable(sentence))}</p>"
        f'<p><a href="{html.escape(base_path())}/">Back to {name}</a></p></main>'
    )
    return HTMLResponse(page, status, headers=PRIVATE)


def _encodable(sentence: str) -> str:
    """Replace lone surrogates, which a hostile request may have put into the sentence."""
    return sentence.encode("utf-8", "replace").decode()
