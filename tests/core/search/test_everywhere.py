"""The search over everything: what it finds, for whom, and how many."""

from datetime import timedelta

import pytest

from core import mail, query
from core.access import Actor
from core.ground import InvalidInput, Role
from core.search import Found, Hit, find_everywhere
from tests.conftest import NOW
from tests.rows import (
    CREATED,
    make_actor,
    make_contract,
    make_item,
    make_note,
    make_order,
    make_refund,
    make_transaction,
)

CODE = "7QXM22KD9WTA"


def kinds_of(text: str, actor: Actor) -> dict[str, Found]:
    return {one.kind: one for one in find_everywhere(text, actor=actor, now=NOW)}


def found(text: str, actor: Actor) -> list[tuple[str, str]]:
    return [(kind, hit.title) for kind, one in kinds_of(text, actor).items() for hit in one.hits]


def hits(text: str, actor: Actor) -> list[Hit]:
    return [hit for one in kinds_of(text, actor).values() for hit in one.hits]


def make_one_of_each(admin: Actor) -> None:
    make_order("OD-1", author="ana@helios.example")
    make_item("OD-1", order_item_id="IT-1", voucher_code=CODE, valid_until=NOW + timedelta(days=9))
    make_refund(make_item("OD-1"), no=77)
    make_transaction(no=78)
    mail.send(["IT-1"], ["zoe@mail.example"], message=None, key="k", actor=admin, now=NOW)


def test_orders_of_one_person_are_told_apart_by_their_day_and_their_items(
    sqlite_database: str, admin: Actor
) -> None:
    make_order("OD-1", author="ana@helios.example", item_count=1)
    later = CREATED + timedelta(days=1)
    make_order("OD-2", author="ana@helios.example", item_count=1_234, created_at=later)
    assert [hit.detail.split(" · ")[1:3] for hit in hits("ana@helios", admin)] == [
        [f"{later:%Y-%m-%d}", "1,234 items"],
        [f"{CREATED:%Y-%m-%d}", "1 item"],
    ]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("text", "kind", "title"),
    [
        ("od-1", "Orders", "OD-1"),
        ("ANA@helios", "Orders", "OD-1"),
        ("it-1", "Order Items", "IT-1"),
        (CODE.lower()[2:9], "Vouchers", CODE),
        ("müller zo", "Passengers", "Zoë Müller"),
        ("ZOE@mail", "E-mails", "zoe@mail.example"),
        ("r-77", "Refunds", "R-77"),
        ("T-78", "Transactions", "T-78"),
    ],
)
def test_a_part_of_each_kind_is_found(
    database: str, admin: Actor, text: str, kind: str, title: str
) -> None:
    make_one_of_each(admin)
    assert (kind, title) in found(text, admin)


def test_a_hit_leads_to_its_order_and_an_email_to_its_row(
    sqlite_database: str, admin: Actor
) -> None:
    make_one_of_each(admin)
    (item,) = kinds_of("IT-1", admin)["Order Items"].hits
    assert item.order_id == "OD-1"
    (email,) = hits("zoe@mail", admin)
    assert email.order_id is None
    assert email.view is not None
    assert len(email.view.ids) == 1


@pytest.mark.parametrize("text", ["", " ", "o", "OD", "王伟", "OD 王伟"])
def test_short_words_alone_are_not_searched(sqlite_database: str, admin: Actor, text: str) -> None:
    make_item(make_order("OD王伟"), passenger_name="王伟")
    assert found(text, admin) == []
    assert found("OD王伟", admin) != []


def test_at_most_five_of_a_kind_are_found_newest_first(sqlite_database: str, admin: Actor) -> None:
    for day in range(8):
        made = CREATED + timedelta(days=day)
        make_item(make_order(f"OD-{day}", created_at=made), created_at=made)
    assert [title for _, title in found("OD-", admin) if title.startswith("OD-")][:5] == [
        "OD-7",
        "OD-6",
        "OD-5",
        "OD-4",
        "OD-3",
    ]
    kinds = [kind for kind, _ in found("OD-", admin)]
    assert max(map(kinds.count, kinds)) == 5


def test_too_many_words_are_refused(sqlite_database: str, admin: Actor) -> None:
    with pytest.raises(InvalidInput, match="at most"):
        find_everywhere("word " * 100, actor=admin, now=NOW)


def scoped(found: list[Hit]) -> str:
    return " ".join(f"{hit.title} {hit.detail} {hit.order_id} {hit.match}" for hit in found)


@pytest.mark.both_databases
@pytest.mark.parametrize("text", ["theirs", "OD-THEIRS", "IT-THEIRS", "secret name", "@secret"])
def test_rows_of_other_contracts_are_not_found(database: str, admin: Actor, text: str) -> None:
    make_contract("CT-2")
    make_order("OD-THEIRS", contract_id="CT-2", author="theirs@secret.example")
    make_item(
        "OD-THEIRS", order_item_id="IT-THEIRS", contract_id="CT-2", passenger_name="Secret Name"
    )
    agent = make_actor(Role.AGENT, contracts=frozenset({"CT-1"}))
    assert scoped(hits(text, admin)) != ""
    assert find_everywhere(text, actor=agent, now=NOW) == []


def test_who_may_not_see_emails_finds_none(sqlite_database: str, admin: Actor) -> None:
    make_one_of_each(admin)
    viewer = make_actor(Role.VIEWER)
    kinds = {kind for kind, _ in found("IT-1", viewer)} | {
        kind for kind, _ in found("zoe@mail", viewer)
    }
    assert kinds == {"Order Items"}


@pytest.mark.both_databases
@pytest.mark.parametrize("rows", [4, 5, 6, 30])
@pytest.mark.parametrize(
    ("text", "kind"),
    [("OD-", "Orders"), ("-item", "Order Items"), ("OLD", "Vouchers"), ("dora", "Passengers")],
)
def test_the_total_of_a_kind_is_what_its_table_shows(
    database: str, admin: Actor, text: str, kind: str, rows: int
) -> None:
    for number in range(rows):
        item = {"order_item_id": f"{number}-item", "voucher_code": f"OLD-{number}"}
        make_item(make_order(f"OD-{number}"), **item, passenger_name=f"Dora {number}")
    make_item(make_order("other"), passenger_name="Somebody")
    one = kinds_of(text, admin)[kind]
    assert (one.total, len(one.hits)) == (rows, min(rows, 5))
    assert one.has_more is (rows > 5)
    assert query.count_rows(one.view, actor=admin, now=NOW) == rows


def test_a_total_is_counted_up_to_a_thousand(
    sqlite_database: str, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.search.everywhere.MAX_COUNTED", 7)
    for number in range(8):
        make_order(f"OD-{number}")
        totals = kinds_of("OD-", admin)["Orders"]
        assert totals.total == (number + 1 if number < 7 else None)
    assert totals.total_in_words == "more than 7"
    assert totals.has_more


@pytest.mark.parametrize("words", ["zoë müller", "müller zo", "müller zo aspire", "ller o ë mül"])
def test_the_words_of_a_passenger_may_come_in_any_order(
    sqlite_database: str, admin: Actor, words: str
) -> None:
    make_one_of_each(admin)
    make_item("OD-1", passenger_name="Zoë Schmidt")
    one = kinds_of(words, admin)["Passengers"]
    assert {hit.title for hit in one.hits} == {"Zoë Müller"}
    assert query.count_rows(one.view, actor=admin, now=NOW) == one.total


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("müller", "Passenger Zoë Müller"),
        ("müller zo", "Passenger Zoë Müller"),
        (CODE.lower()[2:9], f"Voucher Code {CODE}"),
        ("contact@", "Contact E-mail contact@mail.example"),
        ("helios-web", "Widget ID helios-web"),
        ("Gate closed", "Note The gate was closed at 11:40, and nobody was there."),
        (f"müller {CODE[:6]}", f"Passenger Zoë Müller · Voucher Code {CODE}"),
        ("od-1", ""),
        ("ana@helios", "Author ana@helios.example"),
    ],
)
def test_an_order_says_what_was_found_in_it(
    database: str, admin: Actor, text: str, match: str
) -> None:
    contact = {"contact_email": "contact@mail.example", "widget_id": "helios-web"}
    make_order("OD-1", author="ana@helios.example", **contact)
    make_item("OD-1", voucher_code=CODE, passenger_name="Zoë Müller")
    make_note("OD-1", text="The gate was closed at 11:40,\nand nobody was there.")
    (order,) = kinds_of(text, admin)["Orders"].hits
    assert order.match == match


def test_a_long_text_is_shown_around_what_was_found(sqlite_database: str, admin: Actor) -> None:
    make_order("OD-1")
    make_note("OD-1", text=f"{'before ' * 60}the needle{' after' * 60}")
    (order,) = kinds_of("needle", admin)["Orders"].hits
    assert "needle" in order.match
    assert order.match.startswith("Note …")
    assert order.match.endswith("…")
    assert len(order.match) < 100


def test_an_item_says_what_was_found_beside_its_title(sqlite_database: str, admin: Actor) -> None:
    make_item(make_order("OD-1"), order_item_id="IT-1", flight_number="BA117")
    (item,) = kinds_of("ba117", admin)["Order Items"].hits
    assert (item.title, item.match) == ("IT-1", "Flight No BA117")
    (item,) = kinds_of("it-1", admin)["Order Items"].hits
    assert item.match == ""
