"""The sums of refunds per currency and reason: rows, ledger, Excel file and Overview agree."""

import io
import random
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Select, func, select

from core import excel, overview, storage
from core.access import Actor
from core.ground import TransactionStatus, decimals_of
from core.overview import Period, Question
from core.refunds import look_again_due
from core.refunds.gateway import Failed, Succeeded, Unknown
from core.storage import Refund, Transaction
from core.tables import REFUNDS
from core.views import parse_view
from tests.conftest import NOW
from tests.core.books import check_books
from tests.core.read_back import open_book, rows_of_sheet
from tests.core.refunds.refund_rows import (
    FakeGateway,
    by_card,
    get_refund,
    make_card_order,
    make_refundable,
    request,
    settings,
)
from tests.core.refunds.returned_money import A_DAY, EVERYWHERE, Bank
from tests.effort import some
from tests.rows import make_contract

Sums = Counter[tuple[str, str]]  # minor units by currency and reason
REASONS = ["passenger_cancelled", "flight_cancelled", "goodwill"]
# Each contract has a currency: of two decimals, of none, and of three.
CONTRACTS = {"CT-1": "EUR", "CT-2": "JPY", "CT-3": "KWD"}
ITEMS = 9
ACTIONS = ["pay", "pay", "pay", "refuse", "lose", "return"]


def _sell(run: str) -> list[str]:
    items = []
    for number in range(ITEMS):
        contract_id, currency = list(CONTRACTS.items())[number % len(CONTRACTS)]
        given = {"contract_id": make_contract(contract_id, currency=currency), "currency": currency}
        paid = 1_000 + 7 * number
        order = make_card_order(
            f"{run}-{number}", reference=f"pi_{run}_{number}", paid=paid, **given
        )
        far = {"refund_expire_at": NOW + 900 * A_DAY, "valid_until": NOW + 900 * A_DAY}
        items.append(make_refundable(order, price_minor=paid, **given, **far))
    return items


def _act(item: str, reason: str, action: str, now: datetime, key: str) -> None:
    """Refund an item with an outcome, or let the bank return its refund."""
    if action == "return":
        with storage.reading() as session:
            paid = session.scalars(
                select(Refund).where(Refund.order_item_id == item, Refund.status == "succeeded")
            ).one_or_none()
        if paid is not None:
            look_again_due(now=now, gateways=by_card(Bank(get_refund(item))))
        return
    outcome = {"pay": Succeeded(f"re_{key}"), "refuse": Failed("No."), "lose": Unknown("?")}[action]
    with settings(stripe_api_key="sk_test_x"):
        gateways = by_card(FakeGateway(outcome))
        request(item, key=key, now=now, actor=EVERYWHERE, reason=reason, gateways=gateways)


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


def _added_up(sums: Select[Any]) -> Sums:
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
    drawn, now = random.Random(seed), NOW
    items = _sell("OD")
    for number in range(3 * ITEMS):
        now += timedelta(hours=2)
        item, reason = drawn.choice(items), drawn.choice(REASONS)
        _act(item, reason, drawn.choice(ACTIONS), now, f"{number}")
    sums = {name: +found for name, found in _every_sum(admin).items()}
    assert sums["rows"] == sums["ledger"] == sums["file"] == sums["overview"]
    assert len(sums["rows"]) > 3
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
    (item, *_) = _sell("OD-C")
    _act(item, "goodwill", "pay", NOW, "c")
    with storage.writing() as session:
        session.query(Refund).update({"reason": "other"})
    sums = _every_sum(admin)
    assert sums["rows"] == Counter({("EUR", "other"): 1_000})
    with storage.writing() as session:
        session.query(Refund).update({"amount_minor": 1})
    assert _of_rows() != _of_ledger()
