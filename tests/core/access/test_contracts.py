"""Contracts: admins name them and limit what one person may refund of them."""

from typing import Any

import pytest
from sqlalchemy import select

from core import access, storage
from core.access import Actor, ContractFacts
from core.access.contracts import MAX_LIMIT, ONE_PERSON
from core.ground import InvalidInput, NotFound, Refused, Role
from core.storage import AuditEvent, Contract
from tests.conftest import NOW
from tests.rows import make_actor, make_contract


@pytest.fixture
def chief(database: str) -> Actor:
    make_contract("CT-1", name="Helios")
    return make_actor(Role.ADMIN)


def change(actor: Actor, contract_id: str = "CT-1", **given: Any) -> None:
    values: dict[str, Any] = {"name": "Helios", "refund_limit_minor": None} | given
    access.change_contract(contract_id, actor=actor, now=NOW, **values)


def limit() -> int | None:
    with storage.reading() as session:
        return session.get_one(Contract, "CT-1").refund_limit_minor


def events() -> list[tuple[Any, Any]]:
    changed = select(AuditEvent).where(AuditEvent.action == "contract.changed")
    with storage.reading() as session:
        found = session.scalars(changed.order_by(AuditEvent.event_id))
        return [(one.before, one.after) for one in found]


@pytest.mark.both_databases
def test_a_change_is_stored_and_audited_with_the_limit_in_words(chief: Actor) -> None:
    change(chief, name="  Helios\t Air ", refund_limit_minor=12_345)
    assert access.get_contract("CT-1", actor=chief) == ContractFacts(
        "CT-1", "Helios Air", "EUR", 0, 12_345
    )
    assert events() == [
        (
            {"name": "Helios", "refund_limit": None},
            {"name": "Helios Air", "refund_limit": "123.45 EUR"},
        )
    ]


def test_what_changes_nothing_is_no_event(chief: Actor) -> None:
    change(chief)
    assert events() == []


@pytest.mark.parametrize("amount", [0, 1, MAX_LIMIT])
def test_a_limit_from_zero_to_the_largest_is_stored(chief: Actor, amount: int) -> None:
    change(chief, refund_limit_minor=amount)
    assert limit() == amount


@pytest.mark.parametrize("amount", [-1, MAX_LIMIT + 1, 10**30])
def test_another_limit_is_refused_in_words(chief: Actor, amount: int) -> None:
    with pytest.raises(InvalidInput, match=r"from 0 to 100,000,000,000.00 EUR\.$"):
        change(chief, refund_limit_minor=amount)
    assert limit() is None


@pytest.mark.parametrize("name", ["", " \t", "x" * 201])
def test_a_name_of_no_or_too_many_characters_is_refused(chief: Actor, name: str) -> None:
    with pytest.raises(InvalidInput, match="needs a name of 1 to 200 characters"):
        change(chief, name=name)


@pytest.mark.parametrize("name", ["=1+1", "<b>x</b>", "a\x00b", "\u202eabc", "\ud800", "王 İ 😀"])
@pytest.mark.both_databases
def test_any_text_is_a_name(chief: Actor, name: str) -> None:
    change(chief, name=name)
    stored = name.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    assert access.get_contract("CT-1", actor=chief).name == stored


@pytest.mark.parametrize("contract_id", ["CT-9", "", "\x00", "x" * 5_000, "\ud800"])
@pytest.mark.both_databases
def test_a_contract_that_is_not_there_is_a_sentence(chief: Actor, contract_id: str) -> None:
    with pytest.raises(NotFound, match="was not found"):
        change(chief, contract_id)
    with pytest.raises(NotFound, match="was not found"):
        access.get_contract(contract_id, actor=chief)


def test_the_one_user_of_local_mode_sets_no_limit_and_may_remove_one(
    chief: Actor, admin: Actor
) -> None:
    with pytest.raises(Refused) as refused:
        change(admin, refund_limit_minor=100)
    assert str(refused.value) == ONE_PERSON
    change(chief, refund_limit_minor=100)
    change(admin, name="Renamed", refund_limit_minor=100)  # which sets no new one
    with pytest.raises(Refused):
        change(admin, refund_limit_minor=200)
    assert limit() == 100
    change(admin)
    assert limit() is None
