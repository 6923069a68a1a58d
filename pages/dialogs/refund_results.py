"""The results of a refund request: every item with its result, and the list as a file."""

from typing import Any

import streamlit as st

from core import refunds
from core.access import Actor, may
from core.ground import Permission, format_money
from core.refunds import IN_PROGRESS, NOT_REFUNDED, REFUNDED, WAITING, Results
from core.tables import REFUNDS
from pages.dialogs.refund_assessment import count_items, sums_in_words
from pages.dialogs.request import show_where
from pages.dialogs.selection import ITEM, Chosen
from pages.dialogs.void_notice import show_void_notice
from pages.grid import GridState, download_address, viewer_zone
from pages.shell import Dialog, current_actor, failures_shown, plain, show_text_table

ASK_SECONDS = 1
ICONS = {
    REFUNDED: ":material/check_circle:",
    IN_PROGRESS: ":material/hourglass_top:",
    WAITING: ":material/supervisor_account:",
    NOT_REFUNDED: ":material/block:",
}


def show_results(
    state: GridState, dialog: Dialog[Any], batch_id: str, chosen: Chosen, actor: Actor
) -> None:
    """Show the result of every item; refresh while some are in progress."""

    @st.fragment(run_every=ASK_SECONDS)
    def refresh() -> None:
        with failures_shown():
            if _show_lines(batch_id, chosen, current_actor()) == 0:
                st.rerun(scope="app")

    if len(refunds.get_results(batch_id, actor=actor).having(IN_PROGRESS)):
        state.refresh()  # the table is up to date when this dialog closes
        refresh()
    else:
        _show_lines(batch_id, chosen, actor)
    _show_ending(state, dialog, batch_id, actor)


def _show_lines(batch_id: str, chosen: Chosen, actor: Actor) -> int:
    """Draw the results; return how many are still in progress."""
    results = refunds.get_results(batch_id, actor=actor)
    for result, icon in ICONS.items():
        count = len(results.having(result))
        if count:
            sums = f": {sums_in_words(results.totals(result))}" if result != NOT_REFUNDED else ""
            st.markdown(f"{icon} **{count_items(count)}** {result.lower()}{plain(sums)}")
    order = list(ICONS)
    lines = chosen.with_orders(_result_lines(results))
    lines.sort(key=lambda one: order.index(one["Result"]))
    show_text_table(lines, key="refund_results", lines_shown=12)
    return len(results.having(IN_PROGRESS))


def _show_ending(state: GridState, dialog: Dialog[Any], batch_id: str, actor: Actor) -> None:
    asked = {"batch": batch_id, "zone": viewer_zone()}
    results = refunds.get_results(batch_id, actor=actor)
    refunded = results.having(REFUNDED)
    requested = results.frame[results.frame["result"] != NOT_REFUNDED]
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        show_where(REFUNDS, list(requested["order_item_id"]), actor=actor)
        if may(actor, Permission.EMAILS):
            show_void_notice(state, list(refunded["order_item_id"]), actor=actor)
        st.link_button(
            "Download Results",
            download_address(
                "export/refund_results", "export", "refund_results", actor=actor, **asked
            ),
            icon=":material/download:",
        )
        dialog.show_close("Done", key="refund_done", is_primary=True)


def _result_lines(results: Results) -> list[dict[str, str]]:
    frame = results.frame.astype("object").where(results.frame.notna(), None)
    return [
        {
            ITEM: one["order_item_id"],
            "Product": one["product"] or "",
            "Amount": format_money(one["amount_minor"], one["currency"]) if one["currency"] else "",
            "Result": one["result"],
            "Why": one["why"] or "",
        }
        for one in frame.to_dict("records")
    ]
