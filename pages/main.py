"""The entry script: draws frame and navigation, checks who asks, and runs the requested page."""

import streamlit as st

from core.access import may
from core.ground import NotSignedIn, Permission
from pages.dialogs import show_demo, show_due
from pages.shell import (
    current_actor,
    draw_frame,
    draw_header,
    failures_shown,
    follow_reconnection,
    show_search_token,
)

# Every page is registered for everyone, so that its address shows the sign-in form, or says that
# the person's role may not open it. No icons: Streamlit would fetch a :material/...: icon from
# another server as the favicon.
pages = {
    st.Page("overview.py", title="Overview"): Permission.OVERVIEW,
    st.Page("orders.py", title="Orders"): Permission.ORDERS,
    st.Page("order_items.py", title="Order Items"): Permission.ORDERS,
    st.Page("transactions.py", title="Transactions"): Permission.TRANSACTIONS,
    st.Page("refunds.py", title="Refunds"): Permission.ORDERS,
    st.Page("emails.py", title="E-mails"): Permission.EMAILS,
    st.Page("verify.py", title="Verify"): Permission.OVERVIEW,
    st.Page("imports.py", title="Import"): Permission.IMPORT,
    st.Page("users.py", title="Users"): Permission.USERS,
    st.Page("contracts.py", title="Contracts"): Permission.CONTRACTS,
    st.Page("audit_trail.py", title="Audit Trail"): Permission.AUDIT_TRAIL,
}
order = st.Page("order.py", title="Order", visibility="hidden")


def home() -> None:
    """Go from the bare address to the first page, so that every page has its own address.

    `?order=<id>` goes to that order.
    """
    first = order if "order" in st.query_params else next(iter(pages))
    st.switch_page(first, query_params=st.query_params.to_dict())


start = st.Page(home, title="Home", default=True)
page = st.navigation([start, *pages, order], position="hidden")
draw_frame(page.title)
follow_reconnection()
with failures_shown():
    actor = current_actor()
    seen = [one for one, permission in pages.items() if may(actor, permission)]
    draw_header(actor, seen, show_due)
    show_search_token(actor)
    show_demo(actor)
    try:
        page.run()
    except NotSignedIn:  # since the header was drawn: the next run draws nothing but the form
        st.rerun()
