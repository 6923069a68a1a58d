"""One order, opened by `?order=<id>`: what it is, products, transactions and history."""

from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import streamlit as st

from core import access
from core.access import Actor, may
from core.ground import InvalidInput, NotFound, format_amount
from core.query import OrderDetails, get_order
from core.tables import AUDIT_EVENTS, EMAILS, ORDER_ITEMS, TRANSACTIONS
from pages.dialogs import show_email_actions, show_item_actions, show_refund_notices
from pages.grid import Actions, browser_cookie, show_table, viewer_zone
from pages.shell import current_actor, plain
from pages.web import base_path

TABS = {
    "Products": ORDER_ITEMS,
    "Transactions": TRANSACTIONS,
    "E-mails": EMAILS,
    "History": AUDIT_EVENTS,
}
ACTIONS: dict[str, Actions] = {
    ORDER_ITEMS.name: show_item_actions,
    EMAILS.name: show_email_actions,
}


def show_order(order: OrderDetails, actor: Actor) -> None:
    """Draw the order's facts, and the open tab of its tables."""
    with st.container(horizontal=True, vertical_alignment="center", key="order"):
        st.title(f"Order {plain(order.order_id)}", anchor=False, width="stretch")
        st.page_link("orders.py", label="All orders", icon=":material/arrow_back:")
        st.link_button("Download Order", _workbook(order, actor), icon=":material/download:")
    zone = viewer_zone()
    created = f"{order.created_at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
    contract = order.contract_id
    if order.contract_name != contract:
        contract = f"{contract} · {order.contract_name}"
    facts = {
        "Created Date": created,
        "Contract ID": contract,
        "Widget ID": order.widget_id,
        "Author": order.author,
        "Amount": _amount(order.amount_minor, order.currency),
        "Refunded": _amount(order.refunded_minor, order.currency) if order.refunded_minor else None,
        "Contact E-mail": order.contact_email,
        "Contract Balance": _amount(order.contract_balance_minor, order.contract_currency),
    }
    with st.container(horizontal=True, key="facts", gap="medium"):
        for name, value in facts.items():
            with st.container(width="content", gap=None):
                st.caption(name)
                st.text(value or "–")
    show_refund_notices(order.order_id, actor)
    tables = {name: one for name, one in TABS.items() if may(actor, one.permission(order.order_id))}
    tabs = st.tabs(list(tables), key="tab", on_change="rerun", bind="query-params")
    for table, tab in zip(tables.values(), tabs, strict=True):
        if tab.open:
            with tab:
                actions = ACTIONS.get(table.name)
                show_table(table, actor=actor, order_id=order.order_id, actions=actions)


def _amount(minor: int, currency: str) -> str:
    return f"{format_amount(minor, currency)} {currency}"


def _workbook(order: OrderDetails, actor: Actor) -> str:
    """Return the address of the order's workbook: its facts, products and transactions."""
    token = access.issue_token(
        "export", table="order", actor=actor, browser=browser_cookie(), order_id=order.order_id
    )
    return f"{base_path()}/export/order?{urlencode({'zone': viewer_zone(), 'token': token})}"


asked = st.query_params.get("order", "")
if not asked:
    raise InvalidInput("This page shows one order: open it from Orders, or by ?order= and its ID.")
actor = current_actor()
try:
    order = get_order(asked, actor=actor)
except NotFound as error:
    st.title("Order not found", anchor=False)
    st.error(plain(str(error)), icon=":material/search_off:")
    st.caption(
        "IDs are written in their own capitals and small letters. The quick search finds parts."
    )
    st.page_link("orders.py", label="All orders", icon=":material/arrow_back:")
else:
    show_order(order, actor)
