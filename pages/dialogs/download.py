"""Download Voucher: the valid vouchers of the selected order items, or of the selected orders.

For items, it is a link, and a dialog only if no voucher is valid. For orders, it is a dialog that
lists the vouchers: only a click looks for the items of the orders.
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
from pages.dialogs.request import show_none, show_notes, show_problem
from pages.dialogs.selection import ITEMS, Chosen, Source
from pages.dialogs.unprintable import show_unprintable
from pages.grid import GridState, download_address
from pages.shell import Dialog, plain

MAX_IN_LINK = 60_000  # the server refuses a longer address
LEFT_OUT = "vouchers_refused"
ICON = ":material/confirmation_number:"


def show_download(state: GridState, *, actor: Actor) -> None:
    """Draw the link to the valid vouchers, and say which ones are left out."""
    lines = (
        vouchers.assess(state.selected, actor=actor, now=datetime.now(UTC))
        if state.selected
        else []
    )
    valid, refused = _split(lines)
    if not valid:
        show_download_dialog(state, ITEMS, actor=actor)
        return
    one = f"The voucher of {_named(lines)}"
    many = f"{len(valid):,} vouchers in one PDF, one per page"
    left = f"; {len(refused):,} left out" if refused else ""
    words = f"{one if len(valid) == 1 else many}{left}"
    st.link_button(ITEMS.download, _address(valid, actor, "pdf"), icon=ICON, help=plain(words))
    if len(lines) > 1 or any(line.unprintable for line in lines):
        _show_more(state, lines, actor)


def _named(lines: list[VoucherLine]) -> str:
    """Return the product and the passenger of the one voucher that is valid."""
    line = next(one for one in lines if one.why is None)
    return f"{line.product}, {line.passenger_name}"


def show_download_dialog(state: GridState, source: Source, *, actor: Actor) -> None:
    """Draw the button, and the dialog while it is open."""
    key = f"voucher_{state.place.key}"
    dialog = Dialog[Chosen](f"voucher_dialog_{state.place.key}", state.touch)
    dialog.forget_if_left(key)
    is_asked = st.button(
        source.download,
        key=key,
        icon=ICON,
        disabled=not state.selected,
        help=None if state.selected else source.download_help,
        on_click=state.touch,
    )
    if is_asked and state.selected:
        dialog.open(source.choose(state, actor))
    dialog.show(source.download.removesuffix("…"), partial(_show_chosen, dialog), width="large")


def _show_chosen(dialog: Dialog[Chosen], chosen: Chosen, actor: Actor) -> None:
    """List the vouchers that can be downloaded, and those left out; offer the files."""
    if chosen.problem:
        show_problem(chosen, dialog, key="voucher_close")
        return
    lines = vouchers.assess(chosen.item_ids, actor=actor, now=datetime.now(UTC))
    valid, refused = _split(lines)
    if valid:
        st.markdown(f"**{len(valid):,}** of {plain(_vouchers(len(lines)))} will be downloaded.")
    else:
        show_none("downloaded", "vouchers", len(lines))
    show_notes(chosen)
    if refused:
        heading = "Left out" if valid else "Cannot be downloaded"
        show_left_out(refused, chosen, key=LEFT_OUT, heading=heading)
    show_unprintable([one for one in lines if one.unprintable], key="vouchers_unprintable")
    with st.container(horizontal=True, horizontal_alignment="right"):
        dialog.show_close("Cancel", key="voucher_cancel")
        if len(valid) > 1:
            st.link_button("Download separate PDFs (ZIP)", _address(valid, actor, "zip"))
        label = f"Download {_vouchers(len(valid))}"
        if valid:
            st.link_button(label, _address(valid, actor, "pdf"), type="primary")
        else:
            st.button(label, type="primary", key="voucher_confirm", disabled=True)


def _vouchers(count: int) -> str:
    return f"{count:,} voucher{'s' * (count != 1)}"


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
            zipped = _address(valid, actor, "zip")
            st.link_button("Download separate PDFs (ZIP)", zipped)


def _address(item_ids: list[str], actor: Actor, form: str) -> str:
    view = default_view(ORDER_ITEMS, "UTC").with_ids(tuple(item_ids))
    text = to_address(view)
    is_short = len(text) <= MAX_IN_LINK
    named = {"view": text} if is_short else views.address_of(view, actor=actor)
    table = ORDER_ITEMS.name
    return download_address("vouchers", "vouchers", table, actor=actor, form=form, **named)
