"""Facts in a row: a name above each value."""

from collections.abc import Mapping

import streamlit as st

from core.ground import show_controls

# Letters of an e-mail address: on a phone, more do not fit into half of the width, and an address
# has no place for a line break.
LONG = 22


def show_facts(facts: Mapping[str, str | None]) -> None:
    """Draw each value as plain text under its name; a missing value is a dash."""
    with st.container(horizontal=True, key="facts", gap="medium"):
        for name, value in facts.items():
            is_long = value is not None and "@" in value and len(value) > LONG
            key = f"long_fact_{name}" if is_long else None
            with st.container(width="content", gap=None, key=key):
                st.caption(name)
                st.text(show_controls(value or "–"))
