"""Streamlit's page has our title, style, script and bar; other answers stay as they are."""

import asyncio
import gzip
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from streamlit.file_util import get_static_dir

from core.ground import get_settings
from pages.guards import OwnPage
from pages.guards.own_page import _parts
from pages.web import PAGE_SCRIPT, PAGE_SCRIPT_PATH, page_body, page_head

PAGE = (Path(get_static_dir()) / "index.html").read_bytes()
GRIDS = b'<!doctype html><html><title>Streamlit Component</title><body><div id="root"></div>'


def ask(
    body: bytes = PAGE,
    path: str = "/orders",
    *,
    method: str = "GET",
    coding: str = "",
    base: str = "",
) -> httpx.Response:
    """Ask for Streamlit's page, which is packed behind us."""

    async def answer(_request: Request) -> Response:
        return Response(body, media_type="text/html", headers={"cache-control": "no-cache"})

    app = Starlette(
        middleware=[Middleware(OwnPage, base=base), Middleware(GZipMiddleware, minimum_size=1)]
    )
    app.add_route("/{path:path}", answer, methods=["GET", "POST"])

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
            return await client.request(method, path, headers={"accept-encoding": coding})

    return asyncio.run(get())


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_the_page_has_our_parts_and_all_of_streamlits(coding: str) -> None:
    answer = ask(coding=coding)
    assert answer.headers.get("content-encoding", "") == coding
    ours = answer.content.replace(page_body().encode(), b"")
    assert ours.replace(page_head().encode(), b"<title>Streamlit</title>") == PAGE
    assert int(answer.headers["content-length"]) > len(gzip.compress(answer.content)) // 2


def test_the_script_comes_before_streamlits_and_the_style_after_that_of_the_head() -> None:
    page = ask().text
    assert page.index(PAGE_SCRIPT_PATH) < page.index('<script type="module"')
    assert page.index("</head>") < page.index(".st-key-navigation") < page.index('<div id="root">')
    assert page.count("<script>") == PAGE.decode().count("<script>")  # none of ours is inline


@pytest.mark.parametrize("base", ["", "/desk"])
def test_the_script_is_served_below_the_path_alone(base: str) -> None:
    answer = ask(path=base + PAGE_SCRIPT_PATH, base=base)
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.text == PAGE_SCRIPT
    assert ask(path=f"/elsewhere{PAGE_SCRIPT_PATH}", base=base).text != PAGE_SCRIPT


@pytest.mark.parametrize(("body", "method"), [(GRIDS, "GET"), (PAGE, "POST")])
def test_other_answers_pass_as_they_are(body: bytes, method: str) -> None:
    assert ask(body, method=method).content == body


def test_the_name_in_the_page_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_NAME", "</title></style><script>alert(1)</script>\"'")
    get_settings.cache_clear()
    _parts.cache_clear()
    page = ask().text
    assert "<script>alert" not in page
    assert page.count("</style>") == PAGE.decode().count("</style>") + 1
    monkeypatch.undo()
    get_settings.cache_clear()
    _parts.cache_clear()
