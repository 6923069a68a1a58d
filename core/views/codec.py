"""Views as they travel: understood from untrusted JSON, written to JSON and to an address."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from core.ground import InvalidInput, check_text, zones
from core.tables import Column, Table
from core.views.filters import RawFilter, filter_to_json, parse_filter
from core.views.view import Filter, Layout, Sort, View

# Limits of what a browser may send: far above what a person makes, far below what hurts.
MAX_VIEW_BYTES = 1_000_000
MAX_IDS = 10_000
MAX_SEARCH_WORDS = 8

Raw = TypeVar("Raw")
Parsed = TypeVar("Parsed")


class _RawSort(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    colId: str  # noqa: N815 - AG Grid's names
    sort: Literal["asc", "desc"]


class _RawColumn(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    colId: str  # noqa: N815
    width: int | None = Field(None, ge=20, le=2_000)
    pinned: Literal["left", "right"] | None = None


class _RawView(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    filters: dict[str, RawFilter] = {}
    sort: list[_RawSort] | None = Field(None, max_length=20)
    search: str = ""
    ids: list[str] = Field([], max_length=MAX_IDS)
    columns: list[str | _RawColumn] | None = Field(None, min_length=1, max_length=200)
    zone: str | None = None


_raw_view = TypeAdapter(_RawView)


def default_view(table: Table, zone: str = "UTC", *, order_id: str | None = None) -> View:
    """Return the view a person sees first: every row, newest first, the usual columns."""
    return parse_view(table, {"zone": zone}, order_id=order_id)


def parse_view(
    table: Table,
    raw: object,
    *,
    zone: str = "UTC",
    order_id: str | None = None,
    left_out: list[str] | None = None,
) -> View:
    """Understand a view that came from outside; `zone` serves when it names none.

    Raises InvalidInput, saying what is wrong with which column; with `left_out`, parts that cannot
    be understood are left out instead, and said there.
    """
    shape = _parse_shape(raw)
    named = shape.zone if shape.zone is not None else zone
    if named not in zones():
        raise InvalidInput(f"“{named[:60]}” is not an IANA time zone.")
    columns, layout = _parse_columns(table, shape.columns, left_out)
    return View(
        table=table,
        filters=_parse_filters(table, shape.filters, left_out),
        sort=_parse_sort(table, shape.sort, left_out),
        columns=columns,
        zone=named,
        search=parse_search(shape.search),
        ids=tuple(dict.fromkeys(_check_id(table, one) for one in shape.ids)),
        layout=layout,
        order_id=order_id,
    )


def _parse_shape(raw: object) -> _RawView:
    try:
        json.dumps(raw, ensure_ascii=False).encode()
    except (UnicodeEncodeError, TypeError, RecursionError):
        raise InvalidInput("The view holds a character that cannot be stored.") from None
    try:
        return _raw_view.validate_python(raw)
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"])[:100]
        raise InvalidInput(f"The view is malformed at “{where}”: {fault['msg']}.") from None


def _kept(
    items: Iterable[Raw], parse: Callable[[Raw], Parsed], left_out: list[str] | None
) -> list[Parsed]:
    """Parse each; what cannot be is an error, or where `left_out` takes notes, left out."""
    kept = []
    for item in items:
        try:
            kept.append(parse(item))
        except InvalidInput as error:
            if left_out is None:
                raise
            left_out.append(str(error))
    return kept


def _offered_column(table: Table, name: str) -> Column:
    column = table.column(name)
    if column is None or not column.can_be_shown:
        raise InvalidInput(f"{table.title} has no column “{name[:60]}”.")
    return column


def _parse_sort(
    table: Table, raw: list[_RawSort] | None, left_out: list[str] | None
) -> tuple[Sort, ...]:
    if raw is None:
        raw = [_RawSort(colId=table.newest, sort="desc")]
    if len({one.colId for one in raw}) < len(raw):
        raise InvalidInput("The view sorts by the same column twice.")

    def parse(one: _RawSort) -> Sort:
        return Sort(_offered_column(table, one.colId), one.sort == "desc")

    return tuple(_kept(raw, parse, left_out))


def _parse_columns(
    table: Table, raw: list[str | _RawColumn] | None, left_out: list[str] | None
) -> tuple[tuple[Column, ...], tuple[tuple[str, Layout], ...]]:
    named = [_RawColumn(colId=one) if isinstance(one, str) else one for one in raw or []]
    if len({one.colId for one in named}) < len(named):
        raise InvalidInput("The view names the same column twice.")
    columns = _kept((one.colId for one in named), lambda n: _offered_column(table, n), left_out)
    said = {one.colId: Layout(one.width, one.pinned) for one in named if one.width or one.pinned}
    sides = {"left": 0, None: 1, "right": 2}
    columns.sort(key=lambda column: sides[said.get(column.name, Layout()).pinned])
    layout = tuple((column.name, said[column.name]) for column in columns if column.name in said)
    return tuple(columns) or table.shown, layout


def _parse_filters(
    table: Table, raw: dict[str, RawFilter], left_out: list[str] | None
) -> tuple[Filter, ...]:
    """Order filters as the columns are, so that the same filters are the same view."""
    filters = _kept(
        raw.items(), lambda item: parse_filter(_offered_column(table, item[0]), item[1]), left_out
    )
    return tuple(sorted(filters, key=lambda one: table.columns.index(one.column)))


def parse_search(text: str) -> str:
    """Understand what was typed into the quick search; raises InvalidInput for too much of it."""
    words = text.split()
    if len(words) > MAX_SEARCH_WORDS:
        raise InvalidInput(f"A search has at most {MAX_SEARCH_WORDS} words.")
    return check_text("Search", " ".join(words)) if words else ""


def _check_id(table: Table, text: str) -> str:
    return check_text(table.key_column.header, text)


def normal_view(view: View) -> View:
    """Return the view as it comes back from the grid: columns in the order of the screen."""
    return parse_view(view.table, to_json(view), order_id=view.order_id)


def to_json(view: View) -> dict[str, Any]:
    """Return the view as plain JSON, in AG Grid's words; parse_view reads it back."""
    layout = dict(view.layout)
    raw: dict[str, Any] = {
        "filters": {one.column.name: filter_to_json(one) for one in view.filters},
        "sort": [
            {"colId": one.column.name, "sort": "desc" if one.descending else "asc"}
            for one in view.sort
        ],
        "columns": [_column_to_json(column, layout.get(column.name)) for column in view.columns],
        "zone": view.zone,
    }
    asked = {"search": view.search, "ids": list(view.ids)}
    return raw | {key: value for key, value in asked.items() if value}


def _column_to_json(column: Column, layout: Layout | None) -> str | dict[str, Any]:
    if layout is None:
        return column.name
    said = {"width": layout.width, "pinned": layout.pinned}
    return {"colId": column.name} | {key: value for key, value in said.items() if value}


def to_address(view: View) -> str:
    """Return the view as the text of `?view=`: base64url of its JSON, without padding."""
    return _encoded(to_json(view))


def to_short_address(view: View) -> str:
    """Return the text of `?view=` without what every view has at first: a third as long."""
    usual = to_json(default_view(view.table, view.zone)) | {"zone": None}
    return _encoded({key: part for key, part in to_json(view).items() if usual.get(key) != part})


def _encoded(raw: dict[str, Any]) -> str:
    text = json.dumps(raw, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def from_address(text: str) -> object:
    """Read the text of `?view=`, for parse_view; raises InvalidInput when it is damaged."""
    if len(text) > MAX_VIEW_BYTES:
        raise InvalidInput("The link's view is too long.")
    try:
        raw: object = json.loads(
            base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        )
    except (binascii.Error, ValueError, RecursionError):
        raise InvalidInput("The link's view is damaged.") from None
    return raw
