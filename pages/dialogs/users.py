"""Dialogs of Users: add a person, and change the rights of the selected one.

The session keeps the dialog until it is closed, so that it stays open when the page runs again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from core import access
from core.access import Actor, Person, Rights
from core.ground import AppError, Role, word_of
from pages.grid import GridState
from pages.shell import acting, current_actor, failures_shown, plain

DIALOG = "user_dialog"
EMAIL, NAME = "user_email", "user_name"


@dataclass
class UserDialog:
    """An open dialog: for a new person, or for the selected user."""

    user_id: str | None = None
    fault: str = ""

    def key(self, name: str) -> str:
        """Return the key of a widget of the dialog."""
        return f"user_{name}_{self.user_id or 'new'}"


def show_user_actions(state: GridState, *, actor: Actor) -> None:
    """Draw the buttons, and the dialog while it is open."""
    if "add_user" not in st.session_state:  # the person has left the page, which closes the dialog
        st.session_state.pop(DIALOG, None)
    is_one = len(state.selected) == 1
    st.button(
        "Change",
        key="change_user",
        icon=":material/manage_accounts:",
        disabled=not is_one,
        help=None if is_one else "Select one user to change their rights",
        on_click=_open,
        args=(state, state.selected[0] if is_one else None),
    )
    st.button(
        "Add user",
        key="add_user",
        type="primary",
        icon=":material/person_add:",
        on_click=_open,
        args=(state, None),
    )
    dialog: UserDialog | None = st.session_state.get(DIALOG)
    if dialog is not None:
        title = "Add user" if dialog.user_id is None else "Change user"
        st.dialog(title, on_dismiss=_close)(_show_dialog)(state, dialog)


def _open(state: GridState, user_id: str | None) -> None:
    state.touch()
    for key in (EMAIL, NAME):
        st.session_state.pop(key, None)
    st.session_state[DIALOG] = UserDialog(user_id)


def _close() -> None:
    st.session_state.pop(DIALOG, None)


def _show_dialog(state: GridState, dialog: UserDialog) -> None:
    with failures_shown():
        if DIALOG not in st.session_state:  # the person has just confirmed
            st.rerun()
        actor = current_actor()  # a dialog may be open for hours
        if dialog.user_id is None:
            _ask_person(dialog, actor)
        else:
            person = access.get_person(dialog.user_id, actor=actor)
            if not _ask_changes(dialog, person, actor):
                return
        if dialog.fault:
            st.error(plain(dialog.fault))
        with st.container(horizontal=True, horizontal_alignment="right"):
            if st.button("Cancel", key="user_cancel"):
                _close()
                st.rerun()
            st.button(
                "Add user" if dialog.user_id is None else "Save",
                type="primary",
                key="user_confirm",
                on_click=_confirm,
                args=(state, dialog),
            )


def _ask_person(dialog: UserDialog, actor: Actor) -> None:
    st.text_input("E-mail", key=EMAIL, placeholder="ana@helios.example")
    st.text_input("Name", key=NAME, placeholder="Optional: filled in at the first sign-in")
    _ask_rights(dialog, Rights(), actor)
    st.caption("They get access the first time they sign in with this verified address.")


def _ask_changes(dialog: UserDialog, person: Person, actor: Actor) -> bool:
    """Ask what to change; return False if the actor may change nothing here."""
    st.markdown(f"**{plain(person.name)}**")
    if person.name != person.email:
        st.text(person.email)
    if person.user_id == actor.user_id:
        st.info("You cannot change your own rights. Ask another admin.")
        return False
    _ask_rights(dialog, person.rights, actor)
    st.checkbox("Active", person.rights.is_active, key=dialog.key("active"))
    if person.has_signed_in:
        st.checkbox(
            "Link a new account at the next sign-in",
            key=dialog.key("forget"),
            help="Use this if they have a new account at the sign-in provider",
        )
    return True


def _ask_rights(dialog: UserDialog, rights: Rights, actor: Actor) -> None:
    """Ask for role, contracts and own orders, but not for `is_active`."""
    st.segmented_control(
        "Role",
        [role.value for role in Role],
        default=rights.role.value,
        format_func=word_of,
        key=dialog.key("role"),
        required=True,
        width="stretch",
    )
    sees_all = st.checkbox("Sees all contracts", rights.sees_all_contracts, key=dialog.key("all"))
    names = access.find_contracts(actor=actor)
    st.multiselect(
        "Contracts",
        list(names),
        default=sorted(rights.contracts & names.keys()),
        format_func=lambda one: one if names[one] == one else f"{one} · {names[one]}",
        key=dialog.key("contracts"),
        disabled=sees_all,
        placeholder="All contracts" if sees_all else "No contracts: they see no orders",
    )
    label = "Only orders they created"
    st.checkbox(label, rights.only_own_orders, key=dialog.key("own"))


@acting
def _confirm(state: GridState, dialog: UserDialog, *, actor: Actor) -> None:
    """Save the change. An error is shown in the dialog, which stays open."""
    try:
        words = _save(dialog, actor)
    except AppError as error:
        dialog.fault = str(error)
        return
    _close()
    state.refresh()
    st.toast(plain(words), icon=":material/check:")


def _save(dialog: UserDialog, actor: Actor) -> str:
    asked, now = st.session_state, datetime.now(UTC)
    rights = Rights(
        role=Role(asked[dialog.key("role")]),
        sees_all_contracts=asked[dialog.key("all")],
        contracts=frozenset(asked[dialog.key("contracts")]),
        only_own_orders=asked[dialog.key("own")],
        is_active=asked.get(dialog.key("active"), True),
    )
    if dialog.user_id is None:
        email, name = asked[EMAIL] or "", asked[NAME] or ""
        access.add_user(email, name=name, rights=rights, actor=actor, now=now)
        return f"{email.strip()} was added."
    access.change_user(dialog.user_id, rights=rights, actor=actor, now=now)
    if asked.get(dialog.key("forget")):
        access.forget_sign_in(dialog.user_id, actor=actor, now=now)
    return "Rights changed. They apply at once."
