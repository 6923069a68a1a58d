"""Overview: the figures of orders and order items, each with the view that shows its rows.

By definition a figure is the count and the total of its view. For speed it is read from the daily
figures. For a person who sees only their own orders it is counted from those rows.
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
from core.ground import ItemStatus, Permission, next_month
from core.overview import counting
from core.overview.days import day_of
from core.overview.periods import Period
from core.overview.sums import KeyedSums, Sums, sum_up
from core.query import where
from core.storage import MAY_BE_REFUNDED, Channel, Contract, Dimension, OrderItem
from core.tables import ORDER_ITEMS, ORDERS, Table
from core.views import View, parse_view

AT_RISK_VIEWS = {
    "24 hours": ORDER_ITEMS.ready_made["Refund expires within 24 hours"],
    "7 days": ORDER_ITEMS.ready_made["Refund expires within 7 days"],
}


@dataclass(frozen=True)
class Question:
    """What Overview shows: one period, one currency, and one contract or all."""

    period: Period
    currency: str
    contract_id: str | None = None


@dataclass(frozen=True)
class ContractCurrency:
    """A contract, a currency, and the number of its orders in that currency that the actor sees."""

    contract_id: str
    name: str
    currency: str
    orders: int


@dataclass(frozen=True)
class Figure:
    """The number of rows of a view, and their total in the currency of the question."""

    view: View
    count: int = 0
    amount_minor: int = 0


@dataclass(frozen=True)
class Group:
    """The figures of orders or order items with one value; for items, also the refunded ones."""

    value: str
    rows: Figure
    refunded: Figure | None = None


@dataclass(frozen=True)
class TimeStep:
    """The figures of one day or one month: orders, order items, and refunded order items."""

    period: Period
    orders: Figure
    items: Figure
    refunded: Figure


@dataclass(frozen=True)
class Overview:
    """Every figure of Overview for one question."""

    orders: Figure
    items: Figure
    refunded: Figure
    at_risk: dict[str, Figure]  # by time left, such as "24 hours"
    time_steps: list[TimeStep] = field(default_factory=list)
    by_product_type: list[Group] = field(default_factory=list)
    by_airport: list[Group] = field(default_factory=list)
    by_contract: list[Group] = field(default_factory=list)
    by_channel: list[Group] = field(default_factory=list)

    @property
    def every_figure(self) -> list[Figure]:
        """Return every figure, including those of the plots."""
        groups = [*self.by_product_type, *self.by_airport, *self.by_contract, *self.by_channel]
        found = [self.orders, self.items, self.refunded, *self.at_risk.values()]
        found += [rows for one in self.time_steps for rows in (one.orders, one.items, one.refunded)]
        return found + [rows for one in groups for rows in (one.rows, one.refunded) if rows]


def rate(part: Figure, whole: Figure) -> float:
    """Return the share of the rows of `whole` that are in `part`, from 0 to 1."""
    return part.count / whole.count if whole.count else 0.0


def today(now: datetime) -> date:
    """Return the date in the time zone of the figures."""
    return day_of(now, counting.report_zone())


def currencies(pairs: Sequence[ContractCurrency], contract_id: str | None) -> list[str]:
    """Return the currencies of a contract, or of all; the one with the most orders first."""
    orders: dict[str, int] = defaultdict(int)
    for one in pairs:
        if contract_id in (None, one.contract_id):
            orders[one.currency] += one.orders
    return sorted(orders, key=lambda currency: (-orders[currency], currency))


def load_contract_currencies(*, actor: Actor) -> list[ContractCurrency]:
    """Load the contracts and currencies that the actor can choose, in order of contract.

    Raises NotPermitted, and OutsideFailed without a database.
    """
    require(actor, Permission.OVERVIEW)
    counting.refresh_figures()
    with storage.reading() as session:
        keys = ("contract_id", "currency")
        found = sum_up(session, Dimension.CHANNEL, Period(), actor=actor, keys=keys)
        rows = select(Contract.contract_id, Contract.name)
        names = {row.contract_id: row.name for row in session.execute(rows)}
    pairs = [
        ContractCurrency(name=names[key["contract_id"]], orders=sums.rows, **key)
        for key, sums in found
    ]
    return sorted(pairs, key=lambda one: (one.contract_id, one.currency))


def load_overview(question: Question, *, actor: Actor, now: datetime) -> Overview:
    """Load every figure of Overview.

    Raises NotPermitted, and OutsideFailed without a database.
    """
    require(actor, Permission.OVERVIEW)
    counting.refresh_figures()
    with storage.reading() as session:
        return _Loader(session, question, actor, now).load()


class _Loader:
    """Loads the figures of one question for one actor, in one read transaction."""

    def __init__(self, session: Session, question: Question, actor: Actor, now: datetime) -> None:
        self.session, self.question, self.actor, self.now = session, question, actor, now
        self.zone = str(counting.report_zone())

    def load(self) -> Overview:
        """Load the sums of the three dimensions, and make every figure from them."""
        orders = self._sums(Dimension.CHANNEL, ["day", "contract_id", "value"])
        items = self._sums(Dimension.PRODUCT_TYPE, ["day", "value"])
        airports = self._sums(Dimension.AIRPORT, ["value"])
        period = self.question.period
        all_orders, all_items = _total(orders), _total(items)
        return Overview(
            orders=self._orders(period, all_orders),
            items=self._items(period, all_items),
            refunded=self._refunded(period, all_items),
            at_risk={left: self._at_risk(raw) for left, raw in AT_RISK_VIEWS.items()},
            time_steps=self._time_steps(_by("day", orders), _by("day", items)),
            by_product_type=self._groups("product_type", items, self._item_group),
            by_airport=self._groups("airport_iata", airports, self._item_group),
            by_contract=self._groups("contract_id", orders, self._order_group),
            by_channel=self._groups("widget_id", orders, self._order_group),
        )

    def _sums(self, dimension: Dimension, keys: Sequence[str]) -> KeyedSums:
        question = self.question
        values = {"currency": question.currency}
        if question.contract_id is not None:
            values["contract_id"] = question.contract_id
        return sum_up(
            self.session, dimension, question.period, actor=self.actor, keys=keys, values=values
        )

    def _time_steps(self, orders: dict[date, Sums], items: dict[date, Sums]) -> list[TimeStep]:
        steps = []
        for day in sorted(orders.keys() | items.keys()):
            last = day if self.question.period.is_by_day else next_month(day) - timedelta(days=1)
            period = self.question.period.within(day, last)
            of_items = items.get(day, Sums())
            steps.append(
                TimeStep(
                    period,
                    self._orders(period, orders.get(day, Sums())),
                    self._items(period, of_items),
                    self._refunded(period, of_items),
                )
            )
        return steps

    def _groups(
        self, column: str, found: KeyedSums, group: Callable[[str, str, Sums], Group]
    ) -> list[Group]:
        """Make a group per value of the view's column; the largest amount comes first."""
        sums = _by("contract_id" if column == "contract_id" else "value", found)
        ordered = sorted(sums.items(), key=lambda one: (-one[1].amount_minor, -one[1].rows, one[0]))
        return [group(column, value, of_value) for value, of_value in ordered]

    def _item_group(self, column: str, value: str, sums: Sums) -> Group:
        one, period = {column: _among(value)}, self.question.period
        return Group(value, self._items(period, sums, one), self._refunded(period, sums, one))

    def _order_group(self, column: str, value: str, sums: Sums) -> Group:
        one = {column: _among(value)}
        if column == "widget_id":
            operator = "blank" if value == Channel.DIRECT else "notBlank"
            one = {column: {"filterType": "text", "type": operator}}
        return Group(value, self._orders(self.question.period, sums, one))

    def _orders(
        self, period: Period, sums: Sums, also: dict[str, dict[str, Any]] | None = None
    ) -> Figure:
        return Figure(self._view(ORDERS, period, also or {}), sums.rows, sums.amount_minor)

    def _items(
        self, period: Period, sums: Sums, also: dict[str, dict[str, Any]] | None = None
    ) -> Figure:
        return Figure(self._view(ORDER_ITEMS, period, also or {}), sums.rows, sums.amount_minor)

    def _refunded(
        self, period: Period, sums: Sums, also: dict[str, dict[str, Any]] | None = None
    ) -> Figure:
        filters = (also or {}) | {"status": _among(ItemStatus.REFUNDED.value)}
        view = self._view(ORDER_ITEMS, period, filters)
        return Figure(view, sums.refunded, sums.refunded_minor)

    def _at_risk(self, raw: dict[str, Any]) -> Figure:
        """Count the items whose refund deadline is near; from the rows, in any period."""
        view = self._view(ORDER_ITEMS, Period(), raw["filters"], raw["sort"])
        conditions = where(view, actor=self.actor, now=self.now)
        sums = select(func.count(), func.coalesce(func.sum(OrderItem.price_minor), 0))
        count, amount = self.session.execute(
            sums.select_from(OrderItem).where(text(MAY_BE_REFUNDED), *conditions)
        ).one()
        return Figure(view, count, int(amount))

    def _view(
        self,
        table: Table,
        period: Period,
        also: dict[str, dict[str, Any]],
        sort: list[dict[str, str]] | None = None,
    ) -> View:
        """Return the view that shows the rows of a figure."""
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


def _total(found: KeyedSums) -> Sums:
    return reduce(Sums.plus, (sums for _, sums in found), Sums())


def _by(name: str, found: KeyedSums) -> dict[Any, Sums]:
    sums: dict[Any, Sums] = defaultdict(Sums)
    for key, some in found:
        sums[key[name]] = sums[key[name]].plus(some)
    return sums
