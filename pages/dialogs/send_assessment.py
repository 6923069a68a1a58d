"""What sending vouchers would do: which go to whom, which are left out and why, and the e-mail."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from core.access import Actor
from core.ground import DeliveryKind
from core.mail import Assessment, Envelope, preview_draft
from core.vouchers import VoucherLine
from pages.dialogs.left_out import show_left_out
from pages.dialogs.preview import show_preview
from pages.dialogs.selection import ITEM, Chosen
from pages.dialogs.unprintable import show_unprintable
from pages.shell import plain, show_text_table

LEFT_OUT = "send_left_out"
MAX_NAMED = 3  # recipients of a voucher, orders of a recipient, warnings


def show_sending(
    lines: Sequence[VoucherLine], found: Assessment | None, chosen: Chosen
) -> frozenset[str]:
    """List the vouchers with their recipients, and those left out; return unknown recipients.

    Without a valid recipient there is no assessment: then the valid vouchers are listed alone.
    """
    envelopes = found.envelopes if found else ()
    left_out = found.left_out if found else [line for line in lines if line.why]
    absent = {line.order_item_id for line in left_out}
    able = [line for line in lines if line.order_item_id not in absent]
    asked = f"{len(lines):,} voucher{'s' * (len(lines) != 1)}"
    mails = f"in {count_mails(len(envelopes))}" if found else "will be sent"
    st.markdown(f"**{len(able):,}** of {plain(f'{asked} {mails}')}")
    strangers = _warn_of_strangers(envelopes)
    if left_out:
        show_left_out(left_out, chosen, key=LEFT_OUT)
    if able:
        _show_able(able, envelopes, chosen)
    show_unprintable([line for line in able if line.unprintable], key="send_unprintable")
    return strangers


def _warn_of_strangers(envelopes: Sequence[Envelope]) -> frozenset[str]:
    """Warn of recipients who are neither contact nor passenger; return them."""
    strangers: dict[str, list[str]] = {}
    for one in envelopes:  # a recipient gets one e-mail per contract
        if one.unknown_to:
            strangers.setdefault(one.recipient, []).extend(one.unknown_to)
    for recipient, orders in list(strangers.items())[:MAX_NAMED]:
        listed = ", ".join(orders[:MAX_NAMED]) + (", …" if len(orders) > MAX_NAMED else "")
        st.warning(
            f"{plain(recipient)} is not the contact or a passenger of {plain(listed)}. "
            "Send anyway?",
            icon=":material/person_alert:",
        )
    if len(strangers) > MAX_NAMED:
        more = len(strangers) - MAX_NAMED
        st.warning(f"The same applies to {more:,} more recipient{'s' * (more != 1)}.")
    return frozenset(strangers)


def _show_able(able: Sequence[VoucherLine], envelopes: Sequence[Envelope], chosen: Chosen) -> None:
    recipients: dict[str, list[str]] = defaultdict(list)
    for envelope in envelopes:
        for item in envelope.item_ids:
            recipients[item].append(envelope.recipient)
    st.markdown(f"**Will be sent** ({len(able):,})")
    lines = [
        {
            ITEM: one.order_item_id,
            "Product": one.product,
            "Passenger": one.passenger_name,
            "To": _named(recipients[one.order_item_id]),
        }
        for one in able
    ]
    show_text_table(chosen.with_orders(lines), key="send_able")


def _named(recipients: Sequence[str]) -> str:
    if not recipients:
        return "No recipient yet"
    more = len(recipients) - MAX_NAMED
    return ", ".join(recipients[:MAX_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def show_draft(envelopes: Sequence[Envelope], message: str | None, actor: Actor) -> None:
    """Show the first e-mail as it would arrive, when the preview is opened."""
    more = st.expander("Preview", key="send_preview", on_change="rerun")
    if more.open:
        with more:
            kind, now = DeliveryKind.VOUCHER, datetime.now(UTC)
            show_preview(preview_draft(envelopes[0], message, kind=kind, actor=actor, now=now))
            if len(envelopes) > 1:
                st.caption(f"This is the first of {len(envelopes):,} e-mails.")


def count_mails(count: int) -> str:
    """Return a number of e-mails in words."""
    return f"{count:,} e-mail{'s' * (count != 1)}"
