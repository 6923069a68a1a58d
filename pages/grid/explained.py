"""Explanations that a person can open: columns and views."""

import streamlit as st

from core.tables import Table
from pages.grid.state import GridState
from pages.shell import show_text_table

LINES_SHOWN = 12


def show_columns_explained(state: GridState) -> None:
    """Draw a popover with the meaning of every column that the table can show."""
    key = f"explained_{state.place.key}"
    with st.container(width="content", key="explained"):
        asked = st.popover(
            "What do the columns mean?",
            icon=":material/help:",
            type="tertiary",
            key=key,
            on_change=state.touch,
        )
    if asked.open:
        with asked:
            _show_columns(state.place.table)


def _show_columns(table: Table) -> None:
    lines = [
        {
            "Column": column.header if column.is_shown else f"{column.header} (hidden by default)",
            "Meaning": column.help,
        }
        for column in table.offered
    ]
    show_text_table(lines, key="explained_columns", lines_shown=LINES_SHOWN)


def show_views_explained() -> None:
    """Draw an expander that explains views."""
    with st.expander("What is a view?", icon=":material/help:"):
        st.markdown(
            "A view is what you chose: filters, search, pasted IDs, sort, columns and time zone.\n"
            "- **Copy link** copies a short link. Send it to show a colleague the view.\n"
            "- **Save this view** stores it under a name, for you or for everyone.\n"
            "- **Update** appears when you have changed a view of yours, and saves the changes.\n"
            "- **Relative dates**, such as *last week*, move with time.\n"
            "- **Download Excel** and **Download CSV** write exactly its rows and columns."
        )
