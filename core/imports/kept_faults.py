"""The import errors of a run: the first ones in its row, all of them in a file if there are more.

A file can have hundreds of thousands; every process reads the row again and again.
"""

import json
import logging
from collections.abc import Sequence

from core.imports.faults import Fault
from core.imports.results import faults_of_json
from core.imports.runs import Run

logger = logging.getLogger(__name__)

IN_ROW = 1_000


def keep(run: Run, faults: Sequence[Fault]) -> dict[str, object]:
    """Write the file of a run with many import errors; return what its row has of them."""
    if len(faults) > IN_ROW:
        try:
            _write(run, faults)
        except OSError as error:
            run.faults_file.unlink(missing_ok=True)
            logger.warning("DATA_DIR cannot be written: %s", error)
    return {"faults": tuple(faults[:IN_ROW]), "fault_count": len(faults)}


def _write(run: Run, faults: Sequence[Fault]) -> None:
    with run.faults_file.open("w") as file:
        file.writelines(f"{json.dumps(vars(fault))}\n" for fault in faults)


def load(run: Run) -> tuple[Fault, ...]:
    """Return all import errors of a run; only the first ones where it has no file of them."""
    try:
        with run.faults_file.open() as file:
            return faults_of_json([json.loads(line) for line in file])
    except FileNotFoundError:
        return run.faults
