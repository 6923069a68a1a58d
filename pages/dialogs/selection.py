"""What the selected rows are to an action on order items: items, orders with items, or refunds."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from core import query, refunds
from core.access import Actor
from core.ground import AppError
from pages.grid import GridState

ITEM = "Order Item ID"  # the header of the items in a dialog
MAX_NAMED = 3  # orders


@dataclass(frozen=True)
class Chosen:
    """The order items that a dialog is about, as they were when it opened.

    An item that an order gets later is not among them, so nobody refunds it without seeing it.
    """

    item_ids: tuple[str, ...]
    notes: tuple[str, ...] = ()  # sentences about rows that are hidden, missing or without items
    orders: Mapping[str, str] = field(default_factory=dict)  # of each item, if orders are selected
    refunded: Mapping[str, str] = field(default_factory=dict)  # the item of each selected refund
    problem: str = ""  # why there is nothing to act on

    def with_orders(self, lines: Sequence[dict[str, str]]) -> list[dict[str, str]]:
        """Add the order of each item to lines of a dialog, if orders are selected."""
        if not self.orders:
            return list(lines)
        places = {item: place for place, item in enumerate(self.orders)}
        sorted_lines = sorted(lines, key=lambda one: places[one[ITEM]])
        return [{"Order ID": self.orders[one[ITEM]]} | one for one in sorted_lines]


@dataclass(frozen=True)
class Source:
    """Where the order items come from, and how the buttons are called there.

    The labels for items are those of the manual. For orders they are the same words, of several
    vouchers; … says that they act on what the dialog lists first: not the rows that are selected,
    but their items.
    """

    choose: Callable[[GridState, Actor], Chosen]
    # The keys of the rows that stay selected after the refund of some items was requested.
    remaining: Callable[[Sequence[str], Chosen, Collection[str]], list[str]]
    refund: str
    refund_help: str  # while nothing is selected
    download: str = ""  # no button if it has no name
    download_help: str = ""
    send: str = ""
    send_help: str = ""


def _choose_items(state: GridState, actor: Actor) -> Chosen:
    return Chosen(state.selected, _notes_of(state, actor))


def _choose_refunds(state: GridState, actor: Actor) -> Chosen:
    try:
        found = refunds.find_items(state.selected, actor=actor)
    except AppError as error:
        return Chosen((), problem=str(error))
    if not found:
        return Chosen((), problem="The selected refunds were not found.")
    return Chosen(tuple(dict.fromkeys(found.values())), _notes_of(state, actor), refunded=found)


def _choose_orders(state: GridState, actor: Actor) -> Chosen:
    try:
        found = query.find_items_of(state.selected, actor=actor)
    except AppError as error:
        return Chosen((), problem=str(error))
    hidden = _count_hidden(state, actor) - len(found.not_found)
    notes = (_about_hidden(hidden, "orders"),) if hidden > 0 else ()
    missing = (
        *_about(found.without_items, "has no items.", "have no items:"),
        *_about(
            found.not_found,
            "was not found, or you have no access to it.",
            "were not found, or you have no access to them:",
        ),
    )
    if not found.orders:
        return Chosen((), problem=" ".join(missing))
    return Chosen(found.item_ids, (*notes, *missing), found.orders)


def _about(orders: Sequence[str], one: str, several: str) -> list[str]:
    """Return a sentence about these orders; nothing if there are none."""
    if len(orders) <= 1:
        return [f"Order {order} {one}" for order in orders]
    more = len(orders) - MAX_NAMED
    named = ", ".join(orders[:MAX_NAMED]) + (f" and {more:,} more" if more > 0 else "")
    return [f"{len(orders):,} of the selected orders {several} {named}."]


def _notes_of(state: GridState, actor: Actor) -> tuple[str, ...]:
    hidden = _count_hidden(state, actor)
    return (_about_hidden(hidden, "rows"),) if hidden else ()


def _about_hidden(hidden: int, many: str) -> str:
    return f"The current filter hides {hidden:,} of the selected {many}."


def _count_hidden(state: GridState, actor: Actor) -> int:
    """Count the selected rows that the table's filter hides."""
    seen = query.count_among(state.view, state.selected, actor=actor, now=datetime.now(UTC))
    return len(state.selected) - seen


def _other_items(selected: Sequence[str], _: Chosen, requested: Collection[str]) -> list[str]:
    return [one for one in selected if one not in requested]


def _other_refunds(
    selected: Sequence[str], chosen: Chosen, requested: Collection[str]
) -> list[str]:
    return [one for one in selected if chosen.refunded.get(one) not in requested]


def _untouched_orders(
    selected: Sequence[str], chosen: Chosen, requested: Collection[str]
) -> list[str]:
    touched = {chosen.orders[one] for one in requested}
    return [one for one in selected if one not in touched]


ITEMS = Source(
    _choose_items,
    _other_items,
    "Refund",
    "Select order items to refund them",
    "Download Voucher",
    "Select order items to download their vouchers",
    "Send Voucher",
    "Select order items to e-mail their vouchers",
)
ORDERS = Source(
    _choose_orders,
    _untouched_orders,
    "Refund…",
    "Select orders to refund their items",
    "Download Vouchers…",
    "Select orders to download the vouchers of their items",
    "Send Vouchers…",
    "Select orders to e-mail the vouchers of their items",
)
REFUNDS = Source(
    _choose_refunds,
    _other_refunds,
    "Refund again",
    "Select failed refunds to request them again",
)
