"""The faults of files that were refused, as Excel: to be mended beside the file itself."""

from datetime import datetime
from typing import IO

from core import access
from core.access import Actor
from core.excel import StreamedWorkbook
from core.ground import NotFound, Permission, in_zone
from core.imports import background
from core.query import to_frame
from core.tables import Column, Kind

# fmt: off
COLUMNS = (
    Column("file", "File", Kind.TEXT, "The file that it is in.", width=220),
    Column("sheet", "Sheet", Kind.TEXT, "The sheet; of a CSV file, the table.", width=140),
    Column("row", "Row", Kind.NUMBER, "The row as Excel counts it; 1 is the header.", width=70),
    Column("column", "Column", Kind.TEXT, "The header of the column.", width=180),
    Column("value", "Value", Kind.TEXT, "What stands there, its first 60 characters.", width=240),
    Column("problem", "Problem", Kind.TEXT, "What is wrong with it.", width=520),
)
# fmt: on


def export_faults(file: IO[bytes], *, actor: Actor, now: datetime, zone: str) -> None:
    """Write every fault of the actor's last check or import as Excel; audit it.

    Raises NotPermitted, NotFound where that had none, and as core.access.rights.handing_out does.
    """
    run = background.find_run(actor=actor)
    if run is None or not run.faults:
        raise NotFound("There are no faults to download: check your files again on Import.")
    lines = [
        (one.file, one.sheet, one.row, one.column, one.value, one.problem) for one in run.faults
    ]
    with StreamedWorkbook(file) as workbook:
        workbook.add_table("Faults", COLUMNS, zone, [to_frame(COLUMNS, lines)])
        about = [
            ("Table", "Faults of an import; nothing was imported"),
            ("Files", ", ".join(run.names)),
            ("Faults", f"{len(lines):,}"),
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
