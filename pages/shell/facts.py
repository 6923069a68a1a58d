"""Facts in a row: a name above each value."""

from collections.abc import Mapping

import streamlit as st

from core.ground import show_controls

LONG = 22  # letters: on a phone, more do not fit into half of its width


def show_facts(facts: Mapping[str, str | None]) -> None:
    """Draw each value as plain text under its name; a missing value is a dash."""
    with st.container(horizontal=True, key="facts", gap="medium"):
        for name, value in facts.items():
            key = f"long_fact_{name}" if len(value or "") > LONG else None
            with st.container(width="content", gap=None, key=key):
                st.caption(name)
                st.text(show_controls(value or "–"))
