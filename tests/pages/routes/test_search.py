"""POST /search: the groups of hits as the page's script draws them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from core import query, views
from core.access import Actor
from core.access.actors import LOCAL_USER_ID
from core.ground import Role
from core.tables import TABLES
from tests.conftest import use_database
from tests.pages.routes.test_routes import sign
from tests.pages.routes.whole import BROWSER, COOKIE, Whole, whole_application
from tests.rows import make_item, make_order

LOCAL = Actor(LOCAL_USER_ID, "analyst@local", Role.ADMIN, sees_all_contracts=True)


@pytest.fixture(scope="module")
def whole(make_database: Callable[[str], str]) -> Iterator[Whole]:
    """Run the application with seven orders of one passenger, and one of another."""
    use_database(make_database("sqlite"))
    for number in range(7):
        make_item(make_order(f"OD-{number}"), passenger_name="Dora Many")
    make_item(make_order("OD-x"), passenger_name="Ali\u202eOnce")
    with whole_application() as whole:
        yield whole


@pytest.fixture
def client(whole: Whole) -> Iterator[httpx.Client]:
    """Ask as a browser that has its cookie."""
    with whole.client(**{COOKIE: BROWSER}) as client:
        yield client


def search(client: httpx.Client, text: str) -> dict[str, dict[str, Any]]:
    """Return the groups by kind."""
    headers = {"Authorization": f"Bearer {sign('search')}"}
    groups = client.post("/search", json={"text": text}, headers=headers).json()["groups"]
    return {one["kind"]: one for one in groups}


@pytest.mark.parametrize("kind", ["Orders", "Passengers"])
def test_the_last_hit_of_a_kind_opens_all_of_its_rows(client: httpx.Client, kind: str) -> None:
    one = search(client, "dora")[kind]
    table = "Orders" if kind == "Orders" else "Order Items"
    assert one["count"] == "5 of 7"
    assert len(one["hits"]) == 6
    last = one["hits"][-1]
    assert last["title"] == f"All 7 in {table}"
    address = urlsplit(last["address"])
    of = TABLES[address.path.removeprefix("/")]
    view = views.opened_at(of, dict(parse_qsl(address.query)), actor=LOCAL, zone="UTC").view
    assert of.title == table
    assert query.count_rows(view, actor=LOCAL, now=datetime.now(UTC)) == 7


def test_a_kind_whose_hits_are_all_shown_has_no_such_hit(client: httpx.Client) -> None:
    orders = search(client, "once")["Orders"]
    assert orders["count"] == "1"
    assert [hit["title"] for hit in orders["hits"]] == ["OD-x"]


def test_what_was_found_shows_the_characters_that_turn_a_text(client: httpx.Client) -> None:
    (order,) = search(client, "once")["Orders"]["hits"]
    assert order["match"].startswith("Passenger Ali")
    assert "\u202e" not in order["match"]
