"""What an admin does on Users: add a person, and change the rights of the one who is ticked."""

from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from core import people
from core.errors import AppError
from core.people import Person, Rights
from core.states import Role
from core.users import Actor
from pages.frame import current_actor, failures_shown, plain
from pages.grid.state import GridState

ASKED = "users_dialog"  # in the session: which dialog opens in this run


def show_user_actions(state: GridState, *, actor: Actor) -> None:
    """Draw the buttons, and the dialog that one of them opened."""
    st.button(
        "Change",
        key="change_user",
        icon=":material/manage_accounts:",
        disabled=len(state.selected) != 1,
        help=None if len(state.selected) == 1 else "Tick one user to change their rights",
        on_click=_ask,
        args=(state, "change"),
    )
    st.button(
        "Add user",
        key="add_user",
        type="primary",
        icon=":material/person_add:",
        on_click=_ask,
        args=(state, "add"),
    )
    asked = st.session_state.pop(ASKED, None)
    if asked == "add":
        _add(state)
    elif asked == "change" and len(state.selected) == 1:
        _change(state, state.selected[0])


def _ask(state: GridState, dialog: str) -> None:
    state.touch()
    st.session_state[ASKED] = dialog


@st.dialog("Add user")
def _add(state: GridState) -> None:
    with failures_shown():
        actor = current_actor()  # a dialog may be open for hours
        email = st.text_input("E-mail", key="user_email", placeholder="ana@helios.example")
        name = st.text_input("Name", key="user_name", placeholder="Optional: else the provider's")
        rights = _ask_rights("new", Rights(), actor)
        st.caption("They come in with the first sign-in that proves this e-mail address.")
        if not _is_confirmed("Add user", "user_added"):
            return
        now = datetime.now(UTC)
        try:
            people.add_user(email, name=name, rights=rights, actor=actor, now=now)
        except AppError as error:
            st.error(plain(str(error)))
            return
        _close(state, f"{email.strip()} is added.")


@st.dialog("Change user")
def _change(state: GridState, user_id: str) -> None:
    with failures_shown():
        actor = current_actor()
        person = people.get_person(user_id, actor=actor)
        st.markdown(f"**{plain(person.name)}**")
        if person.name != person.email:
            st.caption(plain(person.email))
        if user_id == actor.user_id:
            st.info("Nobody changes their own rights: ask another admin.")
            return
        rights = _ask_rights(user_id, person.rights, actor)
        active = st.checkbox("Active: let in", person.rights.is_active, key=f"active_{user_id}")
        is_forgotten = person.has_signed_in and st.checkbox(
            "Bind to another account at the next sign-in",
            key=f"forget_{user_id}",
            help="For when their account at the provider has been replaced",
        )
        if not _is_confirmed("Save", "user_saved"):
            return
        try:
            _save(person, replace(rights, is_active=active), is_forgotten, actor)
        except AppError as error:
            st.error(plain(str(error)))
            return
        _close(state, f"The rights of {person.email} are changed, from now on.")


def _save(person: Person, rights: Rights, is_forgotten: bool, actor: Actor) -> None:
    now = datetime.now(UTC)
    people.change_user(person.user_id, rights=rights, actor=actor, now=now)
    if is_forgotten:
        people.forget_sign_in(person.user_id, actor=actor, now=now)


def _ask_rights(key: str, rights: Rights, actor: Actor) -> Rights:
    """Ask for role and scope; whether somebody is active is another question."""
    roles = list(Role)
    role = st.segmented_control(
        "Role",
        roles,
        default=rights.role,
        format_func=str.capitalize,
        key=f"role_{key}",
        required=True,
        width="stretch",
    )
    sees_all = st.checkbox("Sees all contracts", rights.sees_all_contracts, key=f"all_{key}")
    names = people.find_contracts(actor=actor)
    chosen = st.multiselect(
        "Contracts",
        list(names),
        default=sorted(rights.contracts & names.keys()),
        format_func=lambda one: one if names[one] == one else f"{one} · {names[one]}",
        key=f"contracts_{key}",
        disabled=sees_all,
        placeholder="All of them" if sees_all else "None: sees no order",
    )
    own = st.checkbox(
        "Own orders only: those whose author they are",
        key=f"own_{key}",
        value=rights.only_own_orders,
    )
    return replace(
        rights,
        role=role or rights.role,
        sees_all_contracts=sees_all,
        contracts=frozenset(chosen),
        only_own_orders=own,
    )


def _is_confirmed(label: str, key: str) -> bool:
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Cancel", key=f"{key}_not"):
            st.rerun()
        return st.button(label, type="primary", key=key)


def _close(state: GridState, words: str) -> None:
    """Close the dialog, say what was done, and show the rows as they are by now."""
    state.refresh()
    st.toast(plain(words), icon=":material/check:")
    st.rerun()
