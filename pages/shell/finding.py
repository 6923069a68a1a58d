"""What the search of the header needs from the page: its token. search.js does the rest."""

import html
import time

import streamlit as st

from core import access
from core.access import Actor
from pages.routes import EVERYWHERE
from pages.web import BROWSER_COOKIE

RENEW_SECONDS = access.TOKEN_LIFE_SECONDS * 3 // 4


def show_search_token(actor: Actor) -> None:
    """Write the token into the page, out of sight; a new one only when it ages."""
    known, token, issued = st.session_state.get("search_token", (None, "", 0.0))
    person = (actor.user_id, actor.sign_in_id, browser_cookie())
    if known != person or time.monotonic() - issued > RENEW_SECONDS:
        token = access.issue_token(
            "search", table=EVERYWHERE, actor=actor, browser=browser_cookie()
        )
        st.session_state["search_token"] = person, token, time.monotonic()
    with st.container(key="search_token"):
        st.html(f'<span data-search-token="{html.escape(token)}"></span>')


def browser_cookie() -> str:
    """Return the browser's cookie; empty without one, and then its tokens give no access."""
    cookie = st.context.cookies.get(BROWSER_COOKIE)
    return cookie if isinstance(cookie, str) else ""
