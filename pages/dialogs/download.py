"""Download Voucher: the link to the valid vouchers of the selected order items.

If none is valid, the button opens a dialog that says why.
"""

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from core import views, vouchers
from core.access import Actor
from core.tables import ORDER_ITEMS
from core.views import default_view, to_address
from core.vouchers import VoucherLine
from pages.dialogs.left_out import show_left_out
from pages.dialogs.request import show_none, show_notes
from pages.dialogs.selection import ITEMS, Chosen
from pages.dialogs.unprintable import show_unprintable
from pages.grid import GridState, download_address
from pages.shell import Dialog

MAX_IN_LINK = 60_000  # the server refuses a longer address
LEFT_OUT = "vouchers_refused"
LABEL, ICON = "Download Voucher", ":material/confirmation_number:"


def show_download(state: GridState, *, actor: Actor) -> None:
    """Draw the link to the valid vouchers, and say which ones are left out."""
    lines = (
        vouchers.assess(state.selected, actor=actor, now=datetime.now(UTC))
        if state.selected
        else []
    )
    valid, refused = _split(lines)
    if not valid:
        _show_none(state, actor)
        return
    one = "The voucher of the selected item"
    many = f"{len(valid):,} vouchers in one PDF, one per page"
    left = f"; {len(refused):,} left out" if refused else ""
    words = f"{one if len(valid) == 1 else many}{left}"
    st.link_button(LABEL, _address(state, valid, actor, "pdf"), icon=ICON, help=words)
    if len(lines) > 1 or any(line.unprintable for line in lines):
        _show_more(state, lines, actor)


def _show_none(state: GridState, actor: Actor) -> None:
    """Draw the button while no voucher can be downloaded, and the dialog that says why."""
    key = f"voucher_{state.place.key}"
    dialog = Dialog[Chosen](f"voucher_dialog_{state.place.key}", state.touch)
    dialog.forget_if_left(key)
    is_asked = st.button(
        LABEL,
        key=key,
        icon=ICON,
        disabled=not state.selected,
        help=None if state.selected else "Select order items to download their vouchers",
        on_click=state.touch,
    )
    if is_asked and state.selected:
        dialog.open(ITEMS.choose(state, actor))
    dialog.show("Download Voucher", partial(_show_why, dialog), width="large")


def _show_why(dialog: Dialog[Chosen], chosen: Chosen, actor: Actor) -> None:
    lines = vouchers.assess(chosen.item_ids, actor=actor, now=datetime.now(UTC))
    show_none("downloaded", "vouchers", len(lines))
    show_notes(chosen)
    show_left_out(lines, chosen, key=LEFT_OUT, heading="Cannot be downloaded")
    with st.container(horizontal=True, horizontal_alignment="right"):
        dialog.show_close("Cancel", key="voucher_cancel")
        st.button("Download 0 vouchers", type="primary", key="voucher_confirm", disabled=True)


def _split(lines: list[VoucherLine]) -> tuple[list[str], list[VoucherLine]]:
    valid = [line.order_item_id for line in lines if line.why is None]
    return valid, [line for line in lines if line.why is not None]


def _show_more(state: GridState, lines: list[VoucherLine], actor: Actor) -> None:
    """List the vouchers that are left out, with the reason, and offer separate PDFs.

    List also those that show � for characters that no font has.
    """
    valid, refused = _split(lines)
    unprintable = [line for line in lines if line.unprintable]
    counts = [f"{len(valid):,} of {len(lines):,} valid"] if len(lines) > 1 else []
    counts += [f"{len(unprintable):,} with \ufffd"] if unprintable else []
    label = ", ".join(counts)
    more = st.popover(label, key=f"vouchers_{state.place.key}", on_change=state.touch)
    if not more.open:
        return
    with more:
        if refused:
            show_left_out(refused, Chosen(state.selected), key=LEFT_OUT)
        show_unprintable(unprintable, key="vouchers_unprintable")
        if len(lines) > 1:
            zipped = _address(state, valid, actor, "zip")
            st.link_button("Download separate PDFs (ZIP)", zipped)


def _address(state: GridState, item_ids: list[str], actor: Actor, form: str) -> str:
    view = default_view(ORDER_ITEMS, "UTC").with_ids(tuple(item_ids))
    text = to_address(view)
    is_short = len(text) <= MAX_IN_LINK
    named = {"view": text} if is_short else views.address_of(view, actor=actor)
    table = ORDER_ITEMS.name
    return download_address("vouchers", "vouchers", table, actor=actor, form=form, **named)
