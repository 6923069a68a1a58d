"""Excel and CSV files: a view, an order, an import template or everything, cell by cell.

`columns` says what a cell shows, `cells` and `csv_file` write it, `exports` says what goes in.
"""

from core.excel.exports import FileFormat, dump, export, export_order, write_template
from core.excel.limit import check_limit, record_export
from core.excel.workbook import StreamedWorkbook

__all__ = [
    "FileFormat",
    "StreamedWorkbook",
    "check_limit",
    "dump",
    "export",
    "export_order",
    "record_export",
    "write_template",
]
