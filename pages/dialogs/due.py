"""The links in the header to what waits for a person: follow-ups, and refunds to approve."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import streamlit as st

from core import views
from core.access import Actor
from core.due import Due, count_due
from core.tables import FOLLOW_UPS, ORDERS, REFUNDS, TO_APPROVE, Table
from core.views import to_address
from pages.grid import viewer_zone

LIFE_SECONDS = 60.0
MOST_COUNTED = 99  # more are 99+


def show_due(actor: Actor) -> None:
    """Draw a link for each that is due. They are counted once a minute, and after a change."""
    due = _find_due(actor)
    if due.follow_ups:
        help_text = "Orders that you have to follow up today"
        label, icon = f"{_in_words(due.follow_ups)} due", ":material/event_upcoming:"
        _show_link(ORDERS, FOLLOW_UPS, label, icon, help_text, actor)
    if due.to_approve:
        help_text = "Refunds that wait for your approval"
        label, icon = f"{_in_words(due.to_approve)} to approve", ":material/supervisor_account:"
        _show_link(REFUNDS, TO_APPROVE, label, icon, help_text, actor)


def _in_words(count: int) -> str:
    """Return a count for the header, where a long number has no room."""
    return f"{count}" if count <= MOST_COUNTED else f"{MOST_COUNTED}+"


def _show_link(
    table: Table, view_name: str, label: str, icon: str, help_text: str, actor: Actor
) -> None:
    view = views.ready_made(table, viewer_zone(), actor=actor)[view_name]
    asked = {"view": to_address(view)}
    st.page_link(f"{table.name}.py", label=label, icon=icon, query_params=asked, help=help_text)


def _find_due(actor: Actor) -> Due:
    known, due, counted = st.session_state.get("due", (None, None, 0.0))
    if due is None or known != actor.user_id or time.monotonic() - counted > LIFE_SECONDS:
        today = datetime.now(UTC).astimezone(ZoneInfo(viewer_zone())).date()
        due = count_due(actor=actor, today=today)
        st.session_state["due"] = actor.user_id, due, time.monotonic()
    found: Due = due
    return found


def forget_due() -> None:
    """Count again in the next run: something was added, done or decided."""
    st.session_state.pop("due", None)
