"""Responses of our own routes: headers, the browser's cookie, failures and refusals."""

import html
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import streamlit as st
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

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
from pages.web import metrics

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
GONE = 499  # the client has left


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
Refuse = Callable[[str, int], Response]


def own_route(
    path: str,
    endpoint: Endpoint,
    refuse: Refuse,
    *,
    method: str = "GET",
    tables: Collection[str] = (),
    level: int = logging.INFO,
) -> Route:
    """Return a route of ours below the base path; its answers are logged and counted.

    `tables` are the names that its path can have for `{table}`. `level` is that of its log lines.
    """
    endpoint = answering(path, endpoint, refuse, tables=tables, level=level)
    return Route(base_path() + path, endpoint, methods=[method])


def answering(
    route: str,
    endpoint: Endpoint,
    refuse: Refuse,
    *,
    tables: Collection[str] = (),
    level: int = logging.INFO,
) -> Endpoint:
    """Wrap a route: turn a failure into a plain sentence with a status; log and count each answer.

    The time is that until the answer begins: how fast a client takes a file says nothing of us.
    """

    async def answer(request: Request) -> Response:
        reference, begin, status = set_request_id(), time.monotonic(), GONE
        try:
            with metrics.in_progress(route):
                response = await attempt(request, reference)
            response.headers["X-Request-ID"] = reference
            status = response.status_code
        finally:
            seconds = time.monotonic() - begin
            metrics.count_request(route, _table_of(request, tables), status, seconds)
            _log(request, route, status, seconds, level)
        return response

    async def attempt(request: Request, reference: str) -> Response:
        try:
            return await endpoint(request)
        except AppError as error:
            status = status_of(error)
            if error.user_id is not None:
                note_user(request, error.user_id)
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


def note_user(request: Request, user_id: str) -> None:
    """Note who sends a request, for its line in the log."""
    request.state.user_id = user_id


def _table_of(request: Request, tables: Collection[str]) -> str:
    name = request.path_params.get("table", "")
    return name if name in tables or not name else metrics.OTHER


def _log(request: Request, route: str, status: int, seconds: float, level: int) -> None:
    user_id = getattr(request.state, "user_id", None)
    who = "nobody" if user_id is None else f"user {user_id}"
    what = (request.method, request.url.path, status, seconds, who)
    facts: dict[str, Any] = {"method": request.method, "route": route, "path": request.url.path}
    facts |= {"status": status, "seconds": round(seconds, 4), "user": user_id}
    logger.log(level, "%s %s answered with %s in %.3f s for %s", *what, extra={"facts": facts})


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
