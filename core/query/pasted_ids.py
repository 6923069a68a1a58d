"""IDs pasted from a spreadsheet or an e-mail: which rows they mean, and which are unknown."""

import re
from dataclasses import dataclass

from core.access import Actor
from core.ground import InvalidInput, check_text, trim
from core.query import rows
from core.tables import Table
from core.views import MAX_IDS, View

_PART = re.compile(r'"(?:[^"]|"")*"|[^,;\s]+')
_QUOTED = re.compile(r"""(["'])((?:(?!\1).|\1\1)*)\1""")


@dataclass(frozen=True)
class Pasted:
    """The pasted IDs in their order, and the ones that no row has."""

    ids: tuple[str, ...]
    missing: tuple[str, ...]


def read_pasted(text: str, table: Table, *, actor: Actor, order_id: str | None = None) -> Pasted:
    """Parse one ID per line or cell, without quotes, surrounding blanks and headers.

    A line that is not an ID itself is split at its commas, semicolons and blanks. So an ID that
    contains one is found as a whole. Raises InvalidInput if there is no ID, if there are too many,
    or if one is too long.
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
        raise InvalidInput("No IDs were found in the pasted text. Paste one ID per line.")
    if len(ids) > MAX_IDS:
        raise InvalidInput(
            f"You pasted {len(ids):,} IDs; the limit is {MAX_IDS:,}. Nothing was changed."
        )
    for one in ids:
        check_text(table.key_column.header, one)
    return Pasted(tuple(ids), tuple(one for one in ids if one not in known))


def find_missing(view: View, *, actor: Actor) -> list[str]:
    """Return the view's pasted IDs that no row has that the actor can see."""
    known = rows.find_references(view.table, view.ids, actor=actor, order_id=view.order_id)
    return [one for one in view.ids if one not in known]


def _cells(text: str, table: Table) -> list[str]:
    headers = {column.header.casefold() for column in table.columns}
    cells = (_unquoted(cell) for line in text.splitlines() for cell in line.split("\t"))
    return list(dict.fromkeys(cell for cell in cells if cell and cell.casefold() not in headers))


def _parts(cell: str) -> list[str]:
    return [part for part in map(_unquoted, _PART.findall(cell)) if part]


def _unquoted(cell: str) -> str:
    """Remove surrounding blanks and quotes; a doubled quote inside is one, as in spreadsheets."""
    cell = trim(trim(cell.replace("\x00", "")).strip(",;"))
    found = _QUOTED.fullmatch(cell)
    return trim(found[2].replace(found[1] * 2, found[1])) if found else cell
