"""Streamlit's page has our title, style, script and bar; other answers stay as they are."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from streamlit.file_util import get_static_dir

from core.ground import get_settings
from pages.guards import OwnPage
from pages.guards.own_page import _parts
from pages.web import PAGE_SCRIPT, PAGE_SCRIPT_PATH, page_body, page_head
from tests.docs import PROJECT

STATIC = Path(get_static_dir())
PAGE = (STATIC / "index.html").read_bytes()
(SHEET,) = [one.read_bytes() for one in STATIC.glob("static/css/index.*.css")]
FONT = b'as="font"'
GRIDS = b'<!doctype html><html><title>Streamlit Component</title><body><div id="root"></div>'


def ask(
    body: bytes = PAGE,
    path: str = "/orders",
    *,
    method: str = "GET",
    coding: str = "",
    base: str = "",
    kind: str = "text/html",
    life: str = "no-cache",
) -> httpx.Response:
    """Ask for Streamlit's page, which comes in pieces and is packed behind us."""

    async def answer(_request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(body), 700):
                yield body[start : start + 700]

        return StreamingResponse(pieces(), media_type=kind, headers={"cache-control": life})

    app = Starlette(
        middleware=[Middleware(OwnPage, base=base), Middleware(GZipMiddleware, minimum_size=1)]
    )
    app.add_route("/{path:path}", answer, methods=["GET", "POST"])

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
            return await client.request(method, path, headers={"accept-encoding": coding})

    return asyncio.run(get())


@pytest.mark.parametrize(
    ("accepted", "coding"), [("", ""), ("gzip", "gzip"), ("gzip, deflate, br", "br")]
)
def test_the_page_has_our_parts_and_all_of_streamlits(accepted: str, coding: str) -> None:
    answer = ask(coding=accepted)
    assert answer.headers.get("content-encoding", "") == coding
    ours = answer.content.replace(page_body().encode(), b"")
    without_font = re.sub(rb'<link\s+rel="preload".*?/>', b"", PAGE, flags=re.DOTALL)
    assert ours.replace(page_head().encode(), b"<title>Streamlit</title>") == without_font
    assert int(answer.headers["content-length"]) > len(gzip.compress(answer.content)) // 2


def test_the_page_is_a_tenth_smaller_for_browsers_that_know_brotli() -> None:
    sizes = [int(ask(coding=one).headers["content-length"]) for one in ("gzip", "gzip, br")]
    assert sizes[1] < 0.9 * sizes[0]


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


@pytest.mark.parametrize(
    ("body", "method", "kind", "life"),
    [
        (GRIDS, "GET", "text/html", "no-cache"),
        (PAGE, "POST", "text/html", "no-cache"),
        (PAGE, "GET", "text/plain", "no-cache"),
        (PAGE, "GET", "text/html", "no-store"),
    ],
)
def test_other_answers_pass_as_they_are(body: bytes, method: str, kind: str, life: str) -> None:
    assert ask(body, method=method, kind=kind, life=life).content == body


@pytest.mark.parametrize("base", ["", "/desk"])
def test_the_page_of_a_component_passes_as_it_is(base: str) -> None:
    path = f"{base}/component/st_aggrid.agGrid/index.html"
    assert ask(base=base, path=path).content == PAGE
    assert ask(base=base, path=f"/elsewhere{path}").content != PAGE


def test_page_asks_for_no_font_that_it_does_not_use() -> None:
    assert FONT in PAGE
    (asked,) = [one for one in re.findall(r"<link[^>]*>", ask().text) if 'as="font"' in one]
    assert "inter-latin" in asked


def test_style_sheet_keeps_all_but_the_one_font() -> None:
    life = "public, immutable, max-age=31536000"
    answer = ask(SHEET, "/static/css/index.css", kind="text/css", life=life).content
    assert SHEET.count(b"font-family:Source Sans;") == 2
    assert b"Source Sans;" not in answer
    assert answer.count(b"@font-face") == SHEET.count(b"@font-face") - 2 > 0
    assert answer.count(b"{") == SHEET.count(b"{") - 2


@pytest.mark.parametrize("base", ["", "/desk"])
def test_style_sheet_names_our_file_of_icons_instead_of_streamlits(base: str) -> None:
    life = "public, immutable, max-age=31536000"
    path = f"{base}/static/css/index.css"
    answer = ask(SHEET, path, base=base, kind="text/css", life=life).text
    assert SHEET.count(b"MaterialSymbols-Rounded") == 1
    assert "MaterialSymbols-Rounded" not in answer
    (icons,) = re.findall(r"Material Symbols Rounded;[^}]*url\(([^)]+)\)", answer)
    there = (PROJECT / "pages/static/fonts").glob("icons-*.woff2")
    assert [urljoin(path, icons)] == [f"{base}/app/static/fonts/{one.name}" for one in there]


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
