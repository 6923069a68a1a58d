"""The sums of refunds per currency and reason: rows, ledger, Excel file and Overview agree."""

import io
import random
from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import Select, func, select

from core import excel, overview, storage
from core.access import Actor
from core.ground import TransactionStatus, decimals_of
from core.overview import Period, Question
from core.storage import Refund, Transaction
from core.tables import REFUNDS
from core.views import parse_view
from tests.conftest import NOW
from tests.core.books import check_books
from tests.core.read_back import open_book, rows_of_sheet
from tests.core.refunds.random_refunds import CONTRACTS, ITEMS, act_at_random, sell
from tests.core.refunds.refund_rows import request
from tests.core.refunds.returned_money import EVERYWHERE
from tests.effort import some

Sums = Counter[tuple[str, str]]  # minor units by currency and reason


def _of_rows() -> Sums:
    paid = select(Refund.currency, Refund.reason, func.sum(Refund.amount_minor))
    paid = paid.where(Refund.status == "succeeded").group_by(Refund.currency, Refund.reason)
    return _added_up(paid)


def _of_ledger() -> Sums:
    """Add up the refunds and what takes them back."""
    sums = select(Refund.currency, Refund.reason, func.sum(Transaction.amount_minor))
    sums = sums.join(Refund, Refund.refund_id == Transaction.refund_id)
    sums = sums.where(Transaction.status == TransactionStatus.SUCCEEDED)
    sums = sums.group_by(Refund.currency, Refund.reason)
    return _added_up(sums)


def _added_up(sums: Select[str, str, int]) -> Sums:
    with storage.reading() as session:
        rows = session.execute(sums).all()
    return Counter({(currency, reason): int(minor) for currency, reason, minor in rows})


def _of_excel(actor: Actor) -> Sums:
    asked = {"filters": {"status": {"filterType": "set", "values": ["succeeded"]}}}
    file = io.BytesIO()
    excel.export(parse_view(REFUNDS, asked), file, actor=actor, now=NOW)
    header, rows = rows_of_sheet(open_book(file).worksheets[0])
    column = REFUNDS.column("reason")
    assert column is not None
    codes = {word: code for code, word in (column.words or {}).items()}
    sums = Sums()
    for row in rows:
        line = dict(zip(header, row, strict=True))
        minor = Decimal(str(line["Amount"])) * 10 ** decimals_of(line["Currency"])
        sums[line["Currency"], codes[line["Reason"]]] += int(minor)
    return sums


def _of_overview(actor: Actor) -> Sums:
    sums = Sums()
    everything = Period(date(2020, 1, 1), date(2040, 1, 1))
    for currency in CONTRACTS.values():
        for period in (Period(), everything):
            found = overview.load_overview(Question(period, currency), actor=actor, now=NOW)
            by_reason = {one.value: one.rows.amount_minor for one in found.by_reason}
            if period is not everything:
                sums.update({(currency, reason): minor for reason, minor in by_reason.items()})
            assert sum(by_reason.values()) == found.refunds.amount_minor
    return sums


@pytest.mark.both_databases
@pytest.mark.parametrize("seed", range(some(2, 20)))
def test_rows_ledger_file_and_overview_have_the_same_sums(
    database: str, admin: Actor, seed: int
) -> None:
    act_at_random(random.Random(seed), sell(), 5 * ITEMS)
    sums = {name: +found for name, found in _every_sum(admin).items()}
    assert sums["rows"] == sums["ledger"] == sums["file"] == sums["overview"]
    assert len(sums["rows"]) > 1
    check_books()


def _every_sum(admin: Actor) -> dict[str, Sums]:
    return {
        "rows": _of_rows(),
        "ledger": _of_ledger(),
        "file": _of_excel(admin),
        "overview": _of_overview(admin),
    }


@pytest.mark.both_databases
def test_a_refund_that_the_ledger_does_not_know_is_noticed(database: str, admin: Actor) -> None:
    """The control: the sums differ if one of them is wrong."""
    (item, *_) = sell()
    request(item, actor=EVERYWHERE)
    with storage.writing() as session:
        session.query(Refund).update({"reason": "other"})
    sums = _every_sum(admin)
    assert sums["rows"] == Counter({("EUR", "other"): 1_000})
    with storage.writing() as session:
        session.query(Refund).update({"amount_minor": 1})
    assert _of_rows() != _of_ledger()
