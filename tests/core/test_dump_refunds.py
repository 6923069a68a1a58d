"""A dump contains refunds in every state, and an import restores them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from core import excel, refunds, storage
from core.access import Actor
from core.imports import import_files
from core.storage import Refund
from tests.conftest import NOW, use_database
from tests.core.books import check_books
from tests.core.refunds.refund_rows import AGENT, get_item, get_refund, settings
from tests.core.refunds.returned_money import A_DAY, make_every_kind, pay_back


def dump(path: Path, admin: Actor) -> list[list[tuple[Any, ...]]]:
    with path.open("wb") as file:
        excel.dump(file, actor=admin, now=NOW)
    return [list(sheet.values) for sheet in openpyxl.load_workbook(path)]


def facts_of_refunds() -> dict[str, tuple[Any, ...]]:
    """Return the facts of each refund that an import must restore, by order item."""
    with storage.reading() as session:
        return {
            one.order_item_id: (
                *(one.refund_id, one.status, one.attempt, one.gateway, one.settled_at),
                *(one.amount_minor, one.currency),
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
    before = facts_of_refunds()
    for item in able:
        pay_back(item, at=NOW + 5 * A_DAY)
        assert get_item(item).status == "refunded"
        attempts = before[item][2] if item in before else 0
        assert get_refund(item).attempt == attempts + 1  # the same row, where there is one
    check_books()
