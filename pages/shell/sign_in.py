"""Sign-in: the form, the person who is signed in, and the account in the header."""

from collections.abc import Mapping
from datetime import UTC, datetime

import streamlit as st

from core import access
from core.access import Actor
from core.ground import get_settings, word_of


def signed_in_actor() -> Actor:
    """Return the person who has signed in; raise NotSignedIn if no sign-in is valid now."""
    claims = _claims()
    if claims is None:
        raise access.SignInNeeded("Sign in to see your orders.")
    return access.accept_sign_in(claims, now=datetime.now(UTC))


def _claims() -> Mapping[str, object] | None:
    claims: Mapping[str, object] = st.user.to_dict()
    return claims if claims.get("is_logged_in") is True else None


def show_sign_in(why: Exception, words: str) -> None:
    """Draw, instead of a page, why the person has no access and the button to sign in."""
    claims = _claims()
    with st.container(key="sign_in", gap="medium"):
        st.image(str(get_settings().logo), width=48, alt="")
        st.title(get_settings().app_name, anchor=False)
        if isinstance(why, access.SignInNeeded):
            st.markdown(words)
        else:
            st.error(words, icon=":material/lock:")
            if claims:
                st.text(f"Signed in as {claims.get('email') or claims.get('sub')}")
        if isinstance(why, access.SignInNeeded) and get_settings().has_sign_in:
            if st.button("Sign in", type="primary", key="sign_in_now", width="stretch"):
                st.login()
        elif claims and st.button(
            "Sign in with another account", key="sign_in_again", width="stretch"
        ):
            st.logout()


def show_account(actor: Actor, label: str) -> None:
    """Show in the header who has signed in and with which rights; offer to sign out."""
    with st.popover(label, icon=":material/account_circle:", type="tertiary", key="account"):
        st.markdown(label)  # in the header, it may be cut off
        st.caption(f"Role: {word_of(actor.role)} · {_scope(actor)}")
        if st.button("Sign out", icon=":material/logout:", key="sign_out", width="stretch"):
            access.end_sign_in(actor, now=datetime.now(UTC))
            st.logout()
            st.stop()  # the page would run again, which drops the way to the provider


def _scope(actor: Actor) -> str:
    if actor.sees_all_contracts:
        contracts = "all contracts"
    else:
        count = len(actor.contracts)
        contracts = f"{count:,} contract{'s' * (count != 1)}" if count else "no contracts yet"
    return f"{contracts}, only your own orders" if actor.only_own_orders else contracts
