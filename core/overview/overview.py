"""Overview: what orders and items come to, each figure with the view that shows its rows.

A figure is the count and total of its view, by definition; here it comes from the daily figures,
which are quick, and for whoever sees their own orders alone from those rows.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import reduce
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import storage
from core.access import Actor, require
from core.ground import ItemStatus, Permission
from core.overview import counting
from core.overview.days import day_of, next_month
from core.overview.periods import Period
from core.overview.sums import Counted, Sums, sum_up
from core.query import where
from core.storage import Channel, Contract, Dimension, OrderItem
from core.tables import ORDER_ITEMS, ORDERS, Table
from core.views import READY_MADE, View, parse_view

RADAR = {
    "24 hours": READY_MADE["order_items"]["Refund expires within 24 hours"],
    "7 days": READY_MADE["order_items"]["Refund expires within 7 days"],
}
# What the partial index ix_order_items_refund_expire holds: said as it says it, it is used.
_CAN_BE_REFUNDED = text("order_items.status = 'not_used' AND order_items.is_refundable")


@dataclass(frozen=True)
class Question:
    """What Overview is asked: of one currency always, of one contract or all."""

    period: Period
    currency: str
    contract_id: str | None = None


@dataclass(frozen=True)
class Offer:
    """A contract with orders in a currency, as the actor sees them, and how many."""

    contract_id: str
    name: str
    currency: str
    orders: int


@dataclass(frozen=True)
class Rows:
    """A figure: how many rows a view has, and their total in the question's currency."""

    view: View
    count: int = 0
    amount_minor: int = 0


@dataclass(frozen=True)
class Group:
    """Orders that have something in common, or order items, and of those the refunded ones."""

    value: str
    rows: Rows
    refunded: Rows | None = None


@dataclass(frozen=True)
class Time:
    """A day or a month of the period: its orders, its items, and of those the refunded ones."""

    period: Period
    orders: Rows
    items: Rows
    refunded: Rows


@dataclass(frozen=True)
class Overview:
    """The answer to a question."""

    orders: Rows
    items: Rows
    refunded: Rows
    at_risk: dict[str, Rows]  # by how soon
    times: list[Time] = field(default_factory=list)
    by_product_type: list[Group] = field(default_factory=list)
    by_airport: list[Group] = field(default_factory=list)
    by_contract: list[Group] = field(default_factory=list)
    by_channel: list[Group] = field(default_factory=list)

    @property
    def every_figure(self) -> list[Rows]:
        """Return all of them, those of the plots too."""
        groups = [*self.by_product_type, *self.by_airport, *self.by_contract, *self.by_channel]
        found = [self.orders, self.items, self.refunded, *self.at_risk.values()]
        found += [rows for one in self.times for rows in (one.orders, one.items, one.refunded)]
        return found + [rows for one in groups for rows in (one.rows, one.refunded) if rows]


def rate(part: Rows, whole: Rows) -> float:
    """Return which share of the rows another figure's are, from 0 to 1."""
    return part.count / whole.count if whole.count else 0.0


def today(now: datetime) -> date:
    """Return which day it is in the zone of the figures."""
    return day_of(now, counting.report_zone())


def currencies(offers: Sequence[Offer], contract_id: str | None) -> list[str]:
    """Return the currencies of a contract, or of all: the one of most orders first."""
    orders: dict[str, int] = defaultdict(int)
    for one in offers:
        if contract_id in (None, one.contract_id):
            orders[one.currency] += one.orders
    return sorted(orders, key=lambda currency: (-orders[currency], currency))


def load_offers(*, actor: Actor) -> list[Offer]:
    """Load contracts and currencies that the actor may ask for, by contract.

    Raises NotPermitted, and OutsideFailed without a database.
    """
    require(actor, Permission.OVERVIEW)
    counting.refresh_figures()
    with storage.reading() as session:
        keys = ("contract_id", "currency")
        found = sum_up(session, Dimension.CHANNEL, Period(), actor=actor, keys=keys)
        rows = select(Contract.contract_id, Contract.name)
        names = {row.contract_id: row.name for row in session.execute(rows)}
    offers = [Offer(name=names[key["contract_id"]], orders=sums.rows, **key) for key, sums in found]
    return sorted(offers, key=lambda one: (one.contract_id, one.currency))


def load_overview(question: Question, *, actor: Actor, now: datetime) -> Overview:
    """Load every figure of Overview.

    Raises NotPermitted, and OutsideFailed without a database.
    """
    require(actor, Permission.OVERVIEW)
    counting.refresh_figures()
    with storage.reading() as session:
        return _Answer(session, question, actor, now).load()


class _Answer:
    """One question of one actor, inside a reading transaction."""

    def __init__(self, session: Session, question: Question, actor: Actor, now: datetime) -> None:
        self.session, self.question, self.actor, self.now = session, question, actor, now
        self.zone = str(counting.report_zone())

    def load(self) -> Overview:
        """Load the three dimensions, and make all figures from their sums."""
        orders = self._sums(Dimension.CHANNEL, ["day", "contract_id", "value"])
        items = self._sums(Dimension.PRODUCT_TYPE, ["day", "value"])
        airports = self._sums(Dimension.AIRPORT, ["value"])
        period = self.question.period
        all_orders, all_items = _total(orders), _total(items)
        return Overview(
            orders=self._orders(period, all_orders),
            items=self._items(period, all_items),
            refunded=self._refunded(period, all_items),
            at_risk={soon: self._at_risk(raw) for soon, raw in RADAR.items()},
            times=self._times(_by("day", orders), _by("day", items)),
            by_product_type=self._groups("product_type", items, self._item_group),
            by_airport=self._groups("airport_iata", airports, self._item_group),
            by_contract=self._groups("contract_id", orders, self._order_group),
            by_channel=self._groups("widget_id", orders, self._order_group),
        )

    def _sums(self, dimension: Dimension, keys: Sequence[str]) -> Counted:
        asked = self.question
        those = {"currency": asked.currency}
        if asked.contract_id is not None:
            those["contract_id"] = asked.contract_id
        return sum_up(
            self.session, dimension, asked.period, actor=self.actor, keys=keys, those=those
        )

    def _times(self, orders: dict[date, Sums], items: dict[date, Sums]) -> list[Time]:
        times = []
        for day in sorted(orders.keys() | items.keys()):
            last = day if self.question.period.is_by_day else next_month(day) - timedelta(days=1)
            period = self.question.period.within(day, last)
            of_items = items.get(day, Sums())
            times.append(
                Time(
                    period,
                    self._orders(period, orders.get(day, Sums())),
                    self._items(period, of_items),
                    self._refunded(period, of_items),
                )
            )
        return times

    def _groups(
        self, column: str, found: Counted, group: Callable[[str, str, Sums], Group]
    ) -> list[Group]:
        """Group by the column of a view, the largest amount first."""
        sums = _by("contract_id" if column == "contract_id" else "value", found)
        ordered = sorted(sums.items(), key=lambda one: (-one[1].amount_minor, -one[1].rows, one[0]))
        return [group(column, value, of_value) for value, of_value in ordered]

    def _item_group(self, column: str, value: str, sums: Sums) -> Group:
        one, period = {column: _among(value)}, self.question.period
        return Group(value, self._items(period, sums, one), self._refunded(period, sums, one))

    def _order_group(self, column: str, value: str, sums: Sums) -> Group:
        one = {column: _among(value)}
        if column == "widget_id":
            asked = "blank" if value == Channel.DIRECT else "notBlank"
            one = {column: {"filterType": "text", "type": asked}}
        return Group(value, self._orders(self.question.period, sums, one))

    def _orders(
        self, period: Period, sums: Sums, also: dict[str, dict[str, Any]] | None = None
    ) -> Rows:
        return Rows(self._view(ORDERS, period, also or {}), sums.rows, sums.amount_minor)

    def _items(
        self, period: Period, sums: Sums, also: dict[str, dict[str, Any]] | None = None
    ) -> Rows:
        return Rows(self._view(ORDER_ITEMS, period, also or {}), sums.rows, sums.amount_minor)

    def _refunded(
        self, period: Period, sums: Sums, also: dict[str, dict[str, Any]] | None = None
    ) -> Rows:
        those = (also or {}) | {"status": _among(ItemStatus.REFUNDED.value)}
        view = self._view(ORDER_ITEMS, period, those)
        return Rows(view, sums.refunded, sums.refunded_minor)

    def _at_risk(self, raw: dict[str, Any]) -> Rows:
        """Count what can be refunded, and soon no more: of any period, from the rows."""
        view = self._view(ORDER_ITEMS, Period(), raw["filters"], raw["sort"])
        conditions = where(view, actor=self.actor, now=self.now)
        sums = select(func.count(), func.coalesce(func.sum(OrderItem.price_minor), 0))
        count, amount = self.session.execute(
            sums.select_from(OrderItem).where(_CAN_BE_REFUNDED, *conditions)
        ).one()
        return Rows(view, count, int(amount))

    def _view(
        self,
        table: Table,
        period: Period,
        also: dict[str, dict[str, Any]],
        sort: list[dict[str, str]] | None = None,
    ) -> View:
        """Return the view of the rows that a figure counts."""
        filters = {"currency": _among(self.question.currency)}
        if period.first is not None and period.last is not None:
            filters["created_at"] = _on(period.first, period.last)
        if self.question.contract_id is not None:
            filters["contract_id"] = _among(self.question.contract_id)
        raw: dict[str, Any] = {"filters": filters | also, "zone": self.zone}
        return parse_view(table, raw | ({"sort": sort} if sort else {}))


def _among(*values: str) -> dict[str, Any]:
    return {"filterType": "set", "values": list(values)}


def _on(first: date, last: date) -> dict[str, Any]:
    if first == last:
        return {"filterType": "date", "type": "equals", "dateFrom": f"{first}"}
    return {"filterType": "date", "type": "inRange", "dateFrom": f"{first}", "dateTo": f"{last}"}


def _total(found: Counted) -> Sums:
    return reduce(Sums.plus, (sums for _, sums in found), Sums())


def _by(name: str, found: Counted) -> dict[Any, Sums]:
    sums: dict[Any, Sums] = defaultdict(Sums)
    for key, some in found:
        sums[key[name]] = sums[key[name]].plus(some)
    return sums
