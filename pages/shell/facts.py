"""Facts in a row: a name above each value."""

from collections.abc import Mapping

import streamlit as st


def show_facts(facts: Mapping[str, str | None]) -> None:
    """Draw each value as plain text under its name; a missing value is a dash."""
    with st.container(horizontal=True, key="facts", gap="medium"):
        for name, value in facts.items():
            with st.container(width="content", gap=None):
                st.caption(name)
                st.text(value or "–")
