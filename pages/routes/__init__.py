"""Our own routes: the rows of a grid, a search, files to download, health and metrics."""

from pages.routes.exports import EXPORTED, answer_export
from pages.routes.health import answer_alive, answer_ready
from pages.routes.messages import answer_message
from pages.routes.metrics import answer_metrics
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
    "EXPORTED",
    "answer_alive",
    "answer_export",
    "answer_message",
    "answer_metrics",
    "answer_ready",
    "answer_rows",
    "answer_search",
    "answer_vouchers",
    "expect_first_rows",
    "let_first_rows_show",
    "let_rows_go_first",
]
