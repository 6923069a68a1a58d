"""The entry script: frame, navigation, the gate; then it runs the page that was asked for."""

import streamlit as st

from pages.frame import current_actor, draw_frame, failures_shown, show_who

# No icons: an icon of :material/...: would be fetched from outside as the favicon.
pages = [
    st.Page("orders.py", title="Orders"),
    st.Page("order_items.py", title="Order Items"),
    st.Page("transactions.py", title="Transactions"),
    st.Page("emails.py", title="E-mails"),
    st.Page("verify.py", title="Verify"),
]
order = st.Page("order.py", title="Order", visibility="hidden")


def home() -> None:
    """Lead from the bare address to the first page, so that every page has its own address.

    `?order=<id>` leads to that order.
    """
    first = order if "order" in st.query_params else pages[0]
    st.switch_page(first, query_params=st.query_params.to_dict())


start = st.Page(home, title="Home", default=True)
page = st.navigation([start, *pages, order], position="hidden")
draw_frame(pages)
with failures_shown():
    show_who(current_actor())
    page.run()
