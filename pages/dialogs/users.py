"""Dialogs of Users: add a person, and change the rights of the selected one."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from core import access
from core.access import Actor, Person, Rights
from core.ground import AppError, Role, named, word_of
from pages.grid import GridState
from pages.shell import Dialog, acting, plain

EMAIL, NAME = "user_email", "user_name"


@dataclass
class Change:
    """What the dialog is about: a new person, or the selected user."""

    user_id: str | None = None
    fault: str = ""

    def key(self, name: str) -> str:
        """Return the key of a widget of the dialog."""
        return f"user_{name}_{self.user_id or 'new'}"


def show_user_actions(state: GridState, *, actor: Actor) -> None:
    """Draw the buttons, and the dialog while it is open."""
    dialog = Dialog[Change]("user_dialog", state.touch)
    dialog.forget_if_left("add_user")
    is_one = len(state.selected) == 1
    st.button(
        "Change",
        key="change_user",
        icon=":material/manage_accounts:",
        disabled=not is_one,
        help=None if is_one else "Select one user to change their rights",
        on_click=_open,
        args=(state, dialog, state.selected[0] if is_one else None),
    )
    st.button(
        "Add user",
        type="primary",
        key="add_user",
        icon=":material/person_add:",
        on_click=_open,
        args=(state, dialog, None),
    )
    if change := dialog.content:
        title = "Add user" if change.user_id is None else "Change user"
        dialog.show(title, partial(_show_change, state, dialog))


def _open(state: GridState, dialog: Dialog[Change], user_id: str | None) -> None:
    state.touch()
    for key in (EMAIL, NAME):
        st.session_state.pop(key, None)
    dialog.open(Change(user_id))


def _show_change(state: GridState, dialog: Dialog[Change], change: Change, actor: Actor) -> None:
    if change.user_id is None:
        _ask_person(change, actor)
    else:
        person = access.get_person(change.user_id, actor=actor)
        if not _ask_changes(change, person, actor):
            return
    if change.fault:
        st.error(plain(change.fault))
    with st.container(horizontal=True, horizontal_alignment="right"):
        dialog.show_close("Cancel", key="user_cancel")
        st.button(
            "Add user" if change.user_id is None else "Save",
            type="primary",
            key="user_confirm",
            on_click=_confirm,
            args=(state, dialog, change),
        )


def _ask_person(change: Change, actor: Actor) -> None:
    st.text_input("E-mail", key=EMAIL, placeholder="ana@helios.example")
    st.text_input("Name", key=NAME, placeholder="Optional: filled in at the first sign-in")
    _ask_rights(change, Rights(), actor)
    st.caption("They get access the first time they sign in with this verified address.")


def _ask_changes(change: Change, person: Person, actor: Actor) -> bool:
    """Ask what to change; return False if the actor may change nothing here."""
    st.markdown(f"**{plain(person.name)}**")
    if person.name != person.email:
        st.text(person.email)
    if person.user_id == actor.user_id:
        st.info("You cannot change your own rights. Ask another admin.")
        return False
    _ask_rights(change, person.rights, actor)
    st.checkbox("Active", person.rights.is_active, key=change.key("active"))
    if person.has_signed_in:
        st.checkbox(
            "Link a new account at the next sign-in",
            key=change.key("forget"),
            help="Use this if they have a new account at the sign-in provider",
        )
    return True


def _ask_rights(change: Change, rights: Rights, actor: Actor) -> None:
    """Ask for role, contracts and own orders, but not for `is_active`."""
    st.segmented_control(
        "Role",
        [role.value for role in Role],
        default=rights.role.value,
        format_func=word_of,
        key=change.key("role"),
        required=True,
        width="stretch",
    )
    sees_all = st.checkbox("Sees all contracts", rights.sees_all_contracts, key=change.key("all"))
    names = access.find_contracts(actor=actor)
    st.multiselect(
        "Contracts",
        list(names),
        default=sorted(rights.contracts & names.keys()),
        format_func=lambda one: named(one, names[one]),
        key=change.key("contracts"),
        disabled=sees_all,
        placeholder="All contracts" if sees_all else "No contracts: they see no orders",
    )
    label = "Only orders they created"
    st.checkbox(label, rights.only_own_orders, key=change.key("own"))


@acting
def _confirm(state: GridState, dialog: Dialog[Change], change: Change, *, actor: Actor) -> None:
    """Save the change. An error is shown in the dialog, which stays open."""
    try:
        words = _save(change, actor)
    except AppError as error:
        change.fault = str(error)
        return
    dialog.close()
    state.refresh()
    st.toast(plain(words), icon=":material/check:")


def _save(change: Change, actor: Actor) -> str:
    asked, now = st.session_state, datetime.now(UTC)
    rights = Rights(
        role=Role(asked[change.key("role")]),
        sees_all_contracts=asked[change.key("all")],
        contracts=frozenset(asked[change.key("contracts")]),
        only_own_orders=asked[change.key("own")],
        is_active=asked.get(change.key("active"), True),
    )
    if change.user_id is None:
        email, name = asked[EMAIL] or "", asked[NAME] or ""
        access.add_user(email, name=name, rights=rights, actor=actor, now=now)
        return f"{email.strip()} was added."
    access.change_user(change.user_id, rights=rights, actor=actor, now=now)
    if asked.get(change.key("forget")):
        access.forget_sign_in(change.user_id, actor=actor, now=now)
    return "Rights changed. They apply at once."
