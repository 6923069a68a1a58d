"""The sentences of imports, downloads, and demo data."""

from collections.abc import Mapping

from core.history.event import Event, count_in, counted, in_one_line
from core.history.telling import ANY, Subject, tells

# The rows of the tables that are not named after their rows.
_ROWS = {"emails": "e-mails", "audit_trail": "audit events"}
_DEMO = {
    "orders": "order",
    "refunds": "refund",
    "emails": "e-mail",
    "saved_views": "saved view",
}
_NAMED = {"orders": "order", "order_items": "order item", "transactions": "transaction"}


@tells("orders.imported", Subject.FILES)
def _imported(event: Event) -> str:
    used = event.count("used")
    added = _counts(_facts(event, "added"), _NAMED)
    marked = f"{counted(used, 'order item')} marked as used" if used else ""
    outcome = ", ".join(filter(None, (f"{added} added" if added else "", marked)))
    return f"{event.who} imported {_files(event)}{f': {outcome}' if outcome else ''}."


@tells("import.faults_downloaded", Subject.FILES)
def _faults(event: Event) -> str:
    count = event.count("faults")
    errors = "the import errors" if count is None else counted(count, "import error")
    return f"{event.who} downloaded {errors} of {_files(event)}."


@tells("orders.dumped", Subject.FILES)
def _dumped(event: Event) -> str:
    return f"{event.who} downloaded all orders as an import workbook."


@tells("order.exported", Subject.FILES)
def _order(event: Event) -> str:
    named = in_one_line(event.entity_id)
    return (
        f"{event.who} downloaded order {named}." if named else f"{event.who} downloaded an order."
    )


@tells("refunds.exported", Subject.FILES)
def _refunds(event: Event) -> str:
    if event.entity != "refund_batch":
        return _exported(event)
    count = event.count("rows")
    rows = "" if count is None else f": {counted(count, 'row')}"
    return f"{event.who} downloaded the results of a refund request{rows}."


@tells(f"{ANY}exported", Subject.FILES)
def _exported(event: Event) -> str:
    table = event.action.rpartition(".")[0]
    rows, count = _ROWS.get(table) or in_one_line(table).replace("_", " "), event.count("rows")
    if count is not None:
        rows = counted(count, rows.removesuffix("s"))
    order = event.words("order_id")
    as_file = {"xlsx": " as Excel", "csv": " as CSV"}.get(event.words("file"), "")
    return f"{event.who} downloaded {rows}{f' of order {order}' if order else ''}{as_file}."


@tells("orders.demo_filled", Subject.DATABASE)
def _demo_filled(event: Event) -> str:
    return f"{event.who} filled the database with {_sample(event)}."


@tells("orders.demo_reset", Subject.DATABASE)
def _demo_reset(event: Event) -> str:
    return f"{event.who} replaced the demo data with {_sample(event)}{_deleted(event)}."


@tells("orders.demo_cleared", Subject.DATABASE)
def _demo_cleared(event: Event) -> str:
    return f"{event.who} deleted the demo data{_deleted(event)}."


@tells("figures.rebuilt", Subject.DATABASE)
def _figures(event: Event) -> str:
    return f"{event.who} counted the figures of Overview again."


@tells("keys.trusted", Subject.DATABASE)
def _keys(event: Event) -> str:
    told = ["trusted a new signing secret"] if event.flag("secret") else []
    told += [f"trusted the voucher key {one}" for one in event.parts("voucher_keys") if one]
    told += [f"removed the voucher key {one}" for one in event.parts("removed") if one]
    return f"{event.who} {' and '.join(told) or 'trusted the keys of a process'}."


def _files(event: Event) -> str:
    return in_one_line(event.entity_id) or "files"


def _sample(event: Event) -> str:
    count = event.count("orders")
    return "sample orders" if count is None else counted(count, "sample order")


def _deleted(event: Event) -> str:
    counts = _counts(event.before or {}, _DEMO)
    return f". Deleted: {counts}" if counts else ""


def _facts(event: Event, name: str) -> Mapping[str, object]:
    value = (event.after or {}).get(name)
    return value if isinstance(value, Mapping) else {}


def _counts(facts: Mapping[str, object], named: Mapping[str, str]) -> str:
    """Return the counts that are not zero: 2 orders, 3 order items."""
    counts = ((count_in(facts, name), one) for name, one in named.items())
    return ", ".join(counted(count, one) for count, one in counts if count)
