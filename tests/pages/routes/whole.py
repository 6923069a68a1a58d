"""The whole application in this process, asked as a browser asks it: without a server."""

import asyncio
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import streamlit.config
import streamlit.logger
from sqlalchemy import text
from starlette.types import ASGIApp
from streamlit import config

from core import ground, storage
from tests.pages.guards.asgi import living

URL = "http://localhost:8501"
BROWSER = "the-browser-of-this-test"
COOKIE = "order_desk_browser"


class _Here(httpx.BaseTransport):
    """Hands a request to an application, in the event loop that it lives in."""

    def __init__(self, app: ASGIApp, runner: asyncio.Runner) -> None:
        self._ask = httpx.ASGITransport(app)
        self._runner = runner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer, when all of it is there."""
        return self._runner.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._ask.handle_async_request(request)
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        body = b"".join([piece async for piece in answer.stream])
        return httpx.Response(
            answer.status_code, headers=answer.headers, stream=httpx.ByteStream(body)
        )


class Whole:
    """The application, on the database of this process."""

    def __init__(self, app: ASGIApp, runner: asyncio.Runner) -> None:
        self.app = app
        self.runner = runner

    def client(self, base: str = "", **cookies: str) -> httpx.Client:
        """Return a browser with these cookies, which asks below a path."""
        here = _Here(self.app, self.runner)
        return httpx.Client(transport=here, base_url=f"{URL}{base}", cookies=cookies)

    def execute(self, sql: str) -> None:
        """Change the database behind its back."""
        with storage.writing() as session:
            session.execute(text(sql))


@contextmanager
def below(base: str) -> Iterator[None]:
    """Let Streamlit serve below a path, as its option says at a start."""
    before = config.get_option("server.baseUrlPath")
    config.set_option("server.baseUrlPath", base.strip("/"))
    yield
    config.set_option("server.baseUrlPath", before)


@contextmanager
def whole_application(base: str = "", **settings: str) -> Iterator[Whole]:
    """Run app.py on the database of this process, without a worker, until the block ends.

    It is below the path `base`, and has these settings.
    """
    with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch, below(base):
        patch.setenv("RUN_WORKER", "false")
        patch.setenv("STREAMLIT_SERVER_BASE_URL_PATH", base)
        for name, value in settings.items():
            patch.setenv(name, value)
        ground.get_settings.cache_clear()
        # Logs and signals stay as pytest needs them.
        patch.setattr(ground, "configure_logs", lambda: None)
        patch.setattr(ground, "handle_signals", lambda **_given: None)
        patch.setattr(streamlit.logger, "setup_formatter", streamlit.logger.setup_formatter)
        patch.setattr(streamlit.config, "_main_script_path", None)
        patch.delitem(sys.modules, "app", raising=False)
        app: Any = importlib.import_module("app").app
        life = living(app)
        runner.run(life.__aenter__())
        yield Whole(app, runner)
        runner.run(life.__aexit__(None, None, None))
    ground.get_settings.cache_clear()
