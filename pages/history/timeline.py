"""The history of an order: a timeline of sentences by day, or the table of its events."""

from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import streamlit as st

from core.access import Actor
from core.ground import day_in_words
from core.history import Subject, find_action
from core.query import ToldEvent, get_event, load_history
from core.tables import AUDIT_EVENTS, ORDER_TABS, Table
from pages.grid import Extras, show_empty, show_table, viewer_zone
from pages.history.opened import show_record
from pages.shell import current_actor, failures_shown, plain

PAGE = 100  # events
MOST = 1_000  # a browser is slow with more; the table has all
# What the events of an order can be about.
ICONS = {
    Subject.REFUNDS: ":material/undo:",
    Subject.VOUCHERS: ":material/confirmation_number:",
    Subject.EMAILS: ":material/mail:",
    Subject.NOTES: ":material/sticky_note_2:",
    Subject.FILES: ":material/file_save:",
}
OTHER = ":material/history:"


def show_history(table: Table, *, actor: Actor, order_id: str, extras: Extras) -> None:
    """Draw the timeline of an order's events; as a table, if the person chose it."""
    key, parameter = f"history_as_table_{order_id}", ORDER_TABS[table.name]
    if key not in st.session_state:  # the address has a view of the table
        st.session_state[key] = parameter in st.query_params
    if st.session_state[key]:
        with st.container(horizontal=True, horizontal_alignment="right"):
            _offer_table(key)
        show_table(table, actor=actor, order_id=order_id, extras=extras)
    else:
        _show_timeline(order_id, key)


@st.fragment
def _show_timeline(order_id: str, as_table: str) -> None:
    """Draw the newest events; opening one runs only this part of the page."""
    with failures_shown():
        actor, key = current_actor(), f"history_shown_{order_id}"
        subject = f"history_subject_{order_id}"
        chosen, most = st.session_state.get(subject), st.session_state.get(key, PAGE)
        events = load_history(order_id, actor=actor, most=most + 1, subject=chosen)
        if events or chosen:
            with st.container(horizontal=True, vertical_alignment="center"):
                _offer_subjects(subject)
                st.space("stretch")
                if _offer_table(as_table):
                    st.rerun()
        if not events:
            _show_none(order_id, chosen, actor)
        else:
            st.caption(f"Times are in {plain(viewer_zone())}.")
        with st.container(key="history", gap=None):
            _show_days(events[:most], order_id, actor)
        if len(events) > most:
            _offer_more(key, most)


def _offer_subjects(key: str) -> None:
    st.pills(
        "Show only",
        list(ICONS),
        format_func=lambda one: one.capitalize(),
        key=key,
        label_visibility="collapsed",
        wrap=True,
    )


def _offer_table(key: str) -> bool:
    """Draw the switch to the table; the address forgets the view of the table."""

    def forget_view() -> None:
        st.query_params.pop(ORDER_TABS[AUDIT_EVENTS.name], None)

    return st.toggle("As a table", key=key, on_change=forget_view)


def _show_none(order_id: str, chosen: Subject | None, actor: Actor) -> None:
    if chosen is None:
        show_empty(AUDIT_EVENTS, actor, order_id)
    else:
        st.caption(f"This order has no events about {chosen}.")


def _show_days(events: list[ToldEvent], order_id: str, actor: Actor) -> None:
    """Draw the events under the headings of their days, in the viewer's time zone."""
    zone = ZoneInfo(viewer_zone())
    today = datetime.now(UTC).astimezone(zone).date()
    for day, of_day in groupby(events, key=lambda one: one.at.astimezone(zone).date()):
        st.header(_named(day, today), anchor=False)
        for event in of_day:
            _show_event(event, event.at.astimezone(zone), order_id, actor)


def _named(day: date, today: date) -> str:
    """Return the heading of a day."""
    near = {today: "Today, ", today - timedelta(days=1): "Yesterday, "}
    return near.get(day, "") + day_in_words(day)


def _show_event(event: ToldEvent, local: datetime, order_id: str, actor: Actor) -> None:
    """Draw an event, which opens to its values and its raw record."""
    told = find_action(event.action)
    step = st.expander(
        f"**{local:%H:%M}** {plain(event.sentence)}",
        key=f"event_{event.event_id}",
        icon=ICONS.get(told.subject, OTHER) if told else OTHER,
        type="step",
        on_change="rerun",
    )
    with step:
        st.caption(plain(event.action))  # an empty step cannot be opened
        if step.open:
            show_record(get_event(event.event_id, actor=actor, order_id=order_id))


def _offer_more(key: str, most: int) -> None:
    """Draw the button for older events, or say where they are."""
    if most >= MOST:
        st.caption(f"These are the newest {MOST:,} events. Choose “As a table” to see all.")
        return

    def show_more() -> None:
        st.session_state[key] = most + PAGE

    st.button("Show more", key=f"{key}_more", icon=":material/expand_more:", on_click=show_more)
