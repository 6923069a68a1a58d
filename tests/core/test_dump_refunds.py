"""A dump contains refunds in every state, and an import restores them."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from core import excel, notes, refunds, storage
from core.access import Actor
from core.imports import import_files
from core.notes import FollowUp
from core.storage import Refund
from tests.conftest import NOW, use_database
from tests.core.books import check_books
from tests.core.random_rows import SCRIPTS
from tests.core.refunds.random_refunds import ITEMS, act_at_random, finish, sell
from tests.core.refunds.refund_rows import AGENT, get_item, get_refund, settings
from tests.core.refunds.returned_money import A_DAY, make_every_kind, pay_back
from tests.effort import some


def dump(path: Path, admin: Actor) -> list[list[tuple[Any, ...]]]:
    with path.open("wb") as file:
        excel.dump(file, actor=admin, now=NOW)
    return [list(sheet.values) for sheet in openpyxl.load_workbook(path)]


def facts_of_refunds() -> dict[str, tuple[Any, ...]]:
    """Return the facts of each refund that an import must restore, by its ID."""
    with storage.reading() as session:
        return {
            one.refund_id: (
                *(one.status, one.no, one.order_item_id, one.attempt, one.gateway),
                *(one.amount_minor, one.currency, one.reason, one.note, one.requested_by),
                *(one.requested_at, one.settled_at, one.failure, one.external_reference),
                *(one.decided_by, one.decided_at),
                # For a paid refund it has no meaning any more.
                one.failed_after_success_at if one.status == "failed" else None,
            )
            for one in session.scalars(select(Refund))
        }


@pytest.mark.both_databases
def test_every_fate_of_a_refund_comes_back_from_a_dump(
    make_database: Callable[[str], str], database: str, admin: Actor, tmp_path: Path
) -> None:
    items = make_every_kind()
    check_books()
    first, facts = dump(tmp_path / "first.xlsx", admin), facts_of_refunds()
    assert len(facts) == len(items) - 1
    use_database(make_database("sqlite" if database.startswith("sqlite") else "postgresql"))
    import_files([tmp_path / "first.xlsx"], actor=admin, now=NOW)
    check_books()
    assert facts_of_refunds() == facts
    assert dump(tmp_path / "second.xlsx", admin) == first
    again = import_files([tmp_path / "first.xlsx"], actor=admin, now=NOW)
    assert (again.added, again.kept, again.returned) == ({}, [], [])


@pytest.mark.both_databases
@pytest.mark.parametrize("seed", range(some(2, 30)))
def test_a_dump_of_random_refunds_and_notes_is_equal_after_its_import(
    make_database: Callable[[str], str], database: str, admin: Actor, tmp_path: Path, seed: int
) -> None:
    drawn, items = random.Random(seed), sell()
    now = act_at_random(drawn, items, 4 * ITEMS)
    _write_notes(drawn, admin)
    finish(items, now)
    check_books()
    first, facts = dump(tmp_path / "first.xlsx", admin), facts_of_refunds()
    assert facts
    with settings(refund_reasons="other=Something else"):  # here, these codes have no words
        use_database(make_database("sqlite" if database.startswith("sqlite") else "postgresql"))
        import_files([tmp_path / "first.xlsx"], actor=admin, now=now)
        check_books()
        assert facts_of_refunds() == facts
        assert dump(tmp_path / "second.xlsx", admin) == first
        again = import_files([tmp_path / "first.xlsx"], actor=admin, now=now)
    assert (again.added, again.kept, again.returned) == ({}, [], [])
    assert again.unchanged["refunds"] == len(facts)


def _write_notes(drawn: random.Random, admin: Actor) -> None:
    given: dict[str, Any] = {"zone": "UTC", "actor": admin}
    for number in range(12):
        at, follow_up = NOW + number * A_DAY, FollowUp((NOW + 90 * A_DAY).date(), admin.email)
        words = drawn.choice([*SCRIPTS, "=1+1", "#N/A\n<b>two</b>"])
        follow_up_or_none = drawn.choice([follow_up, None])
        order = f"OD-{drawn.randrange(ITEMS)}"
        note = notes.add_note(
            order, words, key=f"{number}", now=at, follow_up=follow_up_or_none, **given
        )
        match drawn.choice(["keep", "withdraw", "close"]):
            case "withdraw":
                notes.withdraw_note(note, actor=admin, now=at)
            case "close" if follow_up_or_none:
                notes.close_follow_up(note, actor=admin, now=at)


def test_what_came_back_can_be_refunded_again_after_an_import_and_what_was_paid_cannot(
    make_database: Callable[[str], str], database: str, admin: Actor, tmp_path: Path
) -> None:
    items = make_every_kind()
    dump(tmp_path / "dump.xlsx", admin)
    use_database(make_database("sqlite" if database.startswith("sqlite") else "postgresql"))
    import_files([tmp_path / "dump.xlsx"], actor=admin, now=NOW)
    with settings(stripe_api_key="sk_test_x"):
        assessment = refunds.assess(list(items.values()), actor=AGENT, now=NOW)
    able = {item.order_item_id for item in assessment.refundable}
    open_kinds = ("not refunded", "returned", "returned, then failed", "returned twice")
    assert able == {items[kind] for kind in (*open_kinds, "returned, given back")}
    attempts_before = {fact[2]: fact[3] for fact in facts_of_refunds().values()}
    for item in able:
        pay_back(item, at=NOW + 5 * A_DAY)
        assert get_item(item).status == "refunded"
        attempts = attempts_before.get(item, 0)
        assert get_refund(item).attempt == attempts + 1  # the same row, where there is one
    check_books()
