"""What helps on Import: what a file needs, and the last imports with their outcome."""

import streamlit as st

from core import imports
from core.access import Actor
from core.ground import in_zone
from core.tables import BOOKS
from pages.grid import viewer_zone
from pages.shell import plain, show_text_table


def show_needs() -> None:
    """Say which columns each table of a file needs."""
    st.header("What a file needs", anchor=False)
    with st.container(gap=None):
        for table in BOOKS:
            needed = ", ".join(column.header for column in table.stored if column.is_required)
            st.caption(f"**{plain(table.title)}** needs {plain(needed)}.")
        st.caption(
            "One or two of the tables are enough, but a new order needs its items. Columns can be "
            "in any order, and all others may be missing. The template explains every column. "
            "*Download Excel* and *Download CSV* write files that can be imported again."
        )


def show_recent_imports(actor: Actor) -> None:
    """List the last imports of everyone: nobody imports without access to all of their rows."""
    st.header("Last imports", anchor=False)
    zone = viewer_zone()
    lines = [
        {
            "Time": in_zone(one.at, zone).partition(" (")[0],
            "User": one.actor,
            "Files": one.files,
            "Outcome": one.outcome,
        }
        for one in imports.find_recent(actor=actor)
    ]
    if lines:
        show_text_table(lines, key="recent_imports", lines_shown=len(lines))
        st.caption(f"Times are in {plain(zone)}. A check alone is not listed: it stores nothing.")
    else:
        st.caption("None yet. A check alone is not listed: it stores nothing.")
