"""Our own routes: the rows of a grid, a search, and files to download."""

from pages.routes.exports import answer_export
from pages.routes.messages import answer_message
from pages.routes.rows import (
    answer_rows,
    expect_first_rows,
    let_first_rows_show,
    let_rows_go_first,
)
from pages.routes.search import EVERYWHERE, answer_search
from pages.routes.vouchers import answer_vouchers

__all__ = [
    "EVERYWHERE",
    "answer_export",
    "answer_message",
    "answer_rows",
    "answer_search",
    "answer_vouchers",
    "expect_first_rows",
    "let_first_rows_show",
    "let_rows_go_first",
]
