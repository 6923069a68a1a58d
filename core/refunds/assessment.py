"""Assess a refund before it is requested: each selected item as it is now, and the totals."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Select, and_, exists, select, text
from sqlalchemy.orm import Session

from core import storage
from core.access import Actor
from core.ground import Method, TransactionStatus, TransactionType
from core.query import scope, ticked_ids
from core.refunds.gateways import configured_gateways
from core.refunds.limits import find_over_limit
from core.refunds.rule import Payment, RefundItem, Refusal, not_found, refundable
from core.storage import Contract, OrderItem, Refund, Transaction
from core.tables import ORDER_ITEMS, REFUNDS

# Built once: building a statement takes as long as running it. A row for each successful payment
# in the item's currency, the oldest first; without one, a row with blanks.
_ITEMS = (
    select(
        *(OrderItem.order_item_id, OrderItem.order_id, OrderItem.contract_id),
        *(Contract.currency.label("contract_currency"), Contract.refund_limit_minor),
        *(OrderItem.product_type, OrderItem.product),
        *(OrderItem.passenger_name, OrderItem.airport_tz),
        *(OrderItem.price_minor, OrderItem.currency, OrderItem.is_refundable),
        *(OrderItem.refund_expire_at, OrderItem.valid_until, OrderItem.status),
        OrderItem.refunded_at,
        exists()
        .where(Refund.order_item_id == OrderItem.order_item_id, text(Refund.IS_RETURNED))
        .label("is_returned"),
        *(Transaction.method, Transaction.reference),
    )
    .join(Contract, Contract.contract_id == OrderItem.contract_id)
    .outerjoin(
        Transaction,
        and_(
            Transaction.order_id == OrderItem.order_id,
            Transaction.currency == OrderItem.currency,
            Transaction.type == TransactionType.PAYMENT,
            Transaction.status == TransactionStatus.SUCCEEDED,
        ),
    )
    .order_by(OrderItem.order_item_id, Transaction.created_at, Transaction.transaction_id)
)
_FACTS = [str(column.key) for column in _ITEMS.selected_columns][:-2]
# White space and invisible characters: zero-width characters, a byte order mark.
_INVISIBLE = r"[\s\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u2064\ufeff]"
_AROUND = re.compile(rf"\A{_INVISIBLE}+|{_INVISIBLE}+\Z")


@dataclass(frozen=True)
class Assessed:
    """A selected item: it is refundable if `refusal` is None."""

    order_item_id: str
    item: RefundItem | None
    refusal: Refusal | None


@dataclass(frozen=True)
class BalanceChange:
    """A contract's balance before the refunds and after them, in minor units."""

    contract_id: str
    name: str
    currency: str
    before: int
    after: int


@dataclass(frozen=True)
class Assessment:
    """The expected result of a refund request: line by line, and the totals."""

    lines: tuple[Assessed, ...]
    totals: dict[str, int]  # minor units by currency
    balances: tuple[BalanceChange, ...]
    over_limit: frozenset[str] = frozenset()  # the contracts whose refunds need approval

    @property
    def waiting(self) -> list[RefundItem]:
        """Return the items that can be refunded, but only after a second person approves."""
        return [item for item in self.refundable if item.contract_id in self.over_limit]

    @property
    def refundable(self) -> list[RefundItem]:
        """Return the items that can be refunded."""
        return [line.item for line in self.lines if line.item and not line.refusal]


def assess(item_ids: Sequence[str], *, actor: Actor, now: datetime) -> Assessment:
    """Assess whether each item can be refunded now, and add up the amounts."""
    ids = sorted_ids(item_ids)
    with storage.reading() as session:
        lines = assess_in(session, ids, actor=actor, now=now)
        items = [line.item for line in lines if line.item and not line.refusal]
        over = find_over_limit(session, items, requested_by=actor.email, now=now)
        totals: dict[str, int] = defaultdict(int)
        credits: dict[str, int] = defaultdict(int)
        for item in items:
            totals[item.currency] += item.price_minor
            is_paid_now = item.contract_id not in over
            if is_paid_now and item.payment and item.payment.method is Method.BALANCE:
                credits[item.contract_id] += item.price_minor
        balances = _balances(session, credits)
        return Assessment(tuple(lines), dict(sorted(totals.items())), balances, over)


def _balances(session: Session, credits: Mapping[str, int]) -> tuple[BalanceChange, ...]:
    contracts = select(Contract).where(Contract.contract_id.in_(credits))
    return tuple(
        BalanceChange(
            contract_id=one.contract_id,
            name=one.name,
            currency=one.currency,
            before=one.balance_minor,
            after=one.balance_minor + credits[one.contract_id],
        )
        for one in session.scalars(contracts.order_by(Contract.contract_id))
    )


def assess_in(
    session: Session, ids: Sequence[str], *, actor: Actor, now: datetime
) -> list[Assessed]:
    """Assess each item in the caller's transaction."""
    items = _load_items(session, ids, actor, frozenset(configured_gateways()))
    lines = []
    for one in ids:
        item = items.get(one)
        refusal = refundable(item, now=now, actor=actor) if item else not_found(one)
        lines.append(Assessed(one, item, refusal))
    return lines


def find_items(refund_ids: Sequence[str], *, actor: Actor) -> dict[str, str]:
    """Find the order item of each refund that the actor sees, by the refund's ID."""
    ids = ticked_ids(refund_ids, REFUNDS, "to refund them again")
    found = select(Refund.refund_id, Refund.order_item_id).where(
        storage.is_any_of(Refund.refund_id, ids), scope(REFUNDS, actor)
    )
    with storage.reading() as session:
        return {row.refund_id: row.order_item_id for row in session.execute(found)}


def sorted_ids(item_ids: Sequence[str]) -> list[str]:
    """Check the selected IDs and sort them, so that parallel writers lock in the same order."""
    return sorted(ticked_ids(item_ids, ORDER_ITEMS, "to refund them"))


def _load_items(
    session: Session, ids: Sequence[str], actor: Actor, gateways: frozenset[Method]
) -> dict[str, RefundItem]:
    """Load the items that the actor may see, by ID, with contract currency and payments."""
    statement, asked = _items_of(actor), {"ids": storage.bound_texts(ids)}
    rows = session.connection().execute(statement, asked)  # without the work of the ORM
    found = {}
    for item_id, same in groupby(rows, key=itemgetter(0)):
        first, *others = same
        paid = tuple(
            Payment(Method(row.method), _trimmed(row.reference))
            for row in (first, *others)
            if row.method is not None
        )
        facts: dict[str, Any] = dict(zip(_FACTS, first, strict=False))
        found[item_id] = RefundItem(**facts, payments=paid, gateways=gateways)
    return found


@storage.built_once
def _items_of(actor: Actor) -> Select[*tuple[Any, ...]]:
    is_one = storage.is_any_of_named(OrderItem.order_item_id, "ids")
    return _ITEMS.where(is_one, scope(ORDER_ITEMS, actor))


def _trimmed(reference: str | None) -> str | None:
    """Return a reference without blanks, line breaks and invisible characters around it."""
    return _AROUND.sub("", reference or "") or None
