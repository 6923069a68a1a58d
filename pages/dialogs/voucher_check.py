"""The parts of Verify: the verdict, the codes checked before, and where a voucher has its code."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import streamlit as st

from core.access import Actor
from core.ground import in_zone, word_of
from core.vouchers import Verdict, Verification
from pages.grid import viewer_zone
from pages.shell import plain, show_facts, show_text_table

LOOKS = {
    Verdict.VALID: (st.success, ":material/verified:"),
    Verdict.USED: (st.warning, ":material/task_alt:"),
    Verdict.REFUNDED: (st.error, ":material/undo:"),
    Verdict.IN_PROGRESS: (st.error, ":material/hourglass_top:"),
    Verdict.EXPIRED: (st.error, ":material/event_busy:"),
    Verdict.EARLY: (st.warning, ":material/event_upcoming:"),
    Verdict.UNKNOWN: (st.error, ":material/help:"),
    Verdict.FORGED: (st.error, ":material/gpp_bad:"),
    Verdict.DAMAGED: (st.warning, ":material/broken_image:"),
}
EXAMPLE = "7QXM-22KD-9WTA"
CHECKED = "checked_codes"
MAX_CHECKED, LINES_SHOWN, MAX_CODE = 50, 8, 24
# A sketch of a voucher, as vouchers.pdf.page draws it; frame.css has its look.
SKETCH = f"""
<div class="deskVoucher" role="img" aria-label="A voucher: its code is printed below the QR code">
  <div><b></b><i></i><i></i><i></i><i></i></div>
  <div><u></u><span>{EXAMPLE}</span></div>
</div>
"""


def show_verdict(found: Verification) -> None:
    """Show the verdict, and the order item that the code belongs to."""
    show, icon = LOOKS[found.verdict]
    show(f"**{found.verdict}.** {plain(found.sentence)}", icon=icon)
    item = found.item
    if item is None:
        return
    facts = {
        "Product": item.product,
        "Airport": item.airport_iata,
        "Passenger": f"{item.passenger_name} ({word_of(item.pax_type)})",
        "Service Date": in_zone(item.service_at, item.airport_tz),
        "Valid From": in_zone(item.valid_from, item.airport_tz),
        "Valid Until": in_zone(item.valid_until, item.airport_tz),
        "Voucher Code": item.voucher_code,
        "Order Item ID": item.order_item_id,
    }
    show_facts(facts)
    order = {"order": item.order_id}
    st.page_link("order.py", label=f"Order {plain(item.order_id)}", query_params=order)


def note_check(code: str, found: Verification, actor: Actor) -> None:
    """Add a check to those of this browser tab."""
    item = found.item
    line = {
        "Time": f"{datetime.now(UTC).astimezone(ZoneInfo(viewer_zone())):%H:%M:%S}",
        "Result": str(found.verdict),
        "Code": item.voucher_code if item else _cut(code.strip()),
        "Passenger": item.passenger_name if item else "",
        "Product": item.product if item else "",
    }
    st.session_state[CHECKED] = actor, [line, *_checked_by(actor)][:MAX_CHECKED]


def _cut(code: str) -> str:
    return code if len(code) <= MAX_CODE else f"{code[:MAX_CODE]}…"


def _checked_by(actor: Actor) -> list[dict[str, str]]:
    """Return what the actor has checked with these very rights: others may show less."""
    noted_for, lines = st.session_state.get(CHECKED, (None, []))
    return list(lines) if noted_for == actor else []


def show_recent_checks(actor: Actor) -> None:
    """List the last checks: of this person in this browser tab, as the results were then."""
    st.header("Recent checks", anchor=False)
    lines = _checked_by(actor)
    if lines:
        show_text_table(lines, key="recent_checks", lines_shown=LINES_SHOWN)
        st.caption(
            f"The results as they were at that time, in {plain(viewer_zone())}. Only you see this "
            "list."
        )
    else:
        st.caption("None yet. Codes that you check in this browser tab are listed here.")


def show_where_codes_are() -> None:
    """Show where a voucher has its code, and how it can be entered."""
    st.header("Where the code is", anchor=False)
    st.html(SKETCH)
    st.markdown(
        "- The **voucher code** is below the QR code, on the right of the voucher.\n"
        "- Capital letters and hyphens do not matter: `7qxm22kd9wta` is the same.\n"
        "- A code never has I, L, O, 0 or 1.\n"
        "- With a scanner, click into the box, then scan."
    )
