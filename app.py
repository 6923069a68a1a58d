"""The ASGI application: own routes, start-up, shut-down. `make run` serves it."""

import gc

gc.disable()  # imports create no garbage; collecting while they run takes half a second

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import UTC, datetime
from typing import Any

import streamlit as st
import streamlit.logger
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core import readiness, startup, worker
from core.ground import (
    AppError,
    OutsideFailed,
    configure_logs,
    get_settings,
    handle_signals,
    refuse_start,
    use_root_handler,
    wait_for_actions,
)
from core.tables import TABLES
from pages.grid import register_grid
from pages.guards import (
    BodyTime,
    BrowserCookie,
    DeepLink,
    InternalRoutes,
    LeavingClients,
    LocalOnly,
    OneHost,
    OwnOrigin,
    OwnPage,
    RequestLimits,
    SecureCookies,
    SecurityHeaders,
    SignOut,
    StaticFiles,
    Uploads,
)
from pages.routes import (
    EXPORTED,
    answer_alive,
    answer_export,
    answer_message,
    answer_metrics,
    answer_ready,
    answer_rows,
    answer_search,
    answer_vouchers,
)
from pages.web import (
    base_path,
    own_route,
    refuse_json,
    refuse_page,
    serving_metrics,
    streamlit_secrets,
)

logger = logging.getLogger(__name__)
RETRY_SECONDS = 2
HERE = "127.0.0.1"
LOOPBACK = {HERE, "localhost", "::1"}


async def redirect_below_base(request: Request) -> Response:
    """Redirect from the base path to the page below it; host and scheme stay the same."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{base}/{query}", 307)


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Prepare the database before serving; if it does not answer, serve and keep retrying."""
    register_grid()
    retrying = None if await _try_to_prepare() else asyncio.ensure_future(_retry_to_prepare())
    handle_signals(call_previous=True)
    with (
        worker.working() if settings.run_worker else nullcontext(),
        readiness.leaving_signs(),
        serving_metrics(st.get_option("server.address") or HERE, settings.metrics_port),
    ):
        yield
        await run_in_threadpool(wait_for_actions)
    if retrying is not None:
        retrying.cancel()
        with suppress(asyncio.CancelledError):
            await retrying


async def _try_to_prepare() -> bool:
    try:
        await run_in_threadpool(startup.prepare_to_serve, datetime.now(UTC))
    except OutsideFailed as error:
        logger.warning("%s", error)
        return False
    except AppError as error:
        refuse_start(error)
    return True


async def _retry_to_prepare() -> None:
    while not await _try_to_prepare():
        await asyncio.sleep(RETRY_SECONDS)


def refuse_unprotected_start(address: str | None, *, has_sign_in: bool) -> None:
    """Stop the start if other machines can reach a server that has no sign-in."""
    if not has_sign_in and address not in LOOPBACK:
        raise SystemExit(
            f"Order Desk cannot start.\nSTREAMLIT_SERVER_ADDRESS is {address or 'not set'}: other "
            "machines can reach the server. Without sign-in, everyone would be an admin. "
            "Set it to 127.0.0.1. Or turn on sign-in: set OIDC_METADATA_URL, OIDC_CLIENT_ID, "
            "OIDC_CLIENT_SECRET, PUBLIC_URL and FIRST_ADMIN_EMAIL (see docs/access.md)."
        )


base = base_path()
# Set for child processes and for links in files too, whichever way the path was configured.
os.environ["STREAMLIT_SERVER_BASE_URL_PATH"] = base
settings = get_settings()  # a wrong setting stops the start here, with its name
refuse_unprotected_start(st.get_option("server.address"), has_sign_in=settings.has_sign_in)
configure_logs()
streamlit.logger.setup_formatter = use_root_handler  # Streamlit calls it for each new logger
streamlit.logger.update_formatter()
for name in ("uvicorn", "uvicorn.access", "uvicorn.error"):
    use_root_handler(logging.getLogger(name))
if settings.log_level != "debug":  # our own routes write a line each, with who asked
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
try:
    startup.check_vouchers()
    startup.warn_of_open_files()
except AppError as error:
    raise SystemExit(f"Order Desk cannot start.\n{error}") from None
# With sign-in, requests may come from anywhere; without it, only from this machine.
SIGN_IN_MIDDLEWARE = [Middleware(kind, base=base) for kind in (InternalRoutes, SignOut, DeepLink)]
app = st.App(
    "pages/main.py",
    routes=[
        own_route("/rows/{table}", answer_rows, refuse_json, method="POST", tables=TABLES),
        own_route("/search", answer_search, refuse_json, method="POST"),
        own_route("/export/{table}", answer_export, refuse_page, tables=EXPORTED),
        own_route("/messages/{delivery_id}", answer_message, refuse_page),
        own_route("/vouchers", answer_vouchers, refuse_page),
        # Asked every few seconds: their lines would hide the others.
        own_route("/healthz", answer_alive, refuse_json, level=logging.DEBUG),
        own_route("/readyz", answer_ready, refuse_json, level=logging.DEBUG),
        own_route("/metrics", answer_metrics, refuse_json, level=logging.DEBUG),
        *([Route(base, redirect_below_base, methods=["GET"])] if base else []),
    ],
    middleware=[
        Middleware(LeavingClients),
        Middleware(BodyTime),
        Middleware(OneHost),
        Middleware(OwnOrigin),
        Middleware(SecurityHeaders, base=base),
        Middleware(RequestLimits),
        Middleware(SecureCookies),
        *(SIGN_IN_MIDDLEWARE if settings.has_sign_in else [Middleware(LocalOnly)]),
        Middleware(Uploads, base=base),
        Middleware(StaticFiles, base=base),
        Middleware(OwnPage, base=base),
        Middleware(BrowserCookie, base=base),
    ],
    secrets=streamlit_secrets(),
    lifespan=lifespan,
)
gc.freeze()  # later collections skip what was imported
gc.enable()
