"""One order, opened by `?order=<id>`: facts, products, transactions, refunds, mails, history."""

import streamlit as st

from core.access import Actor, may
from core.ground import NotFound, format_money, in_zone, named
from core.query import OrderDetails, get_order
from core.tables import AUDIT_EVENTS, EMAILS, ORDER_ITEMS, REFUNDS, TRANSACTIONS, Table
from pages.dialogs import (
    EMAIL_STATES,
    REFUND_RULE,
    show_email_actions,
    show_item_actions,
    show_no_order,
    show_not_found,
    show_notes,
    show_refund_actions,
    show_refund_notices,
)
from pages.grid import Extras, download_address, show_table, viewer_zone
from pages.history import show_event_actions, show_history
from pages.shell import current_actor, plain, set_tab_title, show_facts, show_list_links

TABS: dict[str, tuple[Table, Extras]] = {
    "Products": (ORDER_ITEMS, Extras(show_item_actions, explains=REFUND_RULE)),
    "Transactions": (TRANSACTIONS, Extras()),
    "Refunds": (REFUNDS, Extras(show_refund_actions, explains=REFUND_RULE)),
    "E-mails": (EMAILS, Extras(show_email_actions, explains=EMAIL_STATES)),
    "History": (AUDIT_EVENTS, Extras(show_event_actions)),
}
FILE = ":material/download:"


def show_order(order: OrderDetails, actor: Actor) -> None:
    """Draw the order's facts, and the table of the open tab."""
    set_tab_title(f"Order {order.order_id}")
    with st.container(horizontal=True, vertical_alignment="center", key="order"):
        st.title(f"Order {plain(order.order_id)}", anchor=False, width="stretch")
        show_list_links(order.order_id, actor)
        st.link_button("Download Order", _workbook(order, actor), icon=FILE, type="primary")
    refunded = order.refunded_minor
    facts = {
        "Created Date": in_zone(order.created_at, viewer_zone()),
        "Contract ID": named(order.contract_id, order.contract_name),
        "Widget ID": order.widget_id,
        "Author": order.author,
        "Amount": format_money(order.amount_minor, order.currency),
        "Refunded": format_money(refunded, order.currency) if refunded else None,
        "Contact E-mail": order.contact_email,
        "Contract Balance": format_money(order.contract_balance_minor, order.contract_currency),
    }
    show_facts(facts)
    show_refund_notices(order.order_id, actor)
    seen = {k: one for k, one in TABS.items() if may(actor, one[0].permission(order.order_id))}
    tabs = st.tabs(list(seen), key="tab", on_change="rerun", bind="query-params")
    for (table, extras), tab in zip(seen.values(), tabs, strict=True):
        show = show_history if table is AUDIT_EVENTS else show_table
        if tab.open:
            with tab:
                if table is AUDIT_EVENTS:
                    show_notes(order.order_id, actor)
                show(table, actor=actor, order_id=order.order_id, extras=extras)


def _workbook(order: OrderDetails, actor: Actor) -> str:
    """Return the address of the order's workbook: its facts, products and transactions."""
    own = {"order_id": order.order_id, "zone": viewer_zone()}
    return download_address("export/order", "export", "order", actor=actor, **own)


asked, actor = st.query_params.get("order", ""), current_actor()
if not asked:
    show_no_order(actor)
else:
    try:
        order = get_order(asked, actor=actor)
    except NotFound as error:
        show_not_found(str(error))
    else:
        show_order(order, actor)
