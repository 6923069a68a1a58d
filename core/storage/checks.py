"""For migrations: let a stored column have another value, such as a new product type."""

import re
from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import Connection, text

from core.storage.dialect import is_on_sqlite


def allow_values(
    connection: Connection, table: str, column: str, values: Iterable[StrEnum]
) -> None:
    """Replace the CHECK that restricts a column to the members of an enumeration.

    SQLite cannot change a CHECK, so the stored text of the table is edited, by the procedure of
    https://sqlite.org/lang_altertable.html#otheralter: no row, index or trigger is touched.
    """
    allowed = f"{column} IN ({', '.join(repr(value.value) for value in values)})"
    name = f"ck_{table}_{column}_known"
    if not is_on_sqlite(connection):
        connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
        connection.execute(text(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({allowed})"))
        return
    stored = text("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = :table")
    before = connection.execute(stored, {"table": table}).scalar_one()
    check = re.compile(rf"(CONSTRAINT {name} CHECK )\([^()]*\([^()]*\)\)")
    after, count = check.subn(lambda found: f"{found[1]}({allowed})", before)
    if count != 1:
        raise LookupError(f"The table {table} has no CHECK {name}.")
    version = connection.execute(text("PRAGMA schema_version")).scalar_one()
    connection.execute(text("PRAGMA writable_schema = ON"))
    change = text("UPDATE sqlite_schema SET sql = :sql WHERE type = 'table' AND name = :table")
    connection.execute(change, {"sql": after, "table": table})
    connection.execute(text(f"PRAGMA schema_version = {version + 1}"))
    connection.execute(text("PRAGMA writable_schema = OFF"))
