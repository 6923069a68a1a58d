"""Static files: packed once, kept by browsers, the same as Streamlit's own."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable

import brotli
import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pages.guards import StaticFiles
from tests.pages.guards.asgi import ask as raw_ask

SCRIPT = b"const order = 1;\n" * 5_000
HASHED = "/component/st_aggrid.AgGrid/static/js/main.f4bb7ae6.js"
UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "br": brotli.decompress,
    "gzip": gzip.decompress,
    "": bytes,
}


class Behind:
    """Streamlit's place: it has every file, and counts how often it is asked for one."""

    def __init__(self, body: bytes = SCRIPT, kind: str = "text/javascript", **headers: str) -> None:
        self.asked: list[Request] = []
        self.body = body
        self.kind = kind
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(self, request: Request) -> Response:
        self.asked.append(request)
        return Response(self.body, media_type=self.kind, headers=self.headers)


def behind_static_files(behind: Behind, base: str = "") -> ASGIApp:
    app = Starlette(middleware=[Middleware(StaticFiles, base=base)])
    app.add_route("/{path:path}", behind.answer, methods=["GET", "POST"])
    return app


def ask(app: ASGIApp, *paths: str, method: str = "GET", **headers: str) -> list[httpx.Response]:
    """Ask for paths at once, and return the answers with their bodies as they travelled."""

    async def ask_all() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
            given = {"accept-encoding": ""} | {
                name.replace("_", "-"): value for name, value in headers.items()
            }
            return await asyncio.gather(
                *(_travelled(client, method, path, given) for path in paths)
            )

    return asyncio.run(ask_all())


async def _travelled(
    client: httpx.AsyncClient, method: str, path: str, headers: dict[str, str]
) -> httpx.Response:
    async with client.stream(method, path, headers=headers) as answer:
        answer._content = b"".join([piece async for piece in answer.aiter_raw()])
        return answer


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0.9", "br"),
        ("identity", ""),
        ("", ""),
    ],
)
def test_script_travels_packed_as_the_browser_reads_it(accepted: str, coding: str) -> None:
    (answer,) = ask(behind_static_files(Behind()), HASHED, accept_encoding=accepted)
    assert answer.headers.get("content-encoding", "") == coding
    assert UNPACK[coding](answer.content) == SCRIPT
    assert answer.headers["vary"] == "Accept-Encoding"
    assert len(answer.content) < len(SCRIPT) / 10 or not coding


def test_file_is_read_and_packed_once_for_all_who_ask() -> None:
    behind = Behind()
    app = behind_static_files(behind)
    answers = ask(app, *[HASHED] * 5, accept_encoding="br") + ask(app, HASHED, accept_encoding="br")
    assert {answer.content for answer in answers} == {brotli.compress(SCRIPT, quality=6)}
    assert len(behind.asked) == 1


@pytest.mark.parametrize(
    ("path", "life"),
    [
        (HASHED, "public, max-age=31536000, immutable"),
        ("/static/js/index.C1pLU68S.js", "public, max-age=31536000, immutable"),
        ("/static/media/KaTeX_Main-Bold.Dq_IR9r-.woff2", "public, max-age=31536000, immutable"),
        ("/app/static/fonts/cjk/007-855ae1b4.woff2", "public, max-age=31536000, immutable"),
        ("/app/static/fonts/inter-latin-3100e775.woff2", "public, max-age=31536000, immutable"),
        ("/app/static/fonts/inter-latin-ext.woff2", "public, no-cache"),
        ("/app/static/fonts/inter-cyrillic.woff2", "public, no-cache"),
        ("/component/st_aggrid.AgGrid/bootstrap.min.css", "public, no-cache"),
    ],
)
def test_only_a_file_whose_name_changes_with_its_content_is_kept_for_ever(
    path: str, life: str
) -> None:
    (answer,) = ask(behind_static_files(Behind()), path)
    assert answer.headers["cache-control"] == life


def test_file_that_is_the_same_is_not_sent_again_and_another_one_is() -> None:
    path = "/app/static/logo.svg"
    app = behind_static_files(Behind(b"<svg/>", "image/svg+xml"))
    (first,) = ask(app, path, accept_encoding="gzip")
    (same,) = ask(app, path, accept_encoding="gzip", if_none_match=first.headers["etag"])
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == first.headers["etag"]
    upgraded = behind_static_files(Behind(b"<svg></svg>", "image/svg+xml"))
    (new,) = ask(upgraded, path, accept_encoding="gzip", if_none_match=first.headers["etag"])
    assert (new.status_code, gzip.decompress(new.content)) == (200, b"<svg></svg>")


def test_font_is_not_packed_and_part_of_a_file_is_not_kept_as_the_whole() -> None:
    behind = Behind(b"wOF2" * 100, "font/woff2")
    app = behind_static_files(behind)
    (answer,) = ask(app, "/app/static/a.woff2", accept_encoding="br", range="bytes=0-1")
    assert "content-encoding" not in answer.headers
    assert (answer.status_code, answer.content) == (200, behind.body)
    assert "range" not in behind.asked[0].headers


def test_page_in_place_of_a_missing_file_is_not_kept() -> None:
    behind = Behind(b"<html>", "text/html", cache_control="no-cache")
    app = behind_static_files(behind)
    for number in range(3):
        (answer,) = ask(app, f"/static/gone-{number}")
        assert (answer.content, answer.headers["cache-control"]) == (b"<html>", "no-cache")
    assert len(behind.asked) == 6  # read by us, then passed on


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/orders"),
        ("GET", "/static/%2E/js/index.C1pLU68S.js"),
        ("GET", "/static//js/index.C1pLU68S.js"),
        ("GET", "/staticky/index.C1pLU68S.js"),
        ("POST", HASHED),
    ],
)
def test_any_other_request_passes_as_it_came(method: str, path: str) -> None:
    behind = Behind()
    (answer,) = ask(behind_static_files(behind), path, method=method, accept_encoding="br")
    assert (answer.content, answer.headers.get("cache-control")) == (SCRIPT, None)
    assert behind.asked[0].headers["accept-encoding"] == "br"


def test_files_below_a_base_path_are_found_there_alone() -> None:
    app = behind_static_files(Behind(), base="/desk")
    below, beside = ask(app, f"/desk{HASHED}", HASHED, accept_encoding="br")
    assert below.headers["content-encoding"] == "br"
    assert "content-encoding" not in beside.headers


def test_part_of_a_file_whose_end_is_missing_is_not_kept() -> None:
    sent = [SCRIPT[:100], SCRIPT]

    async def breaks_off_once(_scope: Scope, _receive: Receive, send: Send) -> None:
        length = (b"content-length", b"%d" % len(SCRIPT))
        headers = [(b"content-type", b"text/javascript"), length]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": sent.pop(0)})

    app = StaticFiles(breaks_off_once, base="")
    sent.insert(1, SCRIPT)  # the broken answer is read once, then the request is passed on
    ask(app, HASHED, accept_encoding="br")
    (answer,) = ask(app, HASHED, accept_encoding="br")
    assert brotli.decompress(answer.content) == SCRIPT


def test_file_is_kept_whole_though_the_first_who_asked_has_left() -> None:
    """A streamed answer ends early when its client leaves; the next one must not get a part."""

    async def stream(_request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(3):
                yield SCRIPT
                await asyncio.sleep(0.01)

        return StreamingResponse(pieces(), media_type="text/javascript")

    inner = Starlette()
    inner.add_route("/{path:path}", stream)
    app = StaticFiles(inner, base="")
    asyncio.run(raw_ask(app, "GET", HASHED, breaks_off=True))
    (answer,) = ask(app, HASHED)
    assert answer.content == SCRIPT * 3
