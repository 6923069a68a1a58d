"""Imports: read and check files of orders, then store all of them or nothing."""

from core.imports.background import (
    begin_check,
    begin_import,
    cancel_run,
    delete_old_runs,
    find_run,
    find_running,
    forget_run,
    is_running,
    remove_left_files,
)
from core.imports.faults import Faulty
from core.imports.headers import Heading
from core.imports.recent import PastImport, find_recent
from core.imports.report import export_faults
from core.imports.rows import SheetRead
from core.imports.run import Check, import_files
from core.imports.runs import Run, State
from core.imports.uploads import SUFFIXES

__all__ = [
    "SUFFIXES",
    "Check",
    "Faulty",
    "Heading",
    "PastImport",
    "Run",
    "SheetRead",
    "State",
    "begin_check",
    "begin_import",
    "cancel_run",
    "delete_old_runs",
    "export_faults",
    "find_recent",
    "find_run",
    "find_running",
    "forget_run",
    "import_files",
    "is_running",
    "remove_left_files",
]
