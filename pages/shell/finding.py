"""What scripts of the page need from it: tokens, with which they ask our routes."""

import html
import time

import streamlit as st

from core import access
from core.access import Actor, Purpose, may
from core.tables import ORDERS
from pages.routes import EVERYWHERE
from pages.web import BROWSER_COOKIE

RENEW_SECONDS = access.TOKEN_LIFE_SECONDS * 3 // 4


def show_search_token(actor: Actor) -> None:
    """Write the token of the search into the page, out of sight; search.js does the rest."""
    token = _kept_token("search", EVERYWHERE, actor)
    with st.container(key="search_token"):
        st.html(f'<span data-search-token="{html.escape(token)}"></span>')


def show_list_links(order_id: str, actor: Actor) -> None:
    """Draw the ways from an order to the list: to all of it, to the previous and the next order.

    beside.js fills in the latter, if the order was opened from the list in this tab.
    """
    if may(actor, ORDERS.permission(None)):
        token = _kept_token("rows", ORDERS.name, actor)
        order, token = html.escape(order_id), html.escape(token)
        st.html(f'<nav data-beside="{order}" data-token="{token}"></nav>', width="content")
    st.page_link("orders.py", label="All orders", icon=":material/arrow_back:")


def _kept_token(purpose: Purpose, table: str, actor: Actor) -> str:
    """Return the session's token for a purpose; a new one only when it ages."""
    key = f"{purpose}_token"
    known, token, issued = st.session_state.get(key, (None, "", 0.0))
    person = (actor.user_id, actor.sign_in_id, browser_cookie())
    if known != person or time.monotonic() - issued > RENEW_SECONDS:
        token = access.issue_token(purpose, table=table, actor=actor, browser=browser_cookie())
        st.session_state[key] = person, token, time.monotonic()
    return str(token)


def browser_cookie() -> str:
    """Return the browser's cookie; empty without one, and then its tokens give no access."""
    cookie = st.context.cookies.get(BROWSER_COOKIE)
    return cookie if isinstance(cookie, str) else ""
