"""Overview: the figures of orders, items and refunds, each with the view that shows its rows.

By definition a figure is the count and the total of its view. For speed it is read from the daily
figures. For a person who sees only their own orders it is counted from those rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import storage
from core.access import Actor, require
from core.ground import ItemStatus, Permission, RefundStatus, first_of_month, next_month
from core.overview import counting
from core.overview.figures import (
    Before,
    Figure,
    Group,
    Overview,
    Question,
    RefundStep,
    TimeStep,
)
from core.overview.filters import among, on_days
from core.overview.pending import Changed, find_changed
from core.overview.periods import Period
from core.overview.sums import KeyedSums, Sums, by_key, sum_up_each, total
from core.query import where
from core.storage import MAY_BE_REFUNDED, Channel, Dimension, OrderItem
from core.tables import ORDER_ITEMS, ORDERS, REFUNDS, Table
from core.views import View, parse_view

AT_RISK_VIEWS = {
    "24 hours": ORDER_ITEMS.ready_made["Refund expires within 24 hours"],
    "7 days": ORDER_ITEMS.ready_made["Refund expires within 7 days"],
}


def load_overview(question: Question, *, actor: Actor, now: datetime) -> Overview:
    """Load every figure of Overview, from one snapshot: of the standby, if there is one.

    Raises NotPermitted, and OutsideFailed without a database.
    """
    require(actor, Permission.OVERVIEW)
    counting.refresh_figures()

    def read(session: Session, as_of: datetime | None) -> Overview:
        changed = None if as_of is None else find_changed(session)
        found = _Loader(session, question, actor, now, changed).load()
        return replace(found, as_of=as_of)

    return storage.read_aside(read)


@dataclass(frozen=True)
class _Loader:
    """Loads the figures of one question for one actor, in one read transaction."""

    session: Session
    question: Question
    actor: Actor
    now: datetime
    changed: Changed | None  # days whose stored figures are out of date

    def load(self) -> Overview:
        """Load the sums of the three dimensions, and make every figure from them."""
        period = self.question.period
        compared = period.compared_with
        periods = [period] if compared is None else [period, compared]
        orders, *orders_before = self._sums(
            Dimension.CHANNEL, periods, ["day", "contract_id", "value", "currency"]
        )
        items, *items_before = self._sums(
            Dimension.PRODUCT_TYPE, periods, ["day", "value", "currency"]
        )
        (airports,) = self._sums(Dimension.AIRPORT, [period], ["value"])
        (refunds,) = self._sums(Dimension.REASON, [period], ["day", "value", "currency"])
        at_risk = {left: self._at_risk(raw) for left, raw in AT_RISK_VIEWS.items()}
        before = (compared, orders_before[0], items_before[0]) if compared else None
        headline = self._headline(orders, items, refunds, at_risk, before)
        if self.question.currency is None:
            headline = replace(
                headline, by_currency=self._by_currency(orders, items, refunds, at_risk, before)
            )
        return replace(
            headline,
            time_steps=self._time_steps(by_key("day", orders), by_key("day", items)),
            by_product_type=self._groups("product_type", items, self._item_group),
            by_airport=self._groups("airport_iata", airports, self._item_group),
            by_contract=self._groups("contract_id", orders, self._order_group),
            by_channel=self._groups("widget_id", orders, self._order_group),
            by_reason=self._groups("reason", refunds, self._reason_group),
            refund_steps=self._refund_steps(by_key("day", refunds)),
        )

    def _headline(
        self,
        orders: KeyedSums,
        items: KeyedSums,
        refunds: KeyedSums,
        at_risk: dict[str, KeyedSums],
        before: tuple[Period, KeyedSums, KeyedSums] | None,
    ) -> Overview:
        period, of_items = self.question.period, total(items)
        return Overview(
            orders=self._orders(period, total(orders)),
            items=self._items(period, of_items),
            refunded=self._refunded(period, of_items),
            refunds=self._refunds(period, total(refunds)),
            at_risk={
                left: self._figure(self._at_risk_view(AT_RISK_VIEWS[left]), total(sums))
                for left, sums in at_risk.items()
            },
            before=self._compared(*before) if before else None,
        )

    def _by_currency(
        self,
        orders: KeyedSums,
        items: KeyedSums,
        refunds: KeyedSums,
        at_risk: dict[str, KeyedSums],
        before: tuple[Period, KeyedSums, KeyedSums] | None,
    ) -> dict[str, Overview]:
        """Return the headline figures of each currency, the one with the most orders first."""
        counts = {one: sums.rows for one, sums in by_key("currency", orders).items()}
        known = {
            key["currency"]
            for found in (orders, items, refunds, *at_risk.values())
            for key, _ in found
        }

        def of(found: KeyedSums, currency: str) -> KeyedSums:
            return [one for one in found if one[0]["currency"] == currency]

        overviews = {}
        for currency in sorted(known, key=lambda one: (-counts.get(one, 0), one)):
            question = replace(self.question, currency=currency)
            alone = replace(self, question=question)
            period, *sums = before or (None, [], [])
            overviews[currency] = alone._headline(
                of(orders, currency),
                of(items, currency),
                of(refunds, currency),
                {left: of(found, currency) for left, found in at_risk.items()},
                (period, of(sums[0], currency), of(sums[1], currency)) if period else None,
            )
        return overviews

    def _compared(self, period: Period, orders: KeyedSums, items: KeyedSums) -> Before:
        """Add up the period before: in all, and by day or month as the question's period."""
        by_day = self.question.period.is_by_day
        by_step: list[dict[date, Sums]] = []
        for found in (orders, items):
            days = [({"day": _step(key["day"], by_day=by_day)}, sums) for key, sums in found]
            by_step.append(by_key("day", days))
        known = sorted(by_step[0].keys() | by_step[1].keys())
        steps = {day: (by_step[0].get(day, Sums()), by_step[1].get(day, Sums())) for day in known}
        return Before(period, total(orders), total(items), steps)

    def _sums(
        self, dimension: Dimension, periods: Sequence[Period], keys: Sequence[str]
    ) -> list[KeyedSums]:
        question = self.question
        asked = {"currency": question.currency, "contract_id": question.contract_id}
        values = {name: value for name, value in asked.items() if value is not None}
        return sum_up_each(
            self.session,
            dimension,
            periods,
            actor=self.actor,
            keys=keys,
            values=values,
            changed=self.changed,
        )

    def _time_steps(self, orders: dict[date, Sums], items: dict[date, Sums]) -> list[TimeStep]:
        steps = []
        for day in sorted(orders.keys() | items.keys()):
            period = self._period_of(day)
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

    def _refund_steps(self, refunds: dict[date, Sums]) -> list[RefundStep]:
        """Return the refunds of each day or month in which some succeeded."""
        periods = {day: self._period_of(day) for day in sorted(refunds)}
        return [
            RefundStep(period, self._refunds(period, refunds[day]))
            for day, period in periods.items()
        ]

    def _period_of(self, day: date) -> Period:
        """Return the day itself, or the part of its month that is in the question's period."""
        last = day if self.question.period.is_by_day else next_month(day) - timedelta(days=1)
        return self.question.period.within(day, last)

    def _groups(
        self, column: str, found: KeyedSums, group: Callable[[str, str, Sums], Group]
    ) -> list[Group]:
        """Make a group per value of the view's column; the largest amount or count comes first."""
        sums = by_key("contract_id" if column == "contract_id" else "value", found)
        has_amounts = self.question.currency is not None

        def largest_first(one: tuple[str, Sums]) -> tuple[int, int, str]:
            return -one[1].amount_minor * has_amounts, -one[1].rows, one[0]

        ordered = sorted(sums.items(), key=largest_first)
        return [group(column, value, of_value) for value, of_value in ordered]

    def _item_group(self, column: str, value: str, sums: Sums) -> Group:
        one, period = {column: among(value)}, self.question.period
        return Group(value, self._items(period, sums, one), self._refunded(period, sums, one))

    def _order_group(self, column: str, value: str, sums: Sums) -> Group:
        one = {column: among(value)}
        if column == "widget_id":
            operator = "blank" if value == Channel.DIRECT else "notBlank"
            one = {column: {"filterType": "text", "type": operator}}
        return Group(value, self._orders(self.question.period, sums, one))

    def _reason_group(self, column: str, value: str, sums: Sums) -> Group:
        period = self.question.period
        return Group(value, self._refunds(period, sums, {column: among(value)}))

    def _orders(
        self, period: Period, sums: Sums, also: dict[str, dict[str, Any]] | None = None
    ) -> Figure:
        return self._figure(self._view(ORDERS, period, also or {}), sums)

    def _items(
        self, period: Period, sums: Sums, also: dict[str, dict[str, Any]] | None = None
    ) -> Figure:
        return self._figure(self._view(ORDER_ITEMS, period, also or {}), sums)

    def _refunded(
        self, period: Period, sums: Sums, also: dict[str, dict[str, Any]] | None = None
    ) -> Figure:
        filters = (also or {}) | {"status": among(ItemStatus.REFUNDED.value)}
        view = self._view(ORDER_ITEMS, period, filters)
        return self._figure(view, Sums(sums.refunded, sums.refunded_minor))

    def _refunds(
        self, period: Period, sums: Sums, also: dict[str, dict[str, Any]] | None = None
    ) -> Figure:
        """Return the refunds that succeeded in a period, whenever their items were created."""
        filters = (also or {}) | {"status": among(RefundStatus.SUCCEEDED.value)}
        return self._figure(self._view(REFUNDS, period, filters), sums)

    def _figure(self, view: View, sums: Sums) -> Figure:
        has_amount = self.question.currency is not None
        return Figure(view, sums.rows, sums.amount_minor if has_amount else 0)

    def _at_risk(self, raw: dict[str, Any]) -> KeyedSums:
        """Count the items whose refund deadline is near; from the rows, in any period."""
        conditions = where(self._at_risk_view(raw), actor=self.actor, now=self.now)
        sums = select(OrderItem.currency, func.count(), func.sum(OrderItem.price_minor))
        rows = self.session.execute(
            sums.where(text(MAY_BE_REFUNDED), *conditions).group_by(OrderItem.currency)
        )
        return [({"currency": code}, Sums(count, int(minor))) for code, count, minor in rows]

    def _at_risk_view(self, raw: dict[str, Any]) -> View:
        return self._view(ORDER_ITEMS, Period(), raw["filters"], raw["sort"])

    def _view(
        self,
        table: Table,
        period: Period,
        also: dict[str, dict[str, Any]],
        sort: list[dict[str, str]] | None = None,
    ) -> View:
        """Return the view that shows the rows of a figure."""
        filters = {}
        if self.question.currency is not None:
            filters["currency"] = among(self.question.currency)
        if period.first is not None and period.last is not None:
            day = "settled_at" if table is REFUNDS else "created_at"
            filters[day] = on_days(period.first, period.last)
        if self.question.contract_id is not None:
            filters["contract_id"] = among(self.question.contract_id)
        raw: dict[str, Any] = {"filters": filters | also, "zone": str(counting.report_zone())}
        return parse_view(table, raw | ({"sort": sort} if sort else {}))


def _step(day: date, *, by_day: bool) -> date:
    return day if by_day else first_of_month(day)
