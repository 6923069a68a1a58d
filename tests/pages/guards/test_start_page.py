"""Streamlit's page and style sheet start sooner; other answers stay as they are."""

import asyncio
import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import StreamingResponse
from streamlit.file_util import get_static_dir

from pages.guards import StartPage
from pages.guards.start_page import START_SCRIPT

STATIC = Path(get_static_dir())
PAGE = (STATIC / "index.html").read_bytes()
(SHEET,) = [one.read_bytes() for one in STATIC.glob("static/css/index.*.css")]
FONT = b'as="font"'
SCRIPT = re.compile(rb"<script data-base=.*?</script>", re.DOTALL)


def ask(
    kind: str = "text/html",
    *,
    method: str = "GET",
    coding: str = "",
    life: str = "no-cache",
    body: bytes = PAGE,
    base: str = "",
    path: str = "/orders",
) -> httpx.Response:
    """Ask for Streamlit's page, which comes in pieces; Streamlit packs it behind us."""

    async def answer(_request: Request) -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(body), 700):
                yield body[start : start + 700]

        return StreamingResponse(pieces(), media_type=kind, headers={"cache-control": life})

    app = Starlette(middleware=[Middleware(StartPage, base=base), Middleware(GZipMiddleware)])
    app.add_route(path, answer, methods=["GET", "POST"])

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
            return await client.request(method, path, headers={"accept-encoding": coding})

    return asyncio.run(get())


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_page_asks_for_no_font_and_keeps_the_rest(coding: str) -> None:
    answer = ask(coding=coding)
    assert answer.headers.get("content-encoding", "") == coding
    assert FONT in PAGE
    assert FONT not in answer.content
    without_font = re.sub(rb'<link\s+rel="preload".*?/>', b"", PAGE, flags=re.DOTALL)
    assert SCRIPT.sub(b"", answer.content, count=1) == without_font
    assert b'<script type="module"' in answer.content
    if not coding:
        assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize("base", ["", "/desk", "/a-\"b'<c>&"])
def test_page_says_first_where_the_server_is(base: str) -> None:
    page = ask(base=base).text
    found = re.search(r"<script data-base=\"([^\"]*)\">(.*?)</script>", page, re.DOTALL)
    assert found is not None
    assert html.unescape(found[1]) == base
    assert found[2] == START_SCRIPT
    assert page.count("<script") == PAGE.count(b"<script") + 1
    assert found.start() < page.index('<script type="module"')


@pytest.mark.parametrize(
    ("kind", "method", "life"),
    [
        ("text/plain", "GET", "no-cache"),
        ("text/html", "POST", "no-cache"),
        ("text/html", "GET", "no-store"),
    ],
)
def test_other_answers_pass_as_they_are(kind: str, method: str, life: str) -> None:
    assert ask(kind, method=method, life=life).content == PAGE


@pytest.mark.parametrize("base", ["", "/desk"])
def test_the_page_of_a_component_passes_as_it_is(base: str) -> None:
    path = f"{base}/component/st_aggrid.agGrid/index.html"
    assert ask(base=base, path=path).content == PAGE
    assert ask(base=base, path=f"/elsewhere{path}").content != PAGE


def test_style_sheet_keeps_all_but_the_one_font() -> None:
    answer = ask("text/css", life="public, immutable, max-age=31536000", body=SHEET).content
    assert SHEET.count(b"font-family:Source Sans;") == 2
    assert b"Source Sans;" not in answer
    assert answer.count(b"@font-face") == SHEET.count(b"@font-face") - 2 > 0
    assert answer.count(b"{") == SHEET.count(b"{") - 2
