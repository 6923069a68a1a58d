"""What a refund of the selected items would do: which are refunded, which are refused, and why."""

from collections.abc import Sequence

import streamlit as st

from core import vouchers
from core.access import Actor
from core.ground import format_amount, format_money, in_zone, named
from core.refunds import Assessed, Assessment, Reason, RefundItem
from pages.dialogs.request import show_none, show_notes
from pages.dialogs.selection import ITEM, Chosen
from pages.grid import viewer_zone
from pages.shell import plain, show_text_table


def show_assessment(found: Assessment, chosen: Chosen, *, actor: Actor) -> None:
    """List the items, with their orders if orders were selected."""
    able, refused = found.refundable, [line for line in found.lines if line.refusal]
    if able:
        now = len(able) - len(found.waiting)
        st.markdown(f"**{now:,}** of {count_items(len(found.lines))} will be refunded.")
        if found.waiting:
            _show_waiting(found.waiting)
    else:
        show_none("refunded", "items", len(found.lines))
    show_notes(chosen)
    if able:
        lines = _able_lines(able, viewer_zone())
        show_text_table(chosen.with_orders(lines), key="refund_able")
        _show_sums(found)
        _show_copies([item.order_item_id for item in able], actor)
    if refused:
        _show_refused(refused, chosen)


def _show_waiting(items: Sequence[RefundItem]) -> None:
    """Say which contracts are over their limit, and what that means for the items."""
    limits = {one.contract_id: one for one in items}
    said = ", ".join(
        f"{one.contract_id} ({format_money(one.refund_limit_minor, one.contract_currency)})"
        for one in limits.values()
        if one.refund_limit_minor is not None
    )
    st.warning(
        f"**{len(items):,}** need{'s' * (len(items) == 1)} the approval of a second person. "
        f"The limit of what one person can refund in 24 hours is passed: {plain(said)}. "
        "Vouchers become void at once. The money is paid back after the approval.",
        icon=":material/supervisor_account:",
    )


def _able_lines(items: Sequence[RefundItem], zone: str) -> list[dict[str, str]]:
    def deadline(item: RefundItem, zone: str) -> str:
        # The deadline does not apply to a refund that the bank returned, and may be blank.
        at = None if item.is_returned else item.refund_expire_at
        return in_zone(at, zone, seconds=True) if at else "Returned by the bank"

    return [
        {
            ITEM: item.order_item_id,
            "Product": item.product,
            "Passenger": item.passenger_name,
            "Amount": format_money(item.price_minor, item.currency),
            "Refund Expire Date": deadline(item, item.airport_tz),
            "In your time zone": deadline(item, zone),
        }
        for item in items
    ]


def _show_copies(item_ids: Sequence[str], actor: Actor) -> None:
    """List the copies of vouchers that the refund makes void."""
    copies = vouchers.find_copies(item_ids, actor=actor)
    if not copies:
        return
    zone = viewer_zone()
    lines = [
        {
            ITEM: one.order_item_id,
            "Copy": one.how,
            "Time": in_zone(one.at, zone),
        }
        for one in copies
    ]
    st.markdown(f":material/content_copy: **Copies that will be void** ({len(copies):,})")
    show_text_table(lines, key="refund_copies", lines_shown=2)


def _show_refused(refused: Sequence[Assessed], chosen: Chosen) -> None:
    st.markdown(f"**Cannot be refunded** ({len(refused):,})")
    lines = [
        {
            ITEM: line.order_item_id,
            "Product": line.item.product if line.item else "",
            "Why": _why(line),
        }
        for line in refused
    ]
    show_text_table(chosen.with_orders(lines), key="refund_refused")


def _why(line: Assessed) -> str:
    """Return the reason of a refusal; a missed deadline also in the viewer's time zone."""
    if line.refusal is None:
        return ""
    deadline = line.item.refund_expire_at if line.item else None
    if line.refusal.reason is not Reason.DEADLINE_PASSED or deadline is None:
        return line.refusal.sentence
    here = in_zone(deadline, viewer_zone(), seconds=True)
    return f"{line.refusal.sentence} In your time zone: {here}."


def _show_sums(found: Assessment) -> None:
    with st.container(horizontal=True, vertical_alignment="top", key="refund_sums"):
        st.markdown(f"**Total** {plain(sums_in_words(found.totals))}", width="content")
        with st.container(gap=None, width="stretch"):
            for one in found.balances:
                before, after = (
                    format_amount(minor, one.currency) for minor in (one.before, one.after)
                )
                contract = named(one.contract_id, one.name)
                st.caption(plain(f"Balance of {contract}: {before} → {after} {one.currency}"))


def sums_in_words(totals: dict[str, int]) -> str:
    """Return sums of money in words; the totals are minor units by currency."""
    return " · ".join(format_money(minor, code) for code, minor in totals.items())


def count_items(count: int) -> str:
    """Return a number of items in words."""
    return f"{count:,} item{'s' * (count != 1)}"
