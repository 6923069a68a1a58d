"""What the sheet *About this export* says of the rows of a view."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from core import query, views
from core.access import Actor
from core.excel.workbook import WrittenTable
from core.ground import format_money, get_settings, in_zone
from core.tables import ORDER_TABS
from core.views import View, describe_sort

ABOUT = "About this export"


@dataclass(frozen=True)
class About:
    """An export: its view in words, and the page that opens it."""

    view: View
    actor: Actor
    now: datetime
    filters: list[str]
    page: str

    def lines(
        self, written: WrittenTable, total: int, totals: dict[str, int], as_of: datetime | None
    ) -> list[tuple[str, str]]:
        """Return the lines of the sheet; `as_of` is given if the rows come from a standby."""
        view, amount = self.view, self.view.table.amount
        sums = [format_money(minor, code) for code, minor in totals.items()]
        local = self.now.astimezone(ZoneInfo(view.zone))
        lines = [("Table", view.table.title)]
        lines += [("Order ID", view.order_id)] if view.order_id is not None else []
        lines += _under("Filters", self.filters)
        lines += _under("Days", query.describe_days(view, self.now))
        lines += [
            ("Sort", describe_sort(view)),
            ("Rows", f"{written.rows:,} of {total:,} {view.table.many}"),
            *(_under(f"Total {amount.header}", sums) if amount else ()),
            ("Time zone", view.zone),
            ("Exported by", self.actor.email),
            ("Exported at", f"{local:%Y-%m-%d %H:%M:%S} ({view.zone})"),
        ]
        if as_of is not None:
            lines.append(("Rows as of", in_zone(as_of, view.zone, seconds=True)))
        return [*lines, ("Page", self.page), *written.notes]


def about_export(view: View, *, actor: Actor, now: datetime) -> About:
    """Describe the export of a view; asked before its rows, with the actor's rights of now."""
    filters = view.in_words(query.names_in(view, actor=actor)) or ["none"]
    return About(view, actor, now, filters, _page_of(view, actor))


def _under(label: str, texts: list[str]) -> list[tuple[str, str]]:
    """Put a label before the first of some texts."""
    return [(label if i == 0 else "", text) for i, text in enumerate(texts)]


def _page_of(view: View, actor: Actor) -> str:
    """Return the address that opens the view; it contains no token."""
    page, parameters = view.table.name, views.address_of(view, actor=actor)
    if view.order_id is not None:
        tab = ORDER_TABS[view.table.name]
        address = views.address_of(view, actor=actor, parameter=tab)
        page, parameters = "order", {"order": view.order_id} | address
    return f"{get_settings().public_url}/{page}?{urlencode(parameters)}"
