"""An opened event: its values before and after, and its raw record."""

import json
from dataclasses import asdict

import streamlit as st

from core.access import Actor
from core.ground import in_zone, show_controls
from core.history import Change, changes_of
from core.query import RecordedEvent, get_event
from pages.grid import GridState, show_opener, viewer_zone
from pages.shell import plain, show_text_table

LINES_SHOWN = 14


def show_event_actions(state: GridState, *, actor: Actor) -> None:
    """Draw the button that shows the selected event, and the dialog while it is open."""
    order_id = state.place.order_id

    def show(event_id: str, actor: Actor) -> None:
        event = get_event(event_id, actor=actor, order_id=order_id)
        st.markdown(f"**{plain(event.sentence)}**")
        st.caption(plain(f"{in_zone(event.at, viewer_zone(), seconds=True)} · {event.action}"))
        show_record(event)

    show_opener(state, "Event", show)


def show_record(event: RecordedEvent) -> None:
    """Draw what changed by an event as a table, and the event as it is stored."""
    changes = changes_of(event.before, event.after)
    if changes:
        show_text_table(_lines(changes), f"changes_{event.event_id}", LINES_SHOWN)
    st.caption("Raw record")
    st.code(_raw(event), language=None, wrap_lines=True)


def _lines(changes: list[Change]) -> list[dict[str, str]]:
    """Return the lines of the table; a side without any value is left out."""
    sides = {
        "Before": [one.before for one in changes],
        "After": [one.after for one in changes],
    }
    shown = {header: values for header, values in sides.items() if any(values)}
    return [
        {"Field": one.name} | {header: values[number] for header, values in shown.items()}
        for number, one in enumerate(changes)
    ]


def _raw(event: RecordedEvent) -> str:
    """Return the stored values as JSON; the sentence is in the heading already."""
    stored = asdict(event) | {"at": event.at.isoformat()}
    del stored["sentence"]
    return show_controls(json.dumps(stored, ensure_ascii=False, indent=1))
