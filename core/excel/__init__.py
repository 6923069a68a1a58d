"""Excel files: a view, an order, an import template or everything, cell by cell.

`cells` writes the rows, `workbook` the file around them, `exports` what goes in.
"""

from core.excel.exports import dump, export, export_order, write_template
from core.excel.limit import check_limit, record_export
from core.excel.workbook import StreamedWorkbook

__all__ = [
    "StreamedWorkbook",
    "check_limit",
    "dump",
    "export",
    "export_order",
    "record_export",
    "write_template",
]
