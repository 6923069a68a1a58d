"""The notes of an order: the form that adds one, and the notes, newest first."""

import secrets
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import streamlit as st

from core import notes
from core.access import Actor, may
from core.ground import AppError, NotSignedIn, Permission
from core.notes import Colleague, FollowUp
from pages.dialogs.due import forget_due
from pages.dialogs.note import show_note
from pages.grid import viewer_zone
from pages.shell import acting, plain

SHOWN = 10  # notes, until somebody asks for all


def show_notes(order_id: str, actor: Actor) -> None:
    """Draw the form, if the actor can write, and the notes of an order."""
    with st.container(key="notes", gap="small"):
        if may(actor, Permission.NOTES):
            show_note_form(order_id, actor)
        found = notes.find_notes(order_id, actor=actor)
        shows_all = st.session_state.get("notes_all") == order_id
        for note in found if shows_all else found[:SHOWN]:
            show_note(note)
        if len(found) > SHOWN and not shows_all:
            label = f"Show all {len(found):,} notes"
            st.button(label, key="notes_show_all", on_click=_show_all, args=(order_id,))


def _show_all(order_id: str) -> None:
    st.session_state["notes_all"] = order_id


def show_note_form(order_id: str, actor: Actor) -> None:
    """Draw the form. Its text is kept until the note is added, also on another tab or page."""
    draft = _draft_of(order_id)
    people = {one.email: one for one in notes.find_colleagues(order_id, actor=actor)}
    names = {email: one.words for email, one in people.items()}
    with st.container(key="note_form", gap="small"):
        st.session_state.setdefault("note_text", draft["text"])
        st.text_area(
            "Add a note",
            key="note_text",
            height=80,
            placeholder="For your colleagues; never sent to the customer",
            on_change=_keep,
            args=(draft,),
        )
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.selectbox(
                "Mention",
                list(names),
                key="note_mention",
                index=None,
                placeholder="@ a colleague",
                format_func=names.__getitem__,
                on_change=_mention,
                args=(draft, people),
                width=220,
                help="They get an e-mail with the note and the link to this order.",
            )
            today = datetime.now(ZoneInfo(viewer_zone())).date()
            on = st.date_input(
                "Follow up on", None, key="note_on", min_value=today, format="YYYY-MM-DD", width=180
            )
            if on is not None:
                _choose_person(people, actor)
            st.space("stretch")
            st.button(
                "Add note", type="primary", key="note_add", on_click=_add, args=(order_id, draft)
            )
        if draft["fault"]:
            st.error(plain(draft["fault"]))


def _choose_person(people: dict[str, Colleague], actor: Actor) -> None:
    """Let the actor choose who follows up: by default themselves."""
    able = [email for email, one in people.items() if one.can_write]
    st.selectbox(
        "Follow up by",
        able,
        key="note_by",
        index=able.index(actor.email) if actor.email in able else None,
        format_func=lambda email: people[email].words,
        width=220,
    )


def _draft_of(order_id: str) -> dict[str, str]:
    """Return the text that is not added yet, its key, and why it could not be added."""
    drafts: dict[str, dict[str, str]] = st.session_state.setdefault("note_drafts", {})
    if st.session_state.get("note_order") != order_id:  # the boxes are of another order
        st.session_state["note_order"] = order_id
        for name in ("note_text", "note_mention", "note_on", "note_by"):
            st.session_state.pop(name, None)
    return drafts.setdefault(order_id, {"text": "", "key": secrets.token_urlsafe(16), "fault": ""})


def _keep(draft: dict[str, str]) -> None:
    draft["text"], draft["fault"] = st.session_state["note_text"], ""


def _mention(draft: dict[str, str], people: dict[str, Colleague]) -> None:
    """Write @ and the chosen name at the end of the text."""
    chosen = people.get(st.session_state["note_mention"])
    if chosen is not None:
        before = st.session_state["note_text"].rstrip(" ")
        gap = "" if before == "" or before.endswith("\n") else " "
        st.session_state["note_text"] = f"{before}{gap}@{chosen.name} "
        _keep(draft)
    st.session_state["note_mention"] = None


@acting
def _add(order_id: str, draft: dict[str, str], *, actor: Actor) -> None:
    """Add the note. If it is refused, the form says why and keeps everything."""
    # A day that was typed last comes with this click: the box of who follows up is not drawn yet.
    on, by = st.session_state.get("note_on"), st.session_state.get("note_by", actor.email)
    _keep(draft)
    try:
        notes.add_note(
            order_id,
            draft["text"],
            key=draft["key"],
            actor=actor,
            now=datetime.now(UTC),
            zone=viewer_zone(),
            follow_up=_follow_up(on, by),
        )
    except NotSignedIn:
        raise
    except AppError as error:
        draft["fault"] = str(error)
        return
    st.session_state["note_drafts"].pop(order_id, None)
    st.session_state["note_text"] = ""
    st.session_state["note_on"] = None
    st.session_state.pop("note_by", None)
    forget_due()
    st.toast("Note added.", icon=":material/check_circle:")


def _follow_up(on: date | None, by: str | None) -> FollowUp | None:
    return None if on is None else FollowUp(on, by or "")
