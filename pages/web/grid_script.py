"""The script of the grid. The grid's frame gets it, and its policy allows no other one inline.

It is here, because the middleware must not import the grid: Streamlit would not find a component
that is declared before it runs.
"""

from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "grid" / "js"
_FILES = (
    "grid.js",
    "notices.js",
    "layout.js",
    "changed.js",
    "selection.js",
    "opening.js",
    "scrolling.js",
    "menu.js",
    "links.js",
    "ahead.js",
    "no_rows.js",
    "set_filter.js",
    "listbox.js",
    "date_words.js",
    "day_field.js",
    "date_filter.js",
    "date_box.js",
)
GRID_SCRIPT = "\n".join((_FOLDER / name).read_text("utf-8") for name in _FILES)
