"""Views in transport: parsed from untrusted JSON, written to JSON and to a URL."""

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

# Limits of a request: far above what users need, far below what harms the server.
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
    keys: list[str] | None = Field(None, max_length=MAX_IDS)
    columns: list[str | _RawColumn] | None = Field(None, min_length=1, max_length=200)
    zone: str | None = None


_raw_view = TypeAdapter(_RawView)


def default_view(table: Table, zone: str = "UTC", *, order_id: str | None = None) -> View:
    """Return the default view: all rows, newest first, the default columns."""
    return parse_view(table, {"zone": zone}, order_id=order_id)


def parse_view(
    table: Table,
    raw: object,
    *,
    zone: str = "UTC",
    order_id: str | None = None,
    left_out: list[str] | None = None,
) -> View:
    """Parse an untrusted view; `zone` is its time zone if it names none.

    Raises InvalidInput, which names the column and the problem. With `left_out`, invalid parts are
    left out instead, and their error texts appended to it.
    """
    shape = _with_current_names(table, _parse_shape(raw))
    named = shape.zone if shape.zone is not None else zone
    if named not in zones():
        raise InvalidInput(f"“{named[:60]}” is not an IANA time zone.")
    columns, layout = _parse_columns(table, shape.columns, order_id, left_out)
    return View(
        table=table,
        filters=_parse_filters(table, shape.filters, left_out),
        sort=_parse_sort(table, shape.sort, order_id, left_out),
        columns=columns,
        zone=named,
        search=parse_search(shape.search),
        ids=_parse_ids(table, shape.ids),
        keys=None if shape.keys is None else _parse_ids(table, shape.keys),
        layout=layout,
        order_id=order_id,
    )


def _parse_shape(raw: object) -> _RawView:
    try:
        json.dumps(raw, ensure_ascii=False).encode()
    except (UnicodeEncodeError, TypeError, RecursionError):
        raise InvalidInput("The view contains a character that cannot be stored.") from None
    try:
        return _raw_view.validate_python(raw)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:100]
        raise InvalidInput(f"The view is invalid at “{where}”: {first['msg']}.") from None


def _with_current_names(table: Table, shape: _RawView) -> _RawView:
    """Give columns that an older view names the names that they have now."""

    def current(name: str) -> str:
        column = table.column(name)
        return column.name if column else name

    filters = {current(name): one for name, one in shape.filters.items()}
    if len(filters) < len(shape.filters):
        raise InvalidInput("The view filters the same column twice.")
    for one in shape.sort or []:
        one.colId = current(one.colId)
    columns = shape.columns and [
        current(one)
        if isinstance(one, str)
        else one.model_copy(update={"colId": current(one.colId)})
        for one in shape.columns
    ]
    return shape.model_copy(update={"filters": filters, "columns": columns})


def _parse_each(
    items: Iterable[Raw], parse: Callable[[Raw], Parsed], left_out: list[str] | None
) -> list[Parsed]:
    """Parse each item. An invalid one raises; with `left_out`, its error text is appended."""
    parsed = []
    for item in items:
        try:
            parsed.append(parse(item))
        except InvalidInput as error:
            if left_out is None:
                raise
            left_out.append(str(error))
    return parsed


def _offered_column(table: Table, name: str) -> Column:
    column = table.column(name)
    if column is None or not column.can_be_shown:
        raise InvalidInput(f"{table.title} has no column “{name[:60]}”.")
    return column


def _parse_sort(
    table: Table, raw: list[_RawSort] | None, order_id: str | None, left_out: list[str] | None
) -> tuple[Sort, ...]:
    if raw is None and order_id is not None and table.sorted_in_order_by is not None:
        raw = [_RawSort(colId=table.sorted_in_order_by, sort="asc")]
    elif raw is None:
        raw = [_RawSort(colId=table.newest, sort="desc")]
    if len({one.colId for one in raw}) < len(raw):
        raise InvalidInput("The view sorts by the same column twice.")

    def parse(one: _RawSort) -> Sort:
        return Sort(_offered_column(table, one.colId), one.sort == "desc")

    return tuple(_parse_each(raw, parse, left_out))


def _parse_columns(
    table: Table,
    raw: list[str | _RawColumn] | None,
    order_id: str | None,
    left_out: list[str] | None,
) -> tuple[tuple[Column, ...], tuple[tuple[str, Layout], ...]]:
    if raw is None:
        shown = table.shown if order_id is None else table.shown_in_order
        pinned = ((one.name, Layout(pinned="left")) for one in shown if one.is_pinned)
        return shown, tuple(pinned)
    named = [_RawColumn(colId=one) if isinstance(one, str) else one for one in raw]
    if len({one.colId for one in named}) < len(named):
        raise InvalidInput("The view names the same column twice.")
    names = (one.colId for one in named)
    columns = _parse_each(names, lambda name: _offered_column(table, name), left_out)
    said = {one.colId: Layout(one.width, one.pinned) for one in named if one.width or one.pinned}
    sides = {"left": 0, None: 1, "right": 2}
    if not columns:
        return _parse_columns(table, None, order_id, left_out)
    columns.sort(key=lambda column: sides[said.get(column.name, Layout()).pinned])
    layout = tuple((column.name, said[column.name]) for column in columns if column.name in said)
    return tuple(columns), layout


def _parse_filters(
    table: Table, raw: dict[str, RawFilter], left_out: list[str] | None
) -> tuple[Filter, ...]:
    """Parse filters and sort them by column, so that equal filters give equal views."""
    filters = _parse_each(
        raw.items(), lambda item: parse_filter(_offered_column(table, item[0]), item[1]), left_out
    )
    return tuple(sorted(filters, key=lambda one: table.columns.index(one.column)))


def parse_search(text: str) -> str:
    """Parse the text of the quick search; raises InvalidInput if it has too many words."""
    words = text.split()
    if len(words) > MAX_SEARCH_WORDS:
        raise InvalidInput(f"A search can have at most {MAX_SEARCH_WORDS} words.")
    return check_text("Search", " ".join(words)) if words else ""


def _parse_ids(table: Table, texts: Iterable[str]) -> tuple[str, ...]:
    header = table.key_column.header
    return tuple(dict.fromkeys(check_text(header, one) for one in texts))


def normal_view(view: View) -> View:
    """Return the view as the grid sends it back: columns in the order of the screen."""
    return parse_view(view.table, to_json(view), order_id=view.order_id)


def to_json(view: View) -> dict[str, Any]:
    """Return the view as JSON values in AG Grid's format, which `parse_view` reads."""
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
    if view.keys is not None:
        raw["keys"] = list(view.keys)
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
    """Return the text of `?view=` without the default parts, which is a third as long."""
    usual = default_view(view.table, view.zone, order_id=view.order_id)
    defaults = to_json(usual) | {"zone": None}
    return _encoded({key: part for key, part in to_json(view).items() if defaults.get(key) != part})


def _encoded(raw: dict[str, Any]) -> str:
    text = json.dumps(raw, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def from_address(text: str) -> object:
    """Decode the text of `?view=` for `parse_view`; raises InvalidInput if it is damaged."""
    if len(text) > MAX_VIEW_BYTES:
        raise InvalidInput("The view in the link is too long.")
    try:
        raw: object = json.loads(
            base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        )
    except (binascii.Error, ValueError, RecursionError):
        raise InvalidInput("The view in the link is damaged.") from None
    return raw
