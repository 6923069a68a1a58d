"""The search over everything: what it finds, for whom, and how many."""

from datetime import timedelta

import pytest

from core import mail
from core.access import Actor
from core.ground import InvalidInput, Role
from core.search import Hit, find_everywhere
from tests.conftest import NOW
from tests.rows import (
    CREATED,
    make_actor,
    make_contract,
    make_item,
    make_order,
    make_refund,
    make_transaction,
)

CODE = "7QXM22KD9WTA"


def found(text: str, actor: Actor) -> list[tuple[str, str]]:
    return [(hit.kind, hit.title) for hit in find_everywhere(text, actor=actor, now=NOW)]


def make_one_of_each(admin: Actor) -> None:
    make_order("OD-1", author="ana@helios.example")
    make_item("OD-1", order_item_id="IT-1", voucher_code=CODE, valid_until=NOW + timedelta(days=9))
    make_refund(make_item("OD-1"), no=77)
    make_transaction(no=78)
    mail.send(["IT-1"], ["zoe@mail.example"], message=None, key="k", actor=admin, now=NOW)


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
    hits = {hit.kind: hit for hit in find_everywhere("IT-1", actor=admin, now=NOW)}
    assert hits["Order Items"].order_id == "OD-1"
    (email,) = find_everywhere("zoe@mail", actor=admin, now=NOW)
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


def scoped(hits: list[Hit]) -> str:
    return " ".join(f"{hit.title} {hit.detail} {hit.order_id}" for hit in hits)


@pytest.mark.both_databases
@pytest.mark.parametrize("text", ["theirs", "OD-THEIRS", "IT-THEIRS", "secret name", "@secret"])
def test_rows_of_other_contracts_are_not_found(database: str, admin: Actor, text: str) -> None:
    make_contract("CT-2")
    make_order("OD-THEIRS", contract_id="CT-2", author="theirs@secret.example")
    make_item(
        "OD-THEIRS", order_item_id="IT-THEIRS", contract_id="CT-2", passenger_name="Secret Name"
    )
    agent = make_actor(Role.AGENT, contracts=frozenset({"CT-1"}))
    assert scoped(find_everywhere(text, actor=admin, now=NOW)) != ""
    assert find_everywhere(text, actor=agent, now=NOW) == []


def test_who_may_not_see_emails_finds_none(sqlite_database: str, admin: Actor) -> None:
    make_one_of_each(admin)
    viewer = make_actor(Role.VIEWER)
    kinds = {kind for kind, _ in found("IT-1", viewer)} | {
        kind for kind, _ in found("zoe@mail", viewer)
    }
    assert kinds == {"Order Items"}
