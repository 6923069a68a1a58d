"""A column of IDs pasted from a spreadsheet or a mail: which rows it means, and which none."""

import re
from dataclasses import dataclass

from core.access import Actor
from core.ground import InvalidInput, check_text
from core.query import rows
from core.tables import Table
from core.views import MAX_IDS, View

_PART = re.compile(r'"(?:[^"]|"")*"|[^,;\s]+')
_QUOTED = re.compile(r"""(["'])((?:(?!\1).|\1\1)*)\1""")


@dataclass(frozen=True)
class Pasted:
    """IDs in the order in which they were pasted, and those of them that no row has."""

    ids: tuple[str, ...]
    missing: tuple[str, ...]


def read_pasted(text: str, table: Table, *, actor: Actor, order_id: str | None = None) -> Pasted:
    """Read one ID a line or cell; quotes, blanks around and a header are taken off.

    A line that is no ID as it stands, but holds commas, semicolons or blanks, is read as several:
    so an ID that itself holds one is found whole. Raises InvalidInput for none, too many, or
    one that is too long to be one.
    """
    cells = _cells(text, table)
    known = rows.find_references(table, cells, actor=actor, order_id=order_id)
    parts = {cell: _parts(cell) for cell in cells if cell not in known}
    several = [part for some in parts.values() for part in some]
    known |= rows.find_references(table, several, actor=actor, order_id=order_id)
    ids: dict[str, None] = {}
    for cell in cells:
        some = parts.get(cell, [cell])
        is_list = "," in cell or ";" in cell or any(part in known for part in some)
        ids.update(dict.fromkeys(some if is_list else [cell]))
    if not ids:
        raise InvalidInput("There is no ID in what was pasted. Paste one a line.")
    if len(ids) > MAX_IDS:
        raise InvalidInput(
            f"{len(ids):,} IDs were pasted; at most {MAX_IDS:,} fit. Nothing was changed."
        )
    for one in ids:
        check_text(table.key_column.header, one)
    return Pasted(tuple(ids), tuple(one for one in ids if one not in known))


def find_missing(view: View, *, actor: Actor) -> list[str]:
    """Return those of the view's pasted IDs that no row has which the actor may see."""
    known = rows.find_references(view.table, view.ids, actor=actor, order_id=view.order_id)
    return [one for one in view.ids if one not in known]


def _cells(text: str, table: Table) -> list[str]:
    headers = {column.header.casefold() for column in table.columns}
    cells = (_unquoted(cell) for line in text.splitlines() for cell in line.split("\t"))
    return list(dict.fromkeys(cell for cell in cells if cell and cell.casefold() not in headers))


def _parts(cell: str) -> list[str]:
    return [part for part in map(_unquoted, _PART.findall(cell)) if part]


def _unquoted(cell: str) -> str:
    """Take off blanks and quotes; a quote within quotes is doubled, as spreadsheets write it."""
    cell = cell.replace("\x00", "").strip().strip(",;").strip()
    found = _QUOTED.fullmatch(cell)
    return found[2].replace(found[1] * 2, found[1]).strip() if found else cell
