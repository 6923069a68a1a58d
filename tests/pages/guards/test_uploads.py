"""Uploads: who may send them, how large and how many, checked before a byte is read."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp
from streamlit.runtime import get_instance
from streamlit.web.server.starlette.starlette_app_utils import (
    create_signed_value,
    generate_xsrf_token_string,
)

from core import access, storage
from core.access import CONSOLE, Rights
from core.access.actors import LOCAL_USER_ID
from core.ground import Role
from core.storage import AuditEvent, User
from pages.guards import Uploads
from pages.guards.upload_room import MB, MIN_BYTES, uploaded_files
from tests.conftest import Fill
from tests.core.access.test_people import SIGN_IN
from tests.core.access.test_sign_ins import claims
from tests.core.refunds.refund_rows import settings
from tests.pages.guards.asgi import Answer, Headers, Socket, ask, serving

XSRF = generate_xsrf_token_string()
BOUNDARY = "the-boundary"
FORM = ("content-type", f"multipart/form-data; boundary={BOUNDARY}")
PIECE = 64 * 1024
SITE = SIGN_IN["public_url"]
PREFIX = "/_stcore/upload_file"


@pytest.fixture(autouse=True)
def people_sign_in(sqlite_database: str, filled_once: Fill) -> Iterator[None]:
    """Turn on sign-in: Ana and Amy may import, Bob is an agent, Eve is not a user."""
    assert sqlite_database
    with settings(**SIGN_IN):
        filled_once(_add_people)
        yield


def _add_people() -> None:
    for name, role in (("ana", Role.ADMIN), ("amy", Role.ADMIN), ("bob", Role.AGENT)):
        rights = Rights(role, sees_all_contracts=True)
        email = f"{name}@helios.example"
        access.add_user(email, rights=rights, actor=CONSOLE, now=datetime.now(UTC))


def cookies_of(name: str, **given: Any) -> Headers:
    """Return the cookies of a person's browser; without a name, of one who is not signed in."""
    cookie = f"_streamlit_xsrf={XSRF}"
    if name:
        now = datetime.now(UTC)
        email = f"{name}@helios.example"
        usual = claims(now, sub=name, email=email, nonce=name) | {"is_logged_in": True}
        written = json.dumps(usual | {"origin": SITE} | given)
        secret = access.secret_for(given.get("secret_for", "streamlit.auth"))
        signed = create_signed_value(secret, "_streamlit_user", written).decode()
        cookie += f"; _streamlit_user={signed}"
    return [("cookie", cookie), ("x-xsrftoken", XSRF)]


@asynccontextmanager
async def page_of(app: ASGIApp, cookies: Headers) -> AsyncIterator[str]:
    """Open a page, and yield the ID of its session."""
    before = {one.session.id for one in get_instance()._session_mgr.list_active_sessions()}
    socket = Socket(app, cookies)
    assert await socket.is_accepted()
    while True:
        sessions = {one.session.id for one in get_instance()._session_mgr.list_active_sessions()}
        if found := sessions - before:
            break
        await asyncio.sleep(0.01)
    yield found.pop()
    await socket.close()


@asynccontextmanager
async def serving_uploads() -> AsyncIterator[ASGIApp]:
    async with serving(Middleware(Uploads, base="")) as app:
        yield app


def form(size: int) -> Iterable[bytes]:
    """Write the form that has a file of a size, in pieces."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="f.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    )
    whole = head.encode() + b"x" * size + f"\r\n--{BOUNDARY}--\r\n".encode()
    return [whole[at : at + PIECE] for at in range(0, len(whole), PIECE)]


async def put(
    app: ASGIApp, session_id: str, file_id: str, cookies: Headers, size: int, **given: Any
) -> Answer:
    """Upload a file of a size, whose length is declared unless `chunked`, or as `declared`."""
    pieces = list(form(size))
    headers = [*cookies, FORM]
    if not given.get("chunked"):
        declared = given.get("declared", str(sum(map(len, pieces))))
        headers.append(("content-length", declared))
    return await ask(app, "PUT", f"{PREFIX}/{session_id}/{file_id}", headers, pieces)


def kept() -> dict[str, list[int]]:
    """Return the sizes of the files that Streamlit stores, by session."""
    held = uploaded_files().file_storage
    return {key: [len(one.data) for one in files.values()] for key, files in held.items()}


def refused() -> list[str]:
    with storage.reading() as session:
        asked = select(AuditEvent.actor).where(AuditEvent.action == "import.refused")
        return list(session.scalars(asked))


def test_a_person_who_may_import_uploads_and_removes_a_file() -> None:
    async def check() -> None:
        ana = cookies_of("ana")
        async with serving_uploads() as app, page_of(app, ana) as page:
            assert (await put(app, page, "f1", ana, 100_000)).status == 204
            assert (await put(app, page, "f2", ana, 0, chunked=True)).status == 204
            assert kept() == {page: [100_000, 0]}
            assert (await ask(app, "DELETE", f"{PREFIX}/{page}/f1", ana)).status == 204
            assert kept() == {page: [0]}

    asyncio.run(check())


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize(
    ("who", "given", "status"),
    [
        ("", {}, 401),
        ("eve", {}, 401),
        ("bob", {}, 403),
        ("amy", {}, 403),  # she may import, but this is not her page
        ("ana", {"secret_for": "another"}, 401),
        ("ana", {"origin": "https://other.example"}, 401),
        ("ana", {"origin": None}, 401),
        ("ana", {"is_logged_in": False}, 401),
        ("ana", {"exp": 1}, 401),
        ("ana", {"sub": None}, 401),
    ],
)
def test_no_one_else_uploads_or_removes_and_nothing_is_read(
    method: str, who: str, given: dict[str, Any], status: int
) -> None:
    async def check() -> None:
        ana, other = cookies_of("ana"), cookies_of(who, **given)
        async with serving_uploads() as app, page_of(app, ana) as page:
            assert (await put(app, page, "f1", ana, 10)).status == 204
            if method == "PUT":
                answer = await put(app, page, "f1", other, 100_000)
            else:
                answer = await ask(app, "DELETE", f"{PREFIX}/{page}/f1", other)
            assert (answer.status, answer.pieces_read) == (status, 0)
            assert kept() == {page: [10]}

    asyncio.run(check())
    assert refused() == (["bob@helios.example"] if who == "bob" else [])


def test_streamlit_itself_takes_a_file_from_anybody() -> None:
    async def check() -> None:
        ana, nobody = cookies_of("ana"), cookies_of("")
        async with serving() as app, page_of(app, ana) as page:
            assert (await put(app, page, "f1", nobody, 100_000)).status == 204
            assert kept() == {page: [100_000]}  # what the guard prevents

    asyncio.run(check())


@pytest.mark.parametrize("cookie", ["_streamlit_user=", "_streamlit_user=a.b.c", "x=\xff; y"])
def test_a_forged_cookie_is_not_a_sign_in(cookie: str) -> None:
    async def check() -> None:
        ana = cookies_of("ana")
        async with serving_uploads() as app, page_of(app, ana) as page:
            answer = await put(app, page, "f1", [("cookie", cookie)], 100_000)
            assert (answer.status, answer.pieces_read) == (401, 0)

    asyncio.run(check())


@pytest.mark.parametrize("session_id", ["", "x", "../../etc", "a" * 5_000])
def test_a_page_that_is_not_open_accepts_no_file(session_id: str) -> None:
    async def check() -> None:
        async with serving_uploads() as app:
            answer = await put(app, session_id, "f1", cookies_of("ana"), 100_000)
            assert (answer.status, answer.pieces_read) == (400, 0)
            assert kept() == {}

    asyncio.run(check())


def test_another_sign_in_of_the_same_person_uploads_into_their_page() -> None:
    async def check() -> None:
        async with serving_uploads() as app, page_of(app, cookies_of("ana")) as page:
            again = cookies_of("ana", nonce="second")
            assert (await put(app, page, "f1", again, 10)).status == 204

    asyncio.run(check())


def test_removed_rights_end_uploads_at_once() -> None:
    async def check() -> None:
        ana = cookies_of("ana")
        async with serving_uploads() as app, page_of(app, ana) as page:
            assert (await put(app, page, "f1", ana, 10)).status == 204
            with storage.writing() as session:
                email = User.email == "ana@helios.example"
                session.scalars(select(User).where(email)).one().role = Role.VIEWER
            assert (await put(app, page, "f2", ana, 10)).status == 403
            assert kept() == {page: [10]}

    asyncio.run(check())


@contextmanager
def local_mode() -> Iterator[None]:
    """Turn off sign-in, as by default."""
    nothing = dict.fromkeys(SIGN_IN, "") | {"public_url": "http://localhost:8501"}
    with settings(**nothing):
        yield


def test_in_local_mode_the_local_user_uploads_while_active() -> None:
    async def check() -> None:
        nobody = cookies_of("")
        async with serving_uploads() as app, page_of(app, nobody) as page:
            assert (await put(app, page, "f1", nobody, 10)).status == 204
            with storage.writing() as session:
                session.get_one(User, LOCAL_USER_ID).is_active = False
            answer = await put(app, page, "f2", nobody, 100_000)
            assert (answer.status, answer.pieces_read) == (401, 0)

    with local_mode():
        asyncio.run(check())


@pytest.mark.parametrize(
    ("declared", "status"),
    [
        (str(3 * MB), 413),
        ("9" * 30, 413),
        ("0" * 30 + str(3 * MB), 413),
        ("-1", 400),
        ("1e3", 400),
        ("٣", 400),
        ("", 400),
    ],
)
def test_a_file_that_declares_too_much_is_refused_unread(declared: str, status: int) -> None:
    async def check() -> None:
        ana = cookies_of("ana")
        async with serving_uploads() as app, page_of(app, ana) as page:
            answer = await put(app, page, "f1", ana, 1, declared=declared)
            assert (answer.status, answer.pieces_read) == (status, 0)
            assert (await put(app, page, "f1", ana, 1)).status == 204

    declared = declared.encode().decode("latin-1")
    with settings(import_max_mb=1):
        asyncio.run(check())


def test_a_file_in_chunks_is_cut_off_at_the_limit() -> None:
    async def check() -> None:
        ana = cookies_of("ana")
        async with serving_uploads() as app, page_of(app, ana) as page:
            answer = await put(app, page, "f1", ana, 30 * MB, chunked=True)
            assert answer.status == 413
            assert answer.pieces_read <= 2 * MB / PIECE + 1
            assert kept() == {}
            assert (await put(app, page, "f1", ana, MB, chunked=True)).status == 204

    with settings(import_max_mb=1):
        asyncio.run(check())


def test_one_limit_covers_all_pages_of_a_person() -> None:
    async def check() -> None:
        ana, amy = cookies_of("ana"), cookies_of("amy")
        async with serving_uploads() as app, page_of(app, amy) as hers:
            async with page_of(app, ana) as one, page_of(app, ana) as other:
                assert (await put(app, one, "f1", ana, 2 * MB)).status == 204
                assert (await put(app, other, "f1", ana, 1 * MB)).status == 204
                for chunked in (False, True):
                    answer = await put(app, other, "f2", ana, 2 * MB, chunked=chunked)
                    assert answer.status == 413
                    assert b"more than 3 MB together" in answer.body
                assert (await put(app, hers, "f1", amy, 2 * MB)).status == 204
                removed = await ask(app, "DELETE", f"{PREFIX}/{one}/f1", ana)
                assert removed.status == 204
                assert (await put(app, other, "f2", ana, 2 * MB)).status == 204
            for page in (one, other):
                get_instance()._session_mgr.close_session(page)  # as Streamlit does after a while
            assert kept() == {hers: [2 * MB]}
            async with page_of(app, ana) as third:
                assert (await put(app, third, "f1", ana, 3 * MB)).status == 204

    with settings(uploads_max_mb_per_person=3, import_max_mb=10):
        asyncio.run(check())


def test_one_limit_covers_all_people_together() -> None:
    async def check() -> None:
        ana, amy = cookies_of("ana"), cookies_of("amy")
        async with serving_uploads() as app, page_of(app, ana) as hers, page_of(app, amy) as other:
            assert (await put(app, hers, "f1", ana, 3 * MB)).status == 204
            answer = await put(app, other, "f1", amy, 3 * MB)
            assert (answer.status, answer.pieces_read) == (413, 0)
            assert b"Other people are uploading" in answer.body
            assert (await put(app, other, "f1", amy, 1 * MB)).status == 204

    with settings(uploads_max_mb_per_person=3, uploads_max_mb=4, import_max_mb=10):
        asyncio.run(check())


def test_uploads_in_progress_count_until_they_end() -> None:
    async def check() -> None:
        ana = cookies_of("ana")
        async with serving_uploads() as app, page_of(app, ana) as page:
            both = await asyncio.gather(*(put(app, page, f"f{n}", ana, 2 * MB) for n in range(2)))
            assert sorted(one.status for one in both) == [204, 413]
            assert kept() == {page: [2 * MB]}
            await ask(app, "DELETE", f"{PREFIX}/{page}/f0", ana)
            await ask(app, "DELETE", f"{PREFIX}/{page}/f1", ana)
            for _ in range(3):  # broken uploads no longer count
                pieces = list(form(2 * MB))[:3]
                headers = [*ana, FORM, ("content-length", str(2 * MB))]
                with pytest.raises(ClientDisconnect):
                    await ask(app, "PUT", f"{PREFIX}/{page}/f3", headers, pieces, breaks_off=True)
            assert (await put(app, page, "f4", ana, 2 * MB)).status == 204

    with settings(uploads_max_mb_per_person=2, import_max_mb=10):
        asyncio.run(check())


def test_the_number_of_empty_files_is_limited() -> None:
    async def check() -> None:
        ana = cookies_of("ana")
        async with serving_uploads() as app, page_of(app, ana) as page:
            room = 2 * MB // MIN_BYTES
            files = uploaded_files()
            (sent,) = [await put(app, page, "f", ana, 0)]
            assert sent.status == 204
            record = files.file_storage[page]["f"]
            files.file_storage[page].update({f"f{number}": record for number in range(room)})
            assert (await put(app, page, "g", ana, 0)).status == 413

    with settings(uploads_max_mb_per_person=1):
        asyncio.run(check())


def test_a_file_is_removed_if_its_page_closes_during_the_upload() -> None:
    async def check() -> None:
        ana = cookies_of("ana")
        async with serving_uploads() as app, page_of(app, ana) as page:
            pieces = list(form(MB))
            headers = [*ana, FORM]

            def closing() -> Iterator[bytes]:
                yield from pieces[:-1]
                get_instance()._session_mgr.close_session(page)
                yield pieces[-1]

            answer = await ask(app, "PUT", f"{PREFIX}/{page}/f1", headers, closing())
            assert answer.status == 204
            assert kept() == {page: []}

    asyncio.run(check())
