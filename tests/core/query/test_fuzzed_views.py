"""Thousands of broken views: each is refused, or shows only rows of the actor.

test_random_views tests what a valid view means; this module tests only what must never happen.
"""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import inspect, text

from core import query, storage
from core.access import Actor
from core.ground import InvalidInput
from core.ground.states import Role
from core.storage import Base
from core.tables import TABLES, Kind, Table
from core.views import View, default_view, parse_view
from tests.conftest import use_database
from tests.core.query.fuzzed_models import fuzzed_views
from tests.core.query.random_views import NOWS
from tests.core.random_rows import CONTRACTS, ROWS, fill
from tests.effort import some

VIEWS, VIEWS_ON_POSTGRESQL = some(300, 6_000), some(150, 3_000)
OWN = CONTRACTS[1]
ACTOR = Actor("one", "one@desk.example", Role.ADMIN, contracts=frozenset({OWN}))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, make_database: Callable[[str], str]) -> str:
    """Fill one database of each kind with the random rows, once for the module."""
    return fill(make_database(request.param))


@pytest.fixture
def untouched(filled: str) -> Iterator[None]:
    """Use that database, and check afterwards that no row, table or column has changed."""
    use_database(filled)
    before = _whole()
    yield
    assert _whole() == before


def _whole() -> dict[str, object]:
    """Return the row count and the definition of every table."""
    found: dict[str, object] = {}
    with storage.reading() as session:
        inspector = inspect(session.connection())
        for name in sorted(inspector.get_table_names()):
            rows = session.scalar(text(f'SELECT count(*) FROM "{name}"'))
            found[name] = rows, [column["name"] for column in inspector.get_columns(name)]
    assert set(Base.metadata.tables) <= set(found)
    return found


def _ask(view: View, turn: int) -> set[str]:
    """Run all queries of the grid for a view; return the keys of all rows in the answers."""
    table, now = view.table, NOWS[turn % len(NOWS)]
    frame = query.load_rows(view, actor=ACTOR, now=now, start=0, end=200)
    found = set(frame[table.key])
    assert query.count_rows(view, actor=ACTOR, now=now) == len(frame)
    if turn % 4 == 0:
        found |= set(query.load_keys(view, actor=ACTOR, now=now))
        query.load_figures(view, actor=ACTOR, now=now)
        listed = [column for column in table.offered if column.has_choices]
        column = listed[turn // 4 % len(listed)]
        choices = query.load_choices(view, column.name, actor=ACTOR, now=now)
        assert choices["count"].sum() <= len(_own(table))
    if turn % 16 == 0:
        others = [row[table.key] for row in ROWS[table.name][:50]]
        found |= set(query.load_ticked(view, others, actor=ACTOR, now=now)[table.key])
    return found


def _own(table: Table) -> set[str]:
    return {row[table.key] for row in ROWS[table.name] if row["contract_id"] == OWN}


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("name", ROWS)
def test_a_broken_view_is_refused_or_shows_only_rows_of_the_actor(name: str) -> None:
    table = TABLES[name]
    own, sentences, answered = _own(table), [], 0
    count = (VIEWS if storage.is_sqlite() else VIEWS_ON_POSTGRESQL) // len(ROWS)
    for turn, raw in enumerate(fuzzed_views(table, count)):
        try:
            view = parse_view(table, raw)
        except InvalidInput as refusal:
            sentences.append(str(refusal))
            continue
        assert _ask(view, turn) <= own, raw
        answered += 1
    assert [one for one in sentences if not one.endswith(".") or len(one) > 400] == []
    # Some are refused and some are answered, so that both are tested.
    assert min(len(sentences), answered) >= max(1, count // 20)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("name", ROWS)
def test_lists_with_the_maximum_number_of_values_work(name: str) -> None:
    table, everything = TABLES[name], default_view(TABLES[name])
    lists = {}
    for column in table.offered:
        if column.has_choices and column.kind is not Kind.FLAG:
            listed = query.load_choices(everything, column.name, actor=ACTOR, now=NOWS[0])
            there = listed["value"].tolist()
            asked = there + [f"v{number}" for number in range(10_000 - len(there))]
            one = {"filterType": "set", "values": asked}
            lists[column.name] = {"operator": "AND", "conditions": [one, one]}
    assert _ask(parse_view(table, {"filters": lists}), 0) == _own(table)
