"""A request about the selected order items, which a dialog asks for and then sends."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime

import streamlit as st

from core import query
from core.access import Actor
from pages.grid import GridState


@dataclass(kw_only=True)
class Request:
    """What the dialog keeps of it. The idempotency key is made when the dialog opens.

    So a double click, a rerun or a lost response repeats the same request, which is done once.
    """

    item_ids: tuple[str, ...]
    hidden: int  # items that the table's filter hides
    key: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    fault: str = ""
    was_sent: bool = False  # just now: the page behind must run to show it

    def show_behind(self) -> None:
        """Run the whole page once after the request was sent."""
        if self.was_sent:
            self.was_sent = False
            st.rerun()


def count_hidden(state: GridState, actor: Actor) -> int:
    """Count the selected items that the table's filter hides."""
    seen = query.count_among(state.view, state.selected, actor=actor, now=datetime.now(UTC))
    return len(state.selected) - seen
