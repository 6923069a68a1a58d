"""The routes under a token for one order, and what else a request may ask of the rows."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from core import access
from core.access import Actor
from core.access.actors import LOCAL_USER_ID
from core.access.tokens import Purpose
from core.ground import Role
from core.tables import ORDER_ITEMS
from core.views import parse_view, to_address
from tests.pages.routes.whole import BROWSER, COOKIE, Whole, whole_application
from tests.shop import make_shop

LOCAL = Actor(LOCAL_USER_ID, "analyst@local", Role.ADMIN, sees_all_contracts=True)
OF_TWO = {"order_id": {"filterType": "text", "type": "equals", "filter": "OD-TWO"}}
VIEWS: list[dict[str, Any]] = [
    {},
    {"filters": OF_TWO},
    {"search": "OD-TWO"},
    {"ids": ["OD-TWO", "OD-TWO-1", "TX-YEN"]},
    {"ids": ["OD-TWO"], "search": "blue"},
]


@pytest.fixture(scope="module")
def whole(make_database: Callable[[str], str]) -> Iterator[Whole]:
    """Run the application with the small shop."""
    make_shop(make_database("sqlite"))
    with whole_application() as whole:
        yield whole


@pytest.fixture
def client(whole: Whole) -> Iterator[httpx.Client]:
    """Ask the shop as a browser that has its cookie."""
    with whole.client(**{COOKIE: BROWSER}) as client:
        yield client


@pytest.fixture
def sees_one_contract(whole: Whole) -> Iterator[None]:
    """Let the local user see CT-1 alone, for the length of a test."""
    whole.execute("UPDATE users SET sees_all_contracts = false")
    whole.execute("INSERT INTO user_contracts (user_id, contract_id) VALUES ('local', 'CT-1')")
    yield
    whole.execute("DELETE FROM user_contracts")
    whole.execute("UPDATE users SET sees_all_contracts = true")


def sign(purpose: Purpose, table: str, order_id: str | None = None) -> str:
    return access.issue_token(purpose, table=table, actor=LOCAL, browser=BROWSER, order_id=order_id)


def ask(client: httpx.Client, table: str, of: str | None = None, **body: Any) -> httpx.Response:
    """Ask for rows, under a token of every order, or `of` one."""
    bearer = {"Authorization": f"Bearer {sign('rows', table, of)}"}
    return client.post(f"/rows/{table}", headers=bearer, json=body)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("table", ["order_items", "transactions"])
def test_token_of_one_order_gives_rows_of_that_order_alone(
    client: httpx.Client, table: str, view: dict[str, Any]
) -> None:
    answer = ask(client, table, "OD-ONE", view=view, start=0, end=100)
    assert answer.status_code == 200
    assert {row["order_id"] for row in answer.json()["rows"]} <= {"OD-ONE"}
    assert len(answer.json()["rows"]) == (0 if view else 2)
    count = ask(client, table, "OD-ONE", view=view, count=True)
    assert count.json() == {"count": 0 if view else 2}
    assert "OD-TWO" not in answer.text
    assert "JPY" not in answer.text


def test_lists_and_ticked_rows_of_one_order_are_its_own(client: httpx.Client) -> None:
    listed = ask(client, "order_items", "OD-ONE", view={}, choices="currency")
    assert listed.json()["choices"] == [["EUR", 2]]
    keys = ["OD-ONE-1", "OD-TWO-1"]
    ticked = ask(client, "order_items", "OD-ONE", view={}, keys=keys)
    assert [row["order_item_id"] for row in ticked.json()["rows"]] == ["OD-ONE-1"]


def test_view_cannot_name_another_order(client: httpx.Client) -> None:
    for name in ("order_id", "order"):
        answer = ask(client, "order_items", "OD-ONE", view={name: "OD-TWO"}, start=0, end=9)
        assert answer.status_code == 400
        body = {"view": {}, "start": 0, "end": 9, name: "OD-TWO"}
        assert ask(client, "order_items", "OD-ONE", **body).status_code == 400


def test_token_of_one_order_opens_no_list_of_orders(client: httpx.Client) -> None:
    answer = ask(client, "orders", "OD-ONE", view={}, start=0, end=9)
    assert "OD-TWO" not in answer.text


def test_rows_beside_an_order_are_those_of_the_view_that_the_user_may_see(
    client: httpx.Client,
) -> None:
    two = {"key": "OD-TWO", "shown": "OD-TWO"}
    one = {"key": "OD-ONE", "shown": "OD-ONE"}
    found = ask(client, "orders", view={}, beside="OD-ONE")
    assert found.json() == {"previous": two, "next": None}  # the newest is first
    sort = [{"colId": "created_at", "sort": "asc"}, {"colId": "order_id", "sort": "asc"}]
    turned = ask(client, "orders", view={"sort": sort}, beside="OD-ONE")
    assert turned.json() == {"previous": None, "next": two}
    assert ask(client, "orders", view={}, beside="OD-TWO").json()["next"] == one
    alone = ask(client, "orders", view={"keys": ["OD-ONE"]}, beside="OD-ONE")
    assert alone.json() == {"previous": None, "next": None}
    for bad in ("x\x00", "", 7, None, ["OD-ONE"]):
        assert ask(client, "orders", view={}, beside=bad).status_code == 400


@pytest.mark.usefixtures("sees_one_contract")
def test_no_row_is_beside_an_order_that_the_user_may_not_see(client: httpx.Client) -> None:
    for key in ("OD-ONE", "OD-TWO", "OD-NOWHERE"):
        answer = ask(client, "orders", view={}, beside=key)
        assert answer.json() == {"previous": None, "next": None}


def test_file_of_selected_rows_has_those_of_the_token_s_order_alone(client: httpx.Client) -> None:
    keys = ["OD-TWO-1", "OD-ONE-2", "OD-NOWHERE"]
    view = to_address(parse_view(ORDER_ITEMS, {"keys": keys, "columns": ["order_item_id"]}))
    asked = {"view": view, "form": "csv"}
    for of, expected in (("OD-ONE", ["OD-ONE-2"]), (None, ["OD-TWO-1", "OD-ONE-2"])):
        token = sign("export", "order_items", of)
        answer = client.get("/export/order_items", params=asked | {"token": token})
        assert sorted(answer.text.splitlines()[1:]) == sorted(expected)


def test_workbook_of_an_order_is_of_the_order_that_its_token_names(client: httpx.Client) -> None:
    token = sign("export", "order", "OD-ONE")
    asked = {"token": token, "order": "OD-TWO", "zone": "UTC"}
    assert client.get("/export/order", params=asked).content.startswith(b"PK")
    for bad in (
        {"zone": "UTC"},
        {"token": sign("export", "orders"), "zone": "UTC"},
        {"token": sign("rows", "order", "OD-ONE"), "zone": "UTC"},
        {"token": sign("export", "order", "OD-NOWHERE"), "zone": "UTC"},
        {"token": sign("export", "order"), "zone": "UTC"},
        {"token": token, "zone": "../../etc/passwd"},
    ):
        answer = client.get("/export/order", params=bad)
        assert answer.status_code in (400, 401, 403, 404)
        assert "OD-ONE" not in answer.text
        assert "Traceback" not in answer.text


@pytest.mark.usefixtures("sees_one_contract")
def test_order_that_the_user_may_no_longer_see_gives_nothing(client: httpx.Client) -> None:
    answer = ask(client, "order_items", "OD-TWO", view={}, start=0, end=9)
    assert answer.json()["rows"] == []
    token = sign("export", "order", "OD-TWO")
    refused = client.get("/export/order", params={"token": token, "zone": "UTC"})
    assert refused.status_code == 404
    assert "JPY" not in refused.text
    unknown = sign("export", "order", "OD-NOWHERE")
    absent = client.get("/export/order", params={"token": unknown, "zone": "UTC"})
    assert absent.text.replace("OD-NOWHERE", "OD-TWO") == refused.text


MANY = [str(number) for number in range(10_001)]


@pytest.mark.parametrize(
    "view",
    [
        {"search": "x\x00"},
        {"search": "\ud800"},
        {"search": ["x"]},
        {"search": "a b c d e f g h i"},
        {"search": "x" * 5_000},
        {"ids": MANY},
        {"ids": "OD-ONE"},
        {"ids": [1]},
        {"ids": [None]},
        {"ids": ["x\x00"]},
        {"ids": ["x" * 5_000]},
        {"keys": MANY},
        {"keys": "OD-ONE"},
        {"keys": [1]},
        {"keys": ["x\x00"]},
        {"columns": []},
        {"columns": "order_id"},
        {"columns": ["nope"]},
        {"columns": ["voucher_serial"]},
        {"columns": ["order_id", "order_id"]},
        {"columns": [{"colId": "order_id", "width": 0}]},
        {"columns": [{"colId": "order_id", "width": 10**9}]},
        {"columns": [{"colId": "order_id", "pinned": "top"}]},
        {"columns": [{"colId": "order_id", "sql": "x"}]},
        {"columns": ["order_id"] * 300},
        {"filters": {"price_minor": {"filterType": "number", "type": "equals", "filter": 1e300}}},
        {"filters": {"status": {"filterType": "set", "values": [[]]}}},
        {"filters": {"service_at": {"filterType": "date", "type": "equals", "dateFrom": "x"}}},
        {"filters": {"is_refundable": {"filterType": "set", "values": ["maybe"]}}},
    ],
    ids=lambda view: repr(view)[:60],
)
def test_view_that_makes_no_sense_is_refused(client: httpx.Client, view: dict[str, Any]) -> None:
    body = json.dumps({"view": view, "start": 0, "end": 9})  # httpx refuses half a character
    bearer = {"Authorization": f"Bearer {sign('rows', 'order_items')}"}
    answer = client.post("/rows/order_items", headers=bearer, content=body)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
    assert "OD-" not in answer.text


def test_ticked_rows_asked_for_in_a_way_that_makes_no_sense_are_refused(
    client: httpx.Client,
) -> None:
    for keys in (MANY, "OD-ONE-1", [1], ["x\x00"]):
        answer = ask(client, "order_items", view={}, keys=keys)
        assert answer.status_code == 400
