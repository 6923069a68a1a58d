"""Explanations that a person can open: columns, the refund rule, views."""

import streamlit as st

from core.refunds import REASON_TEXTS
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


def show_refund_rule(state: GridState) -> None:
    """Draw a popover with the refund rule, next to the button Refund."""
    with st.container(width="content", key="rule"):
        asked = st.popover(
            "What can be refunded?",
            icon=":material/help:",
            type="tertiary",
            key=f"rule_{state.place.key}",
            on_change=state.touch,
        )
    if asked.open:
        with asked:
            show_refund_reasons()


def show_refund_reasons() -> None:
    """List the reasons, as the rule states them, why an order item cannot be refunded."""
    st.markdown(
        "An order item can be refunded **unless one of these is true**. The dialog says which."
    )
    st.markdown("\n".join(f"- {words}." for words in REASON_TEXTS.values()))
    st.caption(
        "An item can be refunded up to and including its Refund Expire Date, to the second, in the "
        "airport's time zone. If the bank returned its refund, the date no longer applies."
    )


def show_views_explained() -> None:
    """Draw an expander that explains views."""
    with st.expander("What is a view?", icon=":material/help:"):
        st.markdown(
            "A view is what you chose: filters, search, pasted IDs, sort, columns and time zone.\n"
            "- **Its link** is the address in your browser. Send it to show a colleague the view.\n"
            "- **Save this view** stores it under a name, for you or for everyone.\n"
            "- **Download Excel** writes exactly its rows and columns, in the same order."
        )
