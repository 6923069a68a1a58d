"""Export the import errors as Excel, so that people can fix them in their files."""

from datetime import datetime
from typing import IO

from core import access
from core.access import Actor
from core.excel import StreamedWorkbook
from core.ground import NotFound, Permission, in_zone
from core.imports import background, kept_faults
from core.query import to_frame
from core.tables import Column, Kind

# fmt: off
COLUMNS = (
    Column("file", "File", Kind.TEXT, "The name of the file.", width=220),
    Column("sheet", "Sheet", Kind.TEXT, "The sheet; for a CSV file, the table.", width=140),
    Column("row", "Row", Kind.NUMBER, "The row number in Excel; 1 is the header.", width=70),
    Column("column", "Column", Kind.TEXT, "The header of the column.", width=180),
    Column("value", "Value", Kind.TEXT, "The first 60 characters of the value.", width=240),
    Column("problem", "Problem", Kind.TEXT, "What is wrong with the value.", width=520),
)
# fmt: on


def export_faults(file: IO[bytes], *, actor: Actor, now: datetime, zone: str) -> None:
    """Write the errors of the actor's last check or import as Excel; record it in the audit trail.

    Raises NotPermitted, NotFound if there are none, and as core.access.rights.handing_out does.
    """
    run = background.find_run(actor=actor)
    if run is None or not run.faults:
        raise NotFound("There are no import errors to download. Check your files again on Import.")
    lines = [
        (one.file, one.sheet, one.row, one.column, one.value, one.in_words())
        for one in kept_faults.load(run)
    ]
    with StreamedWorkbook(file) as workbook:
        workbook.add_table("Import errors", COLUMNS, zone, [to_frame(COLUMNS, lines)])
        about = [
            ("Table", "Import errors; nothing was imported"),
            ("Files", ", ".join(run.names)),
            ("Import errors", _count(len(lines), run.fault_count)),
            ("Exported by", actor.email),
            ("Exported at", in_zone(now, zone, seconds=True)),
        ]
        workbook.add_lines("About this export", about)
    with access.handing_out(file, actor, Permission.IMPORT) as session:
        access.record_event(
            session,
            "import.faults_downloaded",
            actor=actor,
            entity="file",
            entity_id=", ".join(run.names)[:500],
            now=now,
            after={"faults": len(lines)},
        )


def _count(listed: int, of_all: int) -> str:
    if listed == of_all:
        return f"{of_all:,}"
    return f"The first {listed:,} of {of_all:,}. Check your files again to list all of them."
