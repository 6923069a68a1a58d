"""What the screen explains when it is asked: columns, the rule of refunds, views."""

import streamlit as st

from core.refunds import REASON_TEXTS
from core.tables import Table
from pages.grid.state import GridState
from pages.shell import show_text_table

LINES_SHOWN = 12


def show_columns_explained(state: GridState) -> None:
    """Draw what opens the meaning of every column that the table can show."""
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
            "Column": column.header if column.is_shown else f"{column.header} (hidden at first)",
            "Meaning": column.help,
        }
        for column in table.offered
    ]
    show_text_table(lines, key="explained_columns", lines_shown=LINES_SHOWN)


def show_refund_rule(state: GridState) -> None:
    """Draw what opens the rule of refunds, beside the button that follows it."""
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
            say_refund_rule()


def say_refund_rule() -> None:
    """Say in words what keeps an order item from being refunded: the rule's own reasons."""
    st.markdown(
        "An order item can be refunded **unless one of these is so**; the dialog says which."
    )
    st.markdown("\n".join(f"- {words}." for words in REASON_TEXTS.values()))
    st.caption(
        "The Refund Expire Date is inclusive, to the second, and counts at the airport. It is not "
        "asked again for an item whose refund the bank returned."
    )


def show_views_explained() -> None:
    """Draw, closed, what a view is and where it goes."""
    with st.expander("What is a view?", icon=":material/help:"):
        st.markdown(
            "What you asked the table for: filters, search, pasted IDs, sort, columns, time zone.\n"
            "- **Its link** is the address in your browser: a colleague sees the same by it.\n"
            "- **Save this view** keeps it under a name, for you or for everybody.\n"
            "- **Download Excel** writes exactly its rows and columns, in their order."
        )
