"""One note as it is drawn: who wrote it when, its text, its follow-up, and what can be done."""

import html
import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import streamlit as st

from core import notes
from core.access import Actor
from core.ground import day_in_words, in_zone, show_controls
from core.notes import SeenNote
from pages.dialogs.due import forget_due
from pages.grid import viewer_zone
from pages.shell import acting, plain

# What a link in a text consists of; punctuation after it belongs to the sentence.
_LINK = re.compile(r"https?://[\w\-.~:/?#\[\]@!$&'()*+,;=%]+", re.IGNORECASE)
_AFTER = ".,;:!?'"
_PAIRS = {")": "(", "]": "["}


def show_note(note: SeenNote) -> None:
    """Draw a note; a withdrawn one says who withdrew it when."""
    with st.container(key=f"noted_{note.note_id}", gap=None):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            written = in_zone(note.created_at, viewer_zone())
            st.markdown(f"**{plain(note.author)}** wrote a note", width="content")
            st.caption(written, width="content")
            if note.can_withdraw:
                _ask_to_withdraw(note)
        if note.text is None:
            st.caption(f"Withdrawn by {plain(note.withdrawn_by or '')}, {_when(note.withdrawn_at)}")
        else:
            st.html(f'<div class="deskNote">{text_as_html(note.text)}</div>')
        if note.follow_up_on is not None and note.text is not None:
            _show_follow_up(note, note.follow_up_on)


def text_as_html(text: str) -> str:
    """Return a text as HTML in which only links are more than text."""
    parts, end = [], 0
    shown = show_controls(text)
    for found in _LINK.finditer(shown):
        link = _without_end(found[0])
        parts.append(html.escape(shown[end : found.start()]))
        address = html.escape(link)
        parts.append(f'<a href="{address}" target="_blank" rel="noopener">{address}</a>')
        end = found.start() + len(link)
    return "".join([*parts, html.escape(shown[end:])])


def _without_end(link: str) -> str:
    """Return a link without the punctuation of its sentence, and brackets that close it."""
    while link[-1] in _AFTER or link.count(link[-1]) > link.count(_PAIRS.get(link[-1], link[-1])):
        link = link[:-1]
    return link


def _when(at: datetime | None) -> str:
    return "" if at is None else in_zone(at, viewer_zone())


def _show_follow_up(note: SeenNote, on: date) -> None:
    who = plain(note.follow_up_by or "")
    if note.done_at is not None:
        st.caption(
            f":material/check: Followed up by {plain(note.done_by or '')}, {_when(note.done_at)}"
        )
        return
    is_due = on <= datetime.now(ZoneInfo(viewer_zone())).date()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        day = f"**{day_in_words(on)}**" if is_due else day_in_words(on)
        st.markdown(f":material/event: Follow up on {day} by {who}", width="content")
        if note.can_close:
            st.button(
                "Done",
                key=f"note_done_{note.note_id}",
                icon=":material/check:",
                on_click=_close,
                args=(note.note_id,),
            )


def _ask_to_withdraw(note: SeenNote) -> None:
    with st.popover("Withdraw", type="tertiary", key=f"note_ask_{note.note_id}"):
        st.caption("The text is erased for everyone. It stays visible that you wrote a note.")
        st.button(
            "Withdraw note",
            type="primary",
            key=f"note_withdraw_{note.note_id}",
            on_click=_withdraw,
            args=(note.note_id,),
        )


@acting
def _withdraw(note_id: str, *, actor: Actor) -> None:
    notes.withdraw_note(note_id, actor=actor, now=datetime.now(UTC))
    forget_due()
    st.toast("Note withdrawn.", icon=":material/check_circle:")


@acting
def _close(note_id: str, *, actor: Actor) -> None:
    notes.close_follow_up(note_id, actor=actor, now=datetime.now(UTC))
    forget_due()
    st.toast("Follow-up done.", icon=":material/check_circle:")
