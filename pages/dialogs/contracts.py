"""The dialog of Contracts: change the name and the limit of the selected contract."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

import streamlit as st

from core import access
from core.access import Actor, ContractFacts
from core.ground import AppError, InvalidInput, decimals_of, format_money, to_major, to_minor
from pages.grid import GridState
from pages.shell import Dialog, acting, plain

NAME, LIMIT = "contract_name", "contract_limit"
_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,4})?")


@dataclass
class Change:
    """What the dialog is about: the selected contract."""

    contract: ContractFacts
    fault: str = ""


def show_contract_actions(state: GridState, *, actor: Actor) -> None:
    """Draw the button, and the dialog while it is open."""
    dialog = Dialog[Change]("contract_dialog", state.touch)
    dialog.forget_if_left("change_contract")
    is_one = len(state.selected) == 1
    is_asked = st.button(
        "Change",
        key="change_contract",
        icon=":material/edit:",
        disabled=not is_one,
        help=None if is_one else "Select one contract to change its name or limit",
        on_click=state.touch,
    )
    if is_asked and is_one:
        contract = access.get_contract(state.selected[0], actor=actor)
        st.session_state[NAME] = contract.name
        st.session_state[LIMIT] = _as_text(contract)
        dialog.open(Change(contract))
    dialog.show("Change contract", partial(_show_change, state, dialog))


def _as_text(contract: ContractFacts) -> str:
    limit = contract.refund_limit_minor
    return "" if limit is None else f"{to_major(limit, contract.currency)}"


def _show_change(state: GridState, dialog: Dialog[Change], change: Change, _actor: Actor) -> None:
    contract = change.contract
    balance = format_money(contract.balance_minor, contract.currency)
    st.markdown(f"**{plain(contract.contract_id)}** · balance {plain(balance)}")
    st.text_input("Name", key=NAME, max_chars=access.MAX_CONTRACT_NAME)
    st.text_input(
        f"Refund limit ({contract.currency})",
        key=LIMIT,
        max_chars=20,
        placeholder="No limit",
        help="The most that one person can refund for this contract in 24 hours. A second person "
        "approves what is above it. Leave it empty for no limit.",
    )
    if change.fault:
        st.error(plain(change.fault))
    with st.container(horizontal=True, horizontal_alignment="right"):
        dialog.show_close("Cancel", key="contract_cancel")
        st.button(
            "Save",
            type="primary",
            key="contract_confirm",
            on_click=_confirm,
            args=(state, dialog, change),
        )


@acting
def _confirm(state: GridState, dialog: Dialog[Change], change: Change, *, actor: Actor) -> None:
    """Save the change. An error is shown in the dialog, which stays open."""
    asked, contract = st.session_state, change.contract
    try:
        access.change_contract(
            contract.contract_id,
            name=asked[NAME] or "",
            refund_limit_minor=_parse_limit(asked[LIMIT] or "", contract.currency),
            actor=actor,
            now=datetime.now(UTC),
        )
    except AppError as error:
        change.fault = str(error)
        return
    dialog.close()
    state.refresh()
    st.toast(plain(f"{contract.contract_id} was changed."), icon=":material/check:")


def _parse_limit(text: str, currency: str) -> int | None:
    """Return an amount that a person typed in minor units; None if it is empty."""
    if not text.strip():
        return None
    example = "500" if decimals_of(currency) == 0 else f"{Decimal(500):.{decimals_of(currency)}f}"
    fault = InvalidInput(f"The limit must be an amount in {currency} such as {example}.")
    if not _AMOUNT.fullmatch(text.strip()):
        raise fault
    try:
        return to_minor(Decimal(text.strip()), currency)
    except ValueError:  # too many decimals
        raise fault from None
