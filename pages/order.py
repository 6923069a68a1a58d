"""One order, opened by `?order=<id>`: facts, products, transactions, e-mails and history."""

from zoneinfo import ZoneInfo

import streamlit as st

from core.access import Actor, may
from core.ground import NotFound, format_money, named
from core.query import OrderDetails, get_order
from core.tables import AUDIT_EVENTS, EMAILS, ORDER_ITEMS, TRANSACTIONS
from pages.dialogs import (
    show_email_actions,
    show_item_actions,
    show_no_order,
    show_not_found,
    show_refund_notices,
)
from pages.grid import Actions, download_address, show_table, viewer_zone
from pages.shell import current_actor, plain, set_tab_title, show_facts, show_list_links

TABS = {
    "Products": ORDER_ITEMS,
    "Transactions": TRANSACTIONS,
    "E-mails": EMAILS,
    "History": AUDIT_EVENTS,
}
FILE = ":material/download:"
ACTIONS: dict[str, Actions] = {
    ORDER_ITEMS.name: show_item_actions,
    EMAILS.name: show_email_actions,
}


def show_order(order: OrderDetails, actor: Actor) -> None:
    """Draw the order's facts, and the table of the open tab."""
    set_tab_title(f"Order {order.order_id}")
    with st.container(horizontal=True, vertical_alignment="center", key="order"):
        st.title(f"Order {plain(order.order_id)}", anchor=False, width="stretch")
        show_list_links(order.order_id, actor)
        st.link_button("Download Order", _workbook(order, actor), icon=FILE, type="primary")
    zone = viewer_zone()
    created = f"{order.created_at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
    refunded = order.refunded_minor
    facts = {
        "Created Date": created,
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
    tables = {name: one for name, one in TABS.items() if may(actor, one.permission(order.order_id))}
    tabs = st.tabs(list(tables), key="tab", on_change="rerun", bind="query-params")
    for table, tab in zip(tables.values(), tabs, strict=True):
        if tab.open:
            acts = ACTIONS.get(table.name)
            with tab:
                show_table(table, actor=actor, order_id=order.order_id, actions=acts)


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
