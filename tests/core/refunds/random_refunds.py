"""Random histories of refunds: paid, refused, lost, returned by the bank, waiting, decided."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text, update

from core import refunds, storage
from core.access import Actor
from core.ground import Role
from core.refunds import look_again_due, settle_due
from core.refunds.gateway import Failed, Succeeded, Unknown
from core.storage import Contract, Refund
from tests.conftest import NOW
from tests.core.refunds.refund_rows import (
    FakeGateway,
    by_card,
    make_card_order,
    make_paid_order,
    make_refundable,
    request,
    settings,
)
from tests.core.refunds.returned_money import A_DAY, EVERYWHERE, Bank, give_back
from tests.rows import make_actor, make_contract, make_transaction

REASONS = ["passenger_cancelled", "flight_cancelled", "goodwill"]
# Each contract has a currency: of two decimals, of none, and of three.
CONTRACTS = {"CT-1": "EUR", "CT-2": "JPY", "CT-3": "KWD"}
ITEMS = 9
ACTIONS = [*["pay"] * 4, *["refuse", "return"] * 2, "lose", "wait", "approve", "decline", "keep"]
NOTES = [None, "Gate closed", "=1+1", "“Zoë”\n<b>王伟</b>", "_x0041_ #N/A"]
AN_HOUR = timedelta(hours=1)


def sell(run: str = "OD") -> list[str]:
    """Store paid orders of every contract, each with an item; the first is paid by balance."""
    items = []
    for number in range(ITEMS):
        contract_id, currency = list(CONTRACTS.items())[number % len(CONTRACTS)]
        given = {"contract_id": make_contract(contract_id, currency=currency), "currency": currency}
        order, paid = f"{run}-{number}", 1_000 + 7 * number
        if number:
            make_card_order(order, reference=f"pi_{order}", paid=paid, **given)
        else:
            make_paid_order(order, paid=paid, **given)
            make_transaction(type="top_up", amount_minor=paid, **given)
        far = {"refund_expire_at": NOW + 900 * A_DAY, "valid_until": NOW + 900 * A_DAY}
        items.append(make_refundable(order, price_minor=paid, **given, **far))
    return items


def act_at_random(drawn: random.Random, items: Sequence[str], count: int) -> datetime:
    """Do something with a random item, so many times; return the instant after it."""
    boss, now = make_actor(Role.ADMIN), NOW
    for number in range(count):
        now += timedelta(hours=2)
        act(drawn.choice(ACTIONS), drawn.choice(items), drawn, boss, now, f"{number}")
    return now + AN_HOUR


def act(action: str, item: str, drawn: random.Random, boss: Actor, now: datetime, key: str) -> None:
    """Refund an item with an outcome, decide about its refund, or let the bank return it."""
    if action == "return":
        for paid in _find(item, "status = 'succeeded'"):
            look_again_due(now=now, gateways=by_card(Bank(paid)))
    elif action == "keep":
        if _find(item, Refund.IS_RETURNED):
            give_back(item, at=now)
    elif action in ("approve", "decline"):
        ids = [one.refund_id for one in _find(item, Refund.IS_WAITING)]
        if ids:
            given: dict[str, Any] = {"note": "As said", "key": key, "actor": boss, "now": now}
            with settings(stripe_api_key="sk_test_x"):
                if action == "approve":
                    paying = by_card(FakeGateway(Succeeded(f"re_{key}")))
                    refunds.approve(ids, gateways=paying, **given)
                else:
                    refunds.decline(ids, **given)
    else:
        _limit(0 if action == "wait" else None)
        outcomes: dict[str, Failed | Unknown] = {"refuse": Failed("No."), "lose": Unknown("?")}
        gateways = by_card(FakeGateway(outcomes.get(action, Succeeded(f"re_{key}"))))
        why: dict[str, Any] = {"reason": drawn.choice(REASONS), "note": drawn.choice(NOTES)}
        with settings(stripe_api_key="sk_test_x"):
            request(item, key=key, now=now, actor=EVERYWHERE, gateways=gateways, **why)


def finish(items: Sequence[str], now: datetime) -> None:
    """Decline what waits, and pay what is in progress."""
    boss = make_actor(Role.ADMIN)
    for item in items:
        act("decline", item, random.Random(0), boss, now, f"end {item}")
    gateways = by_card(FakeGateway(Succeeded("re_end")))
    while settle_due(now=now + A_DAY, gateways=gateways):
        pass


def _find(item: str, condition: str) -> list[Refund]:
    found = select(Refund).where(Refund.order_item_id == item, text(condition))
    with storage.reading() as session:
        return list(session.scalars(found))


def _limit(amount: int | None) -> None:
    with storage.writing() as session:
        session.execute(update(Contract).values(refund_limit_minor=amount))
