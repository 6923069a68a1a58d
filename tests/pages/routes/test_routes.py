"""The routes that give a page its rows and files: whom they answer, and how they refuse."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from core import access, mail, storage
from core.access import Actor
from core.access.actors import LOCAL_USER_ID
from core.access.tokens import Purpose
from core.ground import Role
from core.storage import Delivery, Order
from core.tables import ORDER_ITEMS, ORDERS, TABLES
from core.views import default_view, parse_view, to_address
from pages.guards.one_host import NOT_ONE
from pages.guards.security_headers import PAGE_POLICY
from pages.routes import EVERYWHERE
from tests.conftest import use_database
from tests.pages.guards.asgi import HOST, Headers, Socket
from tests.pages.routes.whole import BROWSER, COOKIE, URL, Whole, whole_application
from tests.rows import make_item, make_order

AUTHOR = "only.author@secret.example"
ITEM = "ITEM-1"
RECIPIENT = "zoe@mail.example"
SOON = datetime.now(UTC) + timedelta(days=3)
WINDOW: dict[str, Any] = {"view": {}, "start": 0, "end": 50}
LOCAL = Actor(LOCAL_USER_ID, "analyst@local", Role.ADMIN, sees_all_contracts=True)


@pytest.fixture(scope="module")
def whole(make_database: Callable[[str], str]) -> Iterator[Whole]:
    """Run the application with one order."""
    use_database(make_database("sqlite"))
    make_item(make_order(author=AUTHOR), order_item_id=ITEM, valid_until=SOON)
    now = datetime.now(UTC)
    mail.send([ITEM], [RECIPIENT], message=None, key="k", actor=LOCAL, now=now)
    with whole_application() as whole:
        yield whole


@pytest.fixture
def client(whole: Whole) -> Iterator[httpx.Client]:
    """Ask as a browser that has its cookie."""
    with whole.client(**{COOKIE: BROWSER}) as client:
        yield client


@pytest.fixture
def inactive(whole: Whole) -> Iterator[None]:
    """Deactivate the local user for the length of a test."""
    whole.execute("UPDATE users SET is_active = false")
    yield
    whole.execute("UPDATE users SET is_active = true")


def table_of(purpose: Purpose) -> str:
    """Return the table that a purpose is asked of in these tests."""
    tables = {"vouchers": "order_items", "messages": "emails", "search": EVERYWHERE}
    return tables.get(purpose, "orders")


def sign(purpose: Purpose, *, table: str = "", browser: str = BROWSER, actor: Actor = LOCAL) -> str:
    """Sign a token as the page does."""
    table = table or table_of(purpose)
    return access.issue_token(purpose, table=table, actor=actor, browser=browser)


def sign_long_ago(purpose: Purpose) -> str:
    """Sign a token that is older than tokens live."""
    then = time.time() - access.TOKEN_LIFE_SECONDS - 60
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: then)
        return sign(purpose)


def ask_rows(client: httpx.Client, token: str | None, **more: Any) -> httpx.Response:
    """Ask for rows."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return client.post("/rows/orders", **({"json": WINDOW} | more), headers=headers)


def ask_file(client: httpx.Client, token: str | None, **more: Any) -> httpx.Response:
    """Ask for the Excel file."""
    return client.get("/export/orders", params={} if token is None else {"token": token}, **more)


def ask_vouchers(client: httpx.Client, token: str | None, **more: Any) -> httpx.Response:
    """Ask for the voucher of the one item."""
    view = to_address(default_view(ORDER_ITEMS).with_ids((ITEM,)))
    parameters = {"view": view} if token is None else {"view": view, "token": token}
    return client.get("/vouchers", params=parameters, **more)


def ask_message(client: httpx.Client, token: str | None, **more: Any) -> httpx.Response:
    """Ask for the one e-mail as a file."""
    with storage.reading() as session:
        delivery_id = session.scalars(select(Delivery.delivery_id)).one()
    parameters = {} if token is None else {"token": token}
    return client.get(f"/messages/{delivery_id}", params=parameters, **more)


def ask_search(client: httpx.Client, token: str | None, **more: Any) -> httpx.Response:
    """Search for the author of the one order."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return client.post("/search", **({"json": {"text": AUTHOR}} | more), headers=headers)


ASK: dict[Purpose, Callable[..., httpx.Response]] = {
    "rows": ask_rows,
    "search": ask_search,
    "export": ask_file,
    "vouchers": ask_vouchers,
    "messages": ask_message,
}
STARTS = {"export": b"PK", "vouchers": b"%PDF", "messages": b'From: "Order Desk" '}
PURPOSES = list(ASK)
OF_SCRIPTS = ("rows", "search")
BAD_TOKENS: dict[str, Callable[[Purpose], str | None]] = {
    "absent": lambda _purpose: None,
    "forged": lambda purpose: sign(purpose)[:-4] + "AAAA",
    "not a token": lambda _purpose: "é\u2028 {}",
    "too old": sign_long_ago,
    "of another purpose": lambda purpose: sign(
        "export" if purpose == "rows" else "rows", table=table_of(purpose)
    ),
    "of another table": lambda purpose: sign(purpose, table="transactions"),
    "of another user": lambda purpose: sign(purpose, actor=replace(LOCAL, user_id="somebody")),
    "of a sign-in": lambda purpose: sign(purpose, actor=replace(LOCAL, sign_in_id="x")),
    "of another browser": lambda purpose: sign(purpose, browser="another"),
    "of no browser": lambda purpose: sign(purpose, browser=""),
}


def assert_refused(answer: httpx.Response, purpose: Purpose) -> None:
    """Check that an answer is a refusal without a row."""
    assert answer.status_code in (401, 403)
    assert AUTHOR.encode() not in answer.content
    kind = "application/json" if purpose in OF_SCRIPTS else "text/html"
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("purpose", PURPOSES)
def test_right_token_with_its_browser_is_answered(client: httpx.Client, purpose: Purpose) -> None:
    answer = ASK[purpose](client, sign(purpose))
    assert answer.status_code == 200
    if purpose == "rows":
        assert [row["author"] for row in answer.json()["rows"]] == [AUTHOR]
    elif purpose == "search":
        (group,) = answer.json()["groups"]
        (hit,) = group["hits"]
        assert AUTHOR in hit["detail"]
        assert hit["address"] == f"/order?order={hit['title']}"
    else:
        assert answer.content.startswith(STARTS[purpose])


@pytest.mark.parametrize("fault", BAD_TOKENS)
@pytest.mark.parametrize("purpose", PURPOSES)
def test_wrong_token_gets_no_row(client: httpx.Client, purpose: Purpose, fault: str) -> None:
    token = BAD_TOKENS[fault](purpose)
    if purpose in OF_SCRIPTS and token and not token.isascii():
        token = "%C3%A9 {}"  # a header holds ASCII
    assert_refused(ASK[purpose](client, token), purpose)


# Whom the log names: a token that we have not signed proves nothing.
NAMED = {
    "too old": LOCAL_USER_ID,
    "of another table": LOCAL_USER_ID,
    "of another user": "somebody",
    "of a sign-in": LOCAL_USER_ID,
    "of another browser": LOCAL_USER_ID,
    "of no browser": LOCAL_USER_ID,
}


@pytest.mark.parametrize("fault", BAD_TOKENS)
def test_refused_token_is_logged_with_whose_it_is_and_where_it_comes_from(
    client: httpx.Client, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    token = BAD_TOKENS[fault]("export")
    ask_file(client, token)
    (said,) = [one.getMessage() for one in caplog.records if " refused, " in one.getMessage()]
    named = f" for user {NAMED[fault]}" if fault in NAMED else ""
    assert said.startswith(f"GET /export/orders refused, from 127.0.0.1{named}: ")
    assert not token or token not in said


@pytest.mark.parametrize("purpose", PURPOSES)
def test_token_without_the_cookie_gets_no_row(whole: Whole, purpose: Purpose) -> None:
    for browser in (BROWSER, ""):
        with whole.client() as stranger:
            assert_refused(ASK[purpose](stranger, sign(purpose, browser=browser)), purpose)


@pytest.mark.usefixtures("inactive")
@pytest.mark.parametrize("purpose", PURPOSES)
def test_token_of_a_deactivated_user_gets_no_row(client: httpx.Client, purpose: Purpose) -> None:
    assert_refused(ASK[purpose](client, sign(purpose)), purpose)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8501"},
        {"Host": "localhost.evil.example"},
        {"Host": "192.168.0.10:8501"},
        {"X-Forwarded-For": "203.0.113.7"},
        {"X-Forwarded-Host": "localhost"},
        {"Forwarded": "for=203.0.113.7"},
        {"X-Real-IP": "203.0.113.7"},
        {"Via": "1.1 proxy"},
    ],
)
def test_request_from_elsewhere_is_refused_on_every_path(
    client: httpx.Client, headers: dict[str, str]
) -> None:
    file = f"/export/orders?token={sign('export')}"
    answers = [
        client.get(path, headers=headers)
        for path in ("/", "/orders", "/readyz", "/_stcore/health", file)
    ]
    bearer = headers | {"Authorization": f"Bearer {sign('rows')}"}
    answers.append(client.post("/rows/orders", json=WINDOW, headers=bearer))
    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert all(AUTHOR.encode() not in answer.content for answer in answers)


@pytest.mark.parametrize(
    ("headers", "is_accepted"),
    [
        ([], True),
        ([("host", "evil.example")], False),
        ([("x-forwarded-for", "203.0.113.7")], False),
        ([("origin", "http://evil.example")], False),
    ],
)
def test_page_connection_from_elsewhere_is_refused(
    whole: Whole, headers: Headers, is_accepted: bool
) -> None:
    async def connect() -> bool:
        named = {name for name, _ in headers}
        own = [(name, of) for name, of in (("host", HOST), ("origin", URL)) if name not in named]
        socket = Socket(whole.app, [*own, *headers])
        accepted = await socket.is_accepted()
        await socket.close()
        return accepted

    assert whole.runner.run(connect()) == is_accepted


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/rows/orders", "/_stcore/upload_file/x/y", "/orders", "/x"])
def test_whatever_another_page_writes_to_is_refused(
    client: httpx.Client, method: str, path: str
) -> None:
    foreign = {"Origin": "http://localhost:1"}
    answer = client.request(method, path, headers=foreign, content=b"x")
    assert (answer.status_code, list(answer.json())) == (403, ["error"])
    own = client.request(method, path, headers={"Origin": URL}, content=b"x")
    assert own.status_code != 403


TEXT = {"filterType": "text", "type": "contains", "filter": "x"}


@pytest.mark.parametrize(
    "body",
    [
        {"view": {"filters": {"nope": TEXT}}, "start": 0, "end": 50},
        {"view": {"filters": {"author_folded": TEXT}}, "start": 0, "end": 50},
        {"view": {"filters": {"author": TEXT | {"type": "regexp"}}}, "start": 0, "end": 50},
        {"view": {"filters": {"item_count": TEXT}}, "start": 0, "end": 50},
        {"view": {"filters": {"author": TEXT | {"filter": 5}}}, "start": 0, "end": 50},
        {"view": {"filters": {"author": TEXT | {"filter": "x\x00"}}}, "start": 0, "end": 50},
        {"view": {"filters": [TEXT]}, "start": 0, "end": 50},
        {"view": {"sort": [{"colId": "nope", "sort": "asc"}]}, "start": 0, "end": 50},
        {"view": {"sort": [{"colId": "author_folded", "sort": "asc"}]}, "start": 0, "end": 50},
        {"view": {"sort": [{"colId": "no", "sort": "up"}]}, "start": 0, "end": 50},
        {"view": {"zone": "../../etc/passwd"}, "start": 0, "end": 50},
        {"view": {}, "start": -1, "end": 50},
        {"view": {}, "start": 0, "end": 1_000_000},
        {"view": {}, "start": 0, "end": 2**70},
        {"view": {}, "start": "0", "end": 50},
        {"view": {}, "choices": "order_id"},
        {"view": {}, "choices": "nope"},
        {"view": {}, "choices": "author", "search": "x\x00"},
        {"view": {}},
        {"view": {}, "start": 0, "end": 50, "sql": "SELECT 1"},
        {},
        [],
        None,
    ],
)
def test_request_that_makes_no_sense_is_refused_in_a_sentence(
    client: httpx.Client, body: Any
) -> None:
    assert_sentence(ask_rows(client, sign("rows"), json=body))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b'{"view":',
        b"[" * 100_000,
        b'{"view": {}, "start": 0, "end": 50, "search": "' + b"x" * 4_100_000 + b'"}',
        b'{"view": {}, "start": NaN, "end": 50}',
        b'{"view": {}, "choices": "author", "search": "\\ud800"}',
    ],
    ids=["empty", "words", "bytes", "half", "deep", "4 MB", "NaN", "surrogate"],
)
def test_body_that_is_no_request_is_refused_in_a_sentence(
    client: httpx.Client, content: bytes
) -> None:
    assert_sentence(ask_rows(client, sign("rows"), content=content, json=None))


def assert_sentence(answer: httpx.Response) -> None:
    """Check that an answer says in a sentence what is wrong, without a row or internals."""
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}
    sentence = answer.json()["error"]
    assert sentence[0].isupper() or sentence[0] == "“"
    assert sentence.endswith(".")
    assert AUTHOR not in answer.text
    assert "Traceback" not in answer.text


OWN_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def test_answers_of_own_routes_can_do_nothing_and_tell_nobody_their_address(
    client: httpx.Client,
) -> None:
    answers = [
        ask_rows(client, sign("rows")),
        ask_rows(client, None),
        ask_file(client, sign("export")),
        ask_file(client, None),
        client.get("/vouchers"),
        client.get("/messages/none"),
        client.get("/readyz"),
        client.get("/", headers={"Host": "evil.example"}),
    ]
    for answer in answers:
        assert answer.headers["content-security-policy"].startswith(OWN_POLICY)
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_pages_are_framed_by_nobody_else_and_keep_their_address_to_themselves(
    client: httpx.Client,
) -> None:
    for path in ("/", "/orders", "/static/index.js", "/_stcore/health", "/app/static/logo.svg"):
        headers = client.get(path, headers={"Accept": "text/html"}).headers
        assert headers["content-security-policy"] == PAGE_POLICY, path
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert headers["x-content-type-options"] == "nosniff"
        assert "strict-transport-security" not in headers  # only over HTTPS


def test_the_rows_come_as_csv_with_the_same_token_and_view(client: httpx.Client) -> None:
    token = sign("export")
    view = to_address(parse_view(ORDERS, {"columns": ["author", "order_id"]}))
    asked = {"token": token, "view": view, "form": "csv"}
    answer = client.get("/export/orders", params=asked)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert re.search(r'filename="orders-[\d-]+\.csv"', answer.headers["content-disposition"])
    assert answer.headers["content-length"] == str(len(answer.content))
    header, _row, end = answer.content.decode("utf-8-sig").split("\r\n")
    assert (header, end) == ("Author,Order ID", "")
    every = client.get("/export/orders", params=asked | {"columns": "all"}).content
    assert every.decode("utf-8-sig").startswith("Author,Order ID,No,")
    assert client.get("/export/orders", params={"form": "csv"}).status_code == 401
    wrong = client.get("/export/orders", params=asked | {"form": "pdf"})
    assert (wrong.status_code, "not a kind of file" in wrong.text) == (400, True)


def test_a_list_of_contract_ids_has_their_names(whole: Whole, client: httpx.Client) -> None:
    question = {"view": {}, "choices": "contract_id"}

    def listed() -> object:
        return ask_rows(client, sign("rows"), json=question).json()["choices"]

    assert listed() == [["CT-1", 1]]  # its name is its ID
    whole.execute("UPDATE contracts SET name = '<b>“é”</b> %_'")
    assert listed() == [["CT-1", 1, "CT-1 · <b>“é”</b> %_"]]
    whole.execute("UPDATE contracts SET name = contract_id")


def test_request_with_two_hosts_is_refused_on_every_path(client: httpx.Client) -> None:
    two = [("Host", "localhost:8501"), ("Host", "evil.example")]
    for path in ("/", "/orders", "/readyz", "/_stcore/health", "/export/orders", "/static/x.js"):
        answer = client.get(path, headers=two)
        assert (answer.status_code, answer.json()) == (400, {"error": NOT_ONE})


def test_unknown_table_is_not_found(client: httpx.Client) -> None:
    rows = {"Authorization": f"Bearer {sign('rows', table='nothing')}"}
    answer = client.post("/rows/nothing", json=WINDOW, headers=rows)
    assert answer.status_code == 404
    assert client.get(f"/export/nothing?token={sign('export', table='nothing')}").status_code == 404


# Every role against every route.

EVERYONE, ADMINS = set(Role), {Role.ADMIN}
SEEN: dict[str, set[Role]] = {
    "orders": EVERYONE,
    "order_items": EVERYONE,
    "transactions": {Role.ACCOUNTANT, Role.ADMIN},
    "notes": EVERYONE,
    "emails": {Role.AGENT, Role.ADMIN},
    "refunds": EVERYONE,
    "users": ADMINS,
    "contracts": ADMINS,
    "audit_trail": ADMINS,
}


@pytest.fixture(params=Role)
def role(whole: Whole, request: pytest.FixtureRequest) -> Iterator[Role]:
    """Give the local user a role for the length of a test; its tokens say nothing of it."""
    whole.execute(f"UPDATE users SET role = '{request.param}'")
    yield request.param
    whole.execute("UPDATE users SET role = 'admin'")


def assert_answered(answer: httpx.Response, *, is_allowed: bool) -> None:
    """Check that a route answers or refuses by role, in a sentence and without a row."""
    if is_allowed:
        assert answer.status_code == 200
        return
    assert answer.status_code == 403
    assert "Your role, " in answer.text
    assert AUTHOR not in answer.text
    assert ITEM not in answer.text


def test_the_routes_of_rows_know_every_table() -> None:
    assert SEEN.keys() == TABLES.keys()


@pytest.mark.parametrize("table", SEEN)
def test_every_role_gets_the_rows_and_files_of_its_tables(
    client: httpx.Client, role: Role, table: str
) -> None:
    bearer = {"Authorization": f"Bearer {sign('rows', table=table)}"}
    choices = {"view": {}, "choices": next(c.name for c in TABLES[table].columns if c.has_choices)}
    is_allowed = role in SEEN[table]
    for body in (WINDOW, {"view": {}, "count": True}, choices, {"view": {}, "keys": ["x"]}):
        answer = client.post(f"/rows/{table}", json=body, headers=bearer)
        assert_answered(answer, is_allowed=is_allowed)
    token = sign("export", table=table)
    for more in ("", "&columns=all", "&form=csv", "&form=csv&columns=all"):
        file = client.get(f"/export/{table}?token={token}{more}")
        assert_answered(file, is_allowed=is_allowed)


@pytest.mark.parametrize("table", ["order_items", "transactions", "audit_trail"])
def test_every_role_gets_the_tabs_of_an_order(client: httpx.Client, role: Role, table: str) -> None:
    with storage.reading() as session:
        order = session.scalars(select(Order.order_id)).one()

    def sign_of_order(purpose: Purpose, table: str) -> str:
        return access.issue_token(
            purpose, table=table, order_id=order, actor=LOCAL, browser=BROWSER
        )

    bearer = {"Authorization": f"Bearer {sign_of_order('rows', table)}"}
    rows = client.post(f"/rows/{table}", json=WINDOW, headers=bearer)
    assert_answered(rows, is_allowed=True)
    for name in (table, "order"):
        file = client.get(f"/export/{name}?token={sign_of_order('export', name)}")
        assert_answered(file, is_allowed=True)


def test_vouchers_go_to_those_who_hand_them_out(client: httpx.Client, role: Role) -> None:
    answer = ask_vouchers(client, sign("vouchers"))
    assert_answered(answer, is_allowed=role in (Role.AGENT, Role.ADMIN))


def test_messages_go_to_those_who_handle_emails(client: httpx.Client, role: Role) -> None:
    answer = ask_message(client, sign("messages"))
    assert_answered(answer, is_allowed=role in (Role.AGENT, Role.ADMIN))


def test_a_head_of_a_file_that_is_audited_is_not_allowed(client: httpx.Client) -> None:
    for path in ("/vouchers", "/messages/x"):
        assert client.head(path).status_code == 405


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"text": 1}', b'"text"', b"[" * 5_000, b'{"text": "\\ud800"}']
)
def test_search_refuses_what_is_no_text(client: httpx.Client, body: bytes) -> None:
    token = sign("search")
    answer = client.post("/search", content=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]


def test_search_refuses_a_long_body(client: httpx.Client) -> None:
    headers = {"Authorization": f"Bearer {sign('search')}"}
    long = client.post("/search", json={"text": "x" * 20_000}, headers=headers)
    assert (long.status_code, long.json()["error"]) == (400, "The search is too long.")
