"""Views against a plain Python filter of the same rows: grid, count and Excel file must agree."""

import io
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import bulk, db, excel, query, users
from core.conditions import ascii_lower
from core.errors import InvalidInput
from core.models import Contract, Order, fold
from core.tables import ORDERS
from core.users import Actor
from core.view import View
from core.view_json import default_view, from_address, parse_view, to_address, to_json
from tests.conftest import NOW, use_database
from tests.rows import make_order

ZONES = ["UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]
TEXTS = [
    "ana@helios.example", "ANA@HELIOS.example", "Zoë Müller", "zoë", "Иван Петров", "ИВАН",
    "İbrahim", "Straße", "STRASSE", "100%", "a_b", "a/b", "=1+1", "@SUM(A1)", "-2+3", "王伟",
    "محمد", "😀", "x\x01y", "back\\slash", "quote'\"", "_x0041_", "tab\there",
]  # fmt: skip
ROWS = 120


def _random_rows() -> list[dict[str, Any]]:
    drawn = random.Random(7)
    rows = []
    for no in range(1, ROWS + 1):
        created = datetime(2026, 3, 27, tzinfo=UTC) + timedelta(minutes=drawn.randrange(6 * 1440))
        rows.append(
            {
                "no": no,
                "order_id": f"{drawn.choice(('OD', 'od', 'x%y_z', '=X'))}-{no}",
                "widget_id": drawn.choice([None, None, "W-1", "w-1", "W_2", "É%"]),
                "created_at": created,
                "item_count": drawn.randrange(1, 7),
                "contract_id": drawn.choice(["CT-1", "CT-2", "ct-3"]),
                "author": drawn.choice(TEXTS),
                "amount_minor": 100,
                "currency": "EUR",
                "contact_email": None,
            }
        )
    return rows


DATA = _random_rows()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, make_database: Callable[[str], str]) -> str:
    """Fill one database of each kind with the random rows, once for the module."""
    url = make_database(request.param)
    use_database(url)
    with db.writing() as session:
        for contract_id in ("CT-1", "CT-2", "ct-3"):
            session.add(Contract(contract_id=contract_id, name=contract_id, currency="EUR"))
        session.flush()
        stored = [
            {**row, "created_at": int(row["created_at"].timestamp())}
            | {"author_folded": fold(row["author"])}
            for row in DATA
        ]
        names = bulk.names_of(Order)
        bulk.insert(session, Order, [tuple(row[name] for name in names) for row in stored])
    return url


# The plain Python filter: written from the README's words, not from the SQL.


def _fold_for(name: str, value: str) -> str:
    return fold(value) if name == "author" else ascii_lower(value)


def _holds(row: dict[str, Any], name: str, asked: dict[str, Any], zone: str) -> bool:
    value, kind = row[name], asked["filterType"]
    if kind == "set":
        return value in asked["values"]
    type_ = asked["type"]
    if type_ == "blank":
        return value is None
    if type_ == "notBlank":
        return value is not None
    if value is None:
        return type_ in ("notContains", "notEqual")
    if kind == "text":
        text, wanted = _fold_for(name, value), _fold_for(name, asked["filter"])
        return {
            "contains": wanted in text,
            "notContains": wanted not in text,
            "equals": text == wanted,
            "notEqual": text != wanted,
            "startsWith": text.startswith(wanted),
            "endsWith": text.endswith(wanted),
        }[type_]
    if kind == "date":
        value = value.astimezone(ZoneInfo(zone)).date()
        first = date.fromisoformat(asked["dateFrom"][:10])
        last = date.fromisoformat(asked.get("dateTo", asked["dateFrom"])[:10])
    else:
        first, last = asked["filter"], asked.get("filterTo")
    return {
        "equals": value == first,
        "notEqual": value != first,
        "lessThan": value < first,
        "lessThanOrEqual": value <= first,
        "greaterThan": value > first,
        "greaterThanOrEqual": value >= first,
        "inRange": last is not None and first <= value <= last,
    }[type_]


def _expected(raw: dict[str, Any]) -> list[str]:
    def fits(row: dict[str, Any]) -> bool:
        for name, asked in raw["filters"].items():
            parts = asked.get("conditions", [asked])
            held = [_holds(row, name, part, raw["zone"]) for part in parts]
            if not (any(held) if asked.get("operator") == "OR" else all(held)):
                return False
        return True

    rows = [row for row in DATA if fits(row)]
    keys = [(one["colId"], one["sort"] == "desc") for one in raw["sort"]]
    keys.append(("order_id", keys[-1][1] if keys else False))
    for name, descending in reversed(keys):
        present = [row for row in rows if row[name] is not None]
        missing = [row for row in rows if row[name] is None]
        # Python compares text by code point, as both databases are told to.
        rows = sorted(present, key=lambda row, n=name: row[n], reverse=descending) + missing
    return [row["order_id"] for row in rows]


# Random views of every kind of filter.

_texts = st.sampled_from([*TEXTS, "a", "o", "%", "_", "ÄÖ", "ß", "е", "OD", "x%", "W", "-1", "\\"])
_days = st.dates(date(2026, 3, 25), date(2026, 4, 4)).map(lambda day: f"{day} 00:00:00")
_numbers = st.one_of(st.integers(-1, ROWS + 2), st.sampled_from([2.5, 1e6, -3.25]))
_orderings = ["equals", "notEqual", "lessThan", "lessThanOrEqual", "greaterThan"]
_orderings += ["greaterThanOrEqual"]


@st.composite
def _conditions(draw: Any, kind: str) -> dict[str, Any]:
    if draw(st.integers(0, 7)) == 0:
        return {"filterType": kind, "type": draw(st.sampled_from(["blank", "notBlank"]))}
    if kind == "text":
        types = ["contains", "notContains", "equals", "notEqual", "startsWith", "endsWith"]
        return {"filterType": kind, "type": draw(st.sampled_from(types)), "filter": draw(_texts)}
    values, names = (
        (_numbers, ("filter", "filterTo")) if kind == "number" else (_days, ("dateFrom", "dateTo"))
    )
    if draw(st.booleans()):
        first, last = sorted([draw(values), draw(values)])
        return {"filterType": kind, "type": "inRange", names[0]: first, names[1]: last}
    return {"filterType": kind, "type": draw(st.sampled_from(_orderings)), names[0]: draw(values)}


@st.composite
def _filters(draw: Any, kind: str, choices: list[Any] | None) -> dict[str, Any]:
    if choices and draw(st.booleans()):
        return {"filterType": "set", "values": draw(st.lists(st.sampled_from(choices), max_size=4))}
    if draw(st.booleans()):
        return draw(_conditions(kind))
    parts = [draw(_conditions(kind)), draw(_conditions(kind))]
    return {
        "filterType": kind,
        "operator": draw(st.sampled_from(["AND", "OR"])),
        "conditions": parts,
    }


_COLUMNS: dict[str, tuple[str, list[Any] | None]] = {
    "no": ("number", None),
    "order_id": ("text", None),
    "widget_id": ("text", [None, "W-1", "w-1", "W_2", "É%", "gone"]),
    "created_at": ("date", None),
    "item_count": ("number", None),
    "contract_id": ("text", ["CT-1", "CT-2", "ct-3"]),
    "author": ("text", TEXTS),
}


@st.composite
def _views(draw: Any) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(sorted(_COLUMNS)), max_size=3, unique=True))
    sorts = draw(st.lists(st.sampled_from(sorted(_COLUMNS)), max_size=3, unique=True))
    columns = draw(st.lists(st.sampled_from(sorted(_COLUMNS)), min_size=1, unique=True))
    return {
        "filters": {name: draw(_filters(*_COLUMNS[name])) for name in names},
        "sort": [{"colId": n, "sort": draw(st.sampled_from(["asc", "desc"]))} for n in sorts],
        "columns": columns,
        "zone": draw(st.sampled_from(ZONES)),
    }


def _all_rows(view: View, actor: Actor) -> list[str]:
    """Page through the view in windows that do not divide it evenly."""
    ids: list[str] = []
    while True:
        frame = query.load_rows(view, actor=actor, now=NOW, start=len(ids), end=len(ids) + 37)
        ids += frame["order_id"].tolist()
        if len(frame) < 37:
            return ids


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(raw=_views())
def test_grid_count_and_excel_agree_with_a_plain_python_filter(
    filled: str, raw: dict[str, Any]
) -> None:
    use_database(filled)
    actor = users.find_local_actor()
    assert actor is not None
    view = parse_view(ORDERS, raw)
    expected = _expected(raw)

    assert _all_rows(view, actor) == expected
    assert query.count_rows(view, actor=actor, now=NOW) == len(expected)

    file = io.BytesIO()
    assert excel.export(view, file, actor=actor, now=NOW) == len(expected)
    sheet, about = openpyxl.load_workbook(file).worksheets
    header, *rows = sheet.iter_rows(values_only=True)
    assert [str(name).split(" (")[0] for name in header] == [c.header for c in view.columns]
    if "order_id" in raw["columns"]:
        place = raw["columns"].index("order_id")
        assert [row[place] for row in rows] == expected
    else:
        assert len(rows) == len(expected)
    said = {row[0]: row[1] for row in about.iter_rows(values_only=True)}
    assert said["Rows"] == f"{len(expected):,} of {ROWS:,} orders"


@settings(max_examples=100, deadline=None, derandomize=True)
@given(raw=_views())
def test_a_view_survives_its_address(raw: dict[str, Any]) -> None:
    view = parse_view(ORDERS, raw)
    assert parse_view(ORDERS, from_address(to_address(view))) == view
    assert parse_view(ORDERS, to_json(view)) == view


# Scope: every query starts from what the actor may see.


def _actor(**given: Any) -> Actor:
    return Actor("u", "ana@helios.example", users.Role.VIEWER, **given)


def test_an_actor_without_contracts_sees_no_row_count_or_choice(database: str) -> None:
    make_order(contract_id="CT-1")
    view, nobody = default_view(ORDERS), _actor()
    assert query.load_rows(view, actor=nobody, now=NOW, start=0, end=10).empty
    assert query.count_rows(view, actor=nobody, now=NOW) == 0
    assert query.load_choices(view, "author", actor=nobody, now=NOW).empty


def test_an_actor_sees_the_orders_of_their_contracts_alone(database: str) -> None:
    mine = make_order(contract_id="CT-1")
    make_order(contract_id="CT-2")
    actor = _actor(contracts=frozenset({"CT-1"}))
    view = default_view(ORDERS)
    assert query.load_rows(view, actor=actor, now=NOW, start=0, end=9)["order_id"].tolist() == [mine]
    assert query.load_choices(view, "contract_id", actor=actor, now=NOW)["value"].tolist() == ["CT-1"]


def test_an_actor_of_own_orders_sees_those_they_made(database: str) -> None:
    mine = make_order(author="ANA@helios.example")
    make_order(author="bob@helios.example")
    actor = _actor(sees_all_contracts=True, only_own_orders=True)
    frame = query.load_rows(default_view(ORDERS), actor=actor, now=NOW, start=0, end=9)
    assert frame["order_id"].tolist() == [mine]


def test_choices_count_the_rows_that_the_other_filters_leave(database: str, admin: Actor) -> None:
    make_order(widget_id="W-1", item_count=2)
    make_order(widget_id="W-1", item_count=5)
    make_order(widget_id=None, item_count=5)
    make_order(widget_id="W-2", item_count=1)
    over_one = {"filterType": "number", "type": "greaterThan", "filter": 1}
    chosen = {"filterType": "set", "values": ["W-2"]}
    view = parse_view(ORDERS, {"filters": {"item_count": over_one, "widget_id": chosen}})
    choices = query.load_choices(view, "widget_id", actor=admin, now=NOW)
    assert choices.values.tolist() == [[None, 1], ["W-1", 2]]
    found = query.load_choices(view, "widget_id", actor=admin, now=NOW, search="w-")
    assert found.values.tolist() == [["W-1", 2]]


def test_a_window_that_is_none_is_refused(sqlite_database: str, admin: Actor) -> None:
    for start, end in ((5, 5), (-1, 5), (0, 100_000), (2**40, 2**40 + 1)):
        with pytest.raises(InvalidInput, match="window"):
            query.load_rows(default_view(ORDERS), actor=admin, now=NOW, start=start, end=end)


def test_frames_have_exact_types_even_without_rows(database: str, admin: Actor) -> None:
    empty = query.load_rows(default_view(ORDERS), actor=admin, now=NOW, start=0, end=5)
    make_order()
    filled = query.load_rows(default_view(ORDERS), actor=admin, now=NOW, start=0, end=5)
    for frame in (empty, filled):
        assert str(frame["no"].dtype) == "Int64"
        assert str(frame["created_at"].dtype) == "datetime64[s, UTC]"
        assert str(frame["author"].dtype) == "str"
