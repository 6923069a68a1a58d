"""The page of an order without an order: how to find one."""

from datetime import UTC, datetime

import streamlit as st

from core import query
from core.access import Actor
from core.tables import ORDERS
from core.views import default_view
from pages.grid import show_empty, viewer_zone
from pages.shell import plain, set_tab_title

NEWEST = 5
SEARCH = (
    '<button type="button" class="deskFind" data-opens="deskSearch">'
    "Search everything <kbd>Ctrl K</kbd></button>"
)


def show_no_order(actor: Actor) -> None:
    """Say that the address names no order, and offer the search and the newest orders."""
    set_tab_title("Open an order")
    st.title("Open an order", anchor=False)
    if query.is_empty(default_view(ORDERS, "UTC"), actor=actor, now=datetime.now(UTC)):
        show_empty(ORDERS, actor)
        return
    st.markdown("This page shows one order, but its address names none.")
    _show_ways()
    st.header("The newest orders", anchor=False)
    with st.container(gap="xsmall", key="newest"):
        _show_newest(actor)


def show_not_found(why: str) -> None:
    """Say that the actor cannot open the order that the address names, and how to find another."""
    set_tab_title("Order not found")
    st.title("Order not found", anchor=False)
    st.error(plain(why), icon=":material/search_off:")
    st.caption("Upper and lower case must match. The search finds an order by a part of its ID.")
    _show_ways()


def _show_ways() -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="ways"):
        st.html(SEARCH, width="content")
        st.page_link("orders.py", label="All orders", icon=":material/arrow_back:")


def _show_newest(actor: Actor) -> None:
    view, now = default_view(ORDERS, viewer_zone()), datetime.now(UTC)
    newest = query.load_rows(view, actor=actor, now=now, start=0, end=NEWEST)
    for order in newest.itertuples():
        facts = (
            order.order_id,
            f"{order.created_at:%Y-%m-%d %H:%M}",
            order.contract_id,
            order.author,
        )
        label = " · ".join(plain(str(fact)) for fact in facts)
        st.page_link("order.py", label=label, query_params={"order": str(order.order_id)})
