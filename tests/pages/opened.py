"""Run pages without a browser, and read what they show."""

from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from pages.routes import rows

rows.MAX_DRAWING_SECONDS = 0  # no browser draws a grid
MAIN = str(Path(__file__).parents[2] / "pages" / "main.py")
KINDS = (
    "title", "markdown", "caption", "text", "html", "info", "success", "warning", "error", "toast",
)  # fmt: skip


def open_page(page_file: str = "orders", **parameters: str) -> AppTest:
    """Open a page, or the bare address if `page_file` is empty, with query parameters."""
    page = AppTest.from_file(MAIN, default_timeout=20)
    if page_file:
        page.switch_page(f"{page_file}.py")
    for name, value in parameters.items():
        page.query_params[name] = value
    return page.run()


def values(page: AppTest, kind: str) -> list[Any]:
    """Return the values of every element of a kind, such as the frames of tables."""
    elements: Any = page.get(kind)
    return [element.value for element in elements]


def texts(page: AppTest) -> str:
    """Return all texts of the page, without its style."""
    said = [str(value) for kind in KINDS for value in values(page, kind)]
    return "\n".join(one for one in said if not one.startswith("<style>"))


def chips(page: AppTest) -> list[str]:
    """Return the filters in words, above the grid."""
    return [button.label for button in page.button if _is_chip(button.key)]


def _is_chip(key: str | None) -> bool:
    return bool(key) and str(key).startswith("words_")


def grid_says(page: AppTest, *, place: str = "orders", **answer: Any) -> AppTest:
    """Answer in place of the grid: with a view, a selection, or other parts of an answer."""
    usual = {"revision": 1, "renewals": 0, "selectionRevision": 1, "selected": []}
    page.session_state[f"{place}_grid"] = usual | answer
    return page.run()
