"""What every test stands on: databases of both kinds, the local admin, how much a run tries.

Which database a test runs on:
- `database` is a SQLite one, and in the thorough run also a PostgreSQL one.
- With the mark `both_databases` it is always one of each. Mark a test when the databases can
  differ in what it checks: SQL of conditions, search, sorting and JSON, conflicts and constraints,
  locks and races, migrations, copies, bulk writes, errors of the driver.
- With the mark `on_postgresql` it is only a PostgreSQL one. A test that makes one has the mark too.
- `sqlite_database` is always a SQLite one: for files, and where the kind makes no difference.
- `make_database(kind)` makes a new one, for a test that needs two, or fills one for a module.

The mark `needs_history` is for a test that needs older versions, out of git. An unpacked archive of
the project has none: there these tests are left out, and the first lines of a run say so.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from core import access, storage
from core.access import Actor
from tests import effort
from tests.databases import (
    NOW,
    POSTGRESQL,
    SQLITE,
    FilledFiles,
    PostgresqlDatabases,
    SqliteDatabases,
    close_connections,
    drop_database,
    use_database,
)
from tests.emptied import EmptiedDatabase
from tests.history import has_history
from tests.postgresql import free_port, running_postgresql, temporary_folder

__all__ = ["NOW", "POSTGRESQL", "drop_database", "free_port", "use_database"]
Fill = Callable[..., Any]  # FilledFiles.fill
KINDS = (SQLITE, POSTGRESQL)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run choose its databases, and how much it tries."""
    add = parser.addoption
    add("--database", choices=KINDS, default=SQLITE, help="what tests/e2e run on")
    add("--sqlite-only", action="store_true", help="leave out what needs PostgreSQL")
    add("--thorough", action="store_true", help="try everything, on both databases")


def pytest_configure(config: pytest.Config) -> None:
    """Choose how much is tried, before a test module is imported."""
    config.addinivalue_line("markers", "both_databases: run on each kind of database")
    config.addinivalue_line("markers", "on_postgresql: run on PostgreSQL alone")
    config.addinivalue_line("markers", "needs_history: run in a clone, and not in an archive")
    effort.choose(is_thorough=config.getoption("--thorough"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the kinds of the fixture `database`."""
    if "database_kind" not in metafunc.fixturenames:
        return
    test = metafunc.definition
    on_both = effort.is_thorough() or test.get_closest_marker("both_databases")
    kinds: Sequence[str] = KINDS if on_both else [SQLITE]
    if test.get_closest_marker("on_postgresql"):
        kinds = [POSTGRESQL]
    metafunc.parametrize("database_kind", kinds)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs PostgreSQL, if the run asks for that; without git, older versions."""
    without = [_needs_postgresql] if config.getoption("--sqlite-only") else []
    without += [] if has_history() else [_needs_history]
    left_out = [item for item in items if any(needs(item) for needs in without)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_report_header() -> list[str]:
    """Say what is left out, whatever the run asks for."""
    said = "no whole history of git here: tests of older versions are left out"
    return [] if has_history() else [said]


def _needs_history(item: pytest.Item) -> bool:
    return item.get_closest_marker("needs_history") is not None


def _needs_postgresql(item: pytest.Item) -> bool:
    """Say whether a fixture or a parameter is of PostgreSQL; a parameter may be a pair of kinds."""
    callspec = getattr(item, "callspec", None)
    given = list(callspec.params.values()) if callspec else []
    kinds = [one for value in given for one in (value if isinstance(value, tuple) else (value,))]
    is_marked = item.get_closest_marker("on_postgresql") is not None
    return (
        is_marked or "postgresql_server" in getattr(item, "fixturenames", ()) or POSTGRESQL in kinds
    )


@pytest.fixture(scope="session", autouse=True)
def data_dir() -> Iterator[Path]:
    """Keep what the application writes out of the project, and off the disk."""
    with temporary_folder("order-desk-data-") as folder:
        os.environ["DATA_DIR"] = str(folder)
        yield folder


@pytest.fixture(scope="session")
def postgresql_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run a PostgreSQL server for the tests of a worker; yields its address."""
    if request.config.getoption("--sqlite-only"):
        pytest.fail("This test needs PostgreSQL, and does not say so in its parameters.")
    with running_postgresql() as address:
        yield address


@pytest.fixture(scope="session")
def sqlite_databases(data_dir: Path) -> SqliteDatabases:
    """Return what makes SQLite databases."""
    return SqliteDatabases(data_dir)


@pytest.fixture(scope="session")
def make_database(
    request: pytest.FixtureRequest, sqlite_databases: SqliteDatabases
) -> Callable[[str], str]:
    """Return what makes a new, migrated, empty database of a kind and gives its address."""
    made: dict[str, SqliteDatabases | PostgresqlDatabases] = {SQLITE: sqlite_databases}

    def make(kind: str) -> str:
        if kind not in made:
            made[kind] = PostgresqlDatabases(request.getfixturevalue("postgresql_server"))
        return made[kind].make()

    return make


@pytest.fixture(scope="session")
def empty_database(
    make_database: Callable[[str], str], sqlite_databases: SqliteDatabases
) -> Callable[..., str]:
    """Return what gives an empty database of a kind; a test that needs several numbers them.

    Its address is the same each time.
    """
    emptied = defaultdict[int, EmptiedDatabase](
        lambda: EmptiedDatabase(lambda: make_database(POSTGRESQL))
    )

    def empty(kind: str, number: int = 0) -> str:
        return sqlite_databases.empty(number) if kind == SQLITE else emptied[number].empty()

    return empty


@pytest.fixture(scope="session")
def filled_once(data_dir: Path) -> Fill:
    """Return what fills a test's database: `filled_once(build, …)` is `build(…)`, but quicker."""
    return FilledFiles(data_dir).fill


@pytest.fixture
def database(database_kind: str, empty_database: Callable[..., str]) -> Iterator[str]:
    """Give the test an empty database, of each kind that it is for; yields the address."""
    yield from _used(empty_database(database_kind))


@pytest.fixture
def sqlite_database(empty_database: Callable[..., str]) -> Iterator[str]:
    """Give the test an empty SQLite database, where the kind makes no difference."""
    yield from _used(empty_database(SQLITE))


def _used(url: str) -> Iterator[str]:
    use_database(url)
    yield url
    close_connections(storage.get_engine())


@pytest.fixture
def admin() -> Actor:
    """Return the local admin of the test's database."""
    actor = access.find_local_actor()
    assert actor is not None
    return actor
