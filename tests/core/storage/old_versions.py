"""Databases of older versions, which are written to without the models."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, text

from core.storage import engine, schema
from tests.databases import administrating, drop_database, use_database


@contextmanager
def database_of_version(
    version: str, kind: str, request: pytest.FixtureRequest, folder: Path
) -> Iterator[str]:
    """Create and use an empty database with the schema of a version."""
    url = f"sqlite:///{folder / 'old.db'}"
    if kind == "sqlite":
        (folder / "old.db").touch()
    else:
        server, name = request.getfixturevalue("postgresql_server"), f"old_{uuid.uuid4().hex}"
        with administrating(server) as admin:
            admin.execute(text(f"CREATE DATABASE {name}"))
        url = f"{server}/{name}"
    use_database(url)
    with writing() as connection:
        command.upgrade(schema._alembic_config(connection), version)
    yield url
    engine.get_engine().dispose()
    drop_database(url)


def writing() -> Any:
    return engine.get_engine().execution_options(order_desk_writes=True).begin()


def inserter(connection: Connection) -> Callable[..., None]:
    """Return a function that inserts a row into a table of the old schema, without the models."""

    def put(name: str, /, **values: Any) -> None:
        if connection.dialect.name == "sqlite":
            values = {key: stamp(value) for key, value in values.items()}
        names, places = ", ".join(values), ", ".join(f":{one}" for one in values)
        connection.execute(text(f"INSERT INTO {name} ({names}) VALUES ({places})"), values)

    return put


def stamp(value: Any) -> Any:
    return int(value.timestamp()) if isinstance(value, datetime) else value


def read(table: str) -> list[dict[str, Any]]:
    with engine.get_engine().connect() as connection:
        rows = connection.execute(text(f"SELECT * FROM {table}")).mappings().all()
    return sorted((dict(row) for row in rows), key=str)
