"""Explanations that a person can open: columns, with what else the page explains, and views."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.tables import Table
from pages.grid.state import GridState
from pages.shell import show_text_table

LINES_SHOWN = 12


@dataclass(frozen=True)
class Explanation:
    """What a page explains beside its columns: the label of both, a question, and its answer."""

    label: str
    question: str
    show: Callable[[], None]


def show_explained(state: GridState, also: Explanation | None) -> None:
    """Draw the page's one popover of explanations: its own first, then every column."""
    key, question = f"explained_{state.place.key}", also.question if also else ""
    more = f", and {question[0].lower()}{question[1:].removesuffix('?')}" if question else ""
    with st.container(width="content", key="explained"):
        asked = st.popover(
            also.label if also else "Columns explained",
            icon=":material/help:",
            type="tertiary",
            key=key,
            help=f"What each column means{more}",
            on_change=state.touch,
        )
    if asked.open:
        with asked:
            if also:
                st.markdown(f"**{also.question}**")
                also.show()
                st.markdown("**What do the columns mean?**")
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
