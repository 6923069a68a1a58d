"""Actions on the selected order items: Refund, Download Voucher and Send Voucher."""

from datetime import UTC, datetime

import streamlit as st

from core import views, vouchers
from core.access import Actor, may
from core.ground import Permission
from core.tables import ORDER_ITEMS
from core.views import default_view, to_address
from core.vouchers import VoucherLine
from pages.dialogs.refund import show_refund
from pages.dialogs.refund_rule import show_refund_rule
from pages.dialogs.send import show_send
from pages.dialogs.unprintable import show_unprintable
from pages.grid import GridState, download_address
from pages.shell import plain, show_text_table

MAX_IN_LINK = 60_000  # the server refuses a longer address
LABEL, ICON = "Download Voucher", ":material/confirmation_number:"


def show_item_actions(state: GridState, *, actor: Actor) -> None:
    """Draw what the actor may do with the selected order items."""
    if may(actor, Permission.REFUND):
        show_refund_rule(state)
        show_refund(state, actor=actor)
    if may(actor, Permission.VOUCHERS):
        _show_vouchers(state, actor)
        show_send(state, actor=actor)


def _show_vouchers(state: GridState, actor: Actor) -> None:
    """Draw the link to the valid vouchers, and say which ones are left out."""
    lines = (
        vouchers.assess(state.selected, actor=actor, now=datetime.now(UTC))
        if state.selected
        else []
    )
    valid, refused = _split(lines)
    if not valid:
        none = f"None of the selected vouchers is valid. {vouchers.summarise_reasons(refused)}"
        why = none if refused else "Select order items to download their vouchers"
        key = f"voucher_{state.place.key}"
        st.button(LABEL, key=key, icon=ICON, disabled=True, help=plain(why))
        return
    one = "The voucher of the selected item"
    many = f"{len(valid):,} vouchers in one PDF, one per page"
    left = f"; {len(refused):,} left out" if refused else ""
    words = f"{one if len(valid) == 1 else many}{left}"
    st.link_button(LABEL, _address(state, valid, actor, "pdf"), icon=ICON, help=words)
    if len(lines) > 1 or any(line.unprintable for line in lines):
        _show_more(state, lines, actor)


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
            st.markdown(f"**Left out** ({len(refused):,})")
            listed = [
                {"Order Item ID": one.order_item_id, "Product": one.product, "Why": one.why or ""}
                for one in refused
            ]
            show_text_table(listed, key="vouchers_refused")
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
