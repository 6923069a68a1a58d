"""Signing in and out by Streamlit's own OpenID Connect: its settings, the form, who is here."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import streamlit as st
from streamlit import config
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from core import sign_ins, tokens
from core.settings import get_settings
from core.users import Actor


def streamlit_secrets() -> dict[str, Any] | None:
    """Return what Streamlit reads from its secrets, made of our settings; None in local mode.

    They are the same in every process that has the same SIGNING_SECRET or DATA_DIR.
    """
    settings = get_settings()
    if not settings.has_sign_in:
        return None
    assert settings.oidc_client_secret is not None
    # Before it reads its secrets, Streamlit takes this to sign the state of a sign-in that begins.
    config.set_option("server.cookieSecret", tokens.secret_for("streamlit.auth"))
    return {
        "auth": {
            "redirect_uri": f"{settings.public_url.rstrip('/')}/oauth2callback",
            "cookie_secret": tokens.secret_for("streamlit.auth"),
            "client_id": settings.oidc_client_id,
            "client_secret": settings.oidc_client_secret.get_secret_value(),
            "server_metadata_url": settings.oidc_metadata_url,
        }
    }


def signed_in_actor() -> Actor:
    """Return who has signed in; raises NotSignedIn where nobody has, or the sign-in is over."""
    claims = _claims()
    if claims is None:
        raise sign_ins.SignInNeeded("Sign in to see your orders.")
    return sign_ins.accept(claims, now=datetime.now(UTC))


def _claims() -> Mapping[str, object] | None:
    claims: Mapping[str, object] = st.user.to_dict()
    return claims if claims.get("is_logged_in") is True else None


def claims_in(cookies: Mapping[str, str]) -> Mapping[str, object] | None:
    """Return what Streamlit's cookie says of who has signed in; None without one that it signed."""

    def read(name: str) -> bytes | None:
        return decode_signed_value(get_cookie_secret(), name, cookies.get(name, ""))

    whole = get_cookie_with_chunks(read, USER_COOKIE_NAME)
    claims: Mapping[str, object] | None = json.loads(whole) if whole else None
    return claims


def show_sign_in(why: Exception, words: str) -> None:
    """Draw, in place of a page, what keeps the person out and the button that helps."""
    claims = _claims()
    with st.container(key="sign_in", gap="medium"):
        st.image(str(get_settings().logo), width=48, alt="")
        st.title(get_settings().app_name, anchor=False)
        if isinstance(why, sign_ins.SignInNeeded):
            st.markdown(words)
        else:
            st.error(words, icon=":material/lock:")
            if claims:
                st.text(f"Signed in as {claims.get('email') or claims.get('sub')}")
        if isinstance(why, sign_ins.SignInNeeded) and get_settings().has_sign_in:
            if st.button("Sign in", type="primary", key="sign_in_now", width="stretch"):
                st.login()
        elif claims and st.button(
            "Sign in with another account", key="sign_in_anew", width="stretch"
        ):
            st.logout()


def show_account(actor: Actor, label: str) -> None:
    """Say in the header who has signed in, with which rights, and offer to sign out."""
    with st.popover(label, icon=":material/account_circle:", type="tertiary", key="account"):
        st.caption(f"Role: {actor.role} · {_sees(actor)}")
        if st.button("Sign out", icon=":material/logout:", key="sign_out", width="stretch"):
            sign_ins.end(actor, now=datetime.now(UTC))
            st.logout()


def _sees(actor: Actor) -> str:
    if actor.sees_all_contracts:
        contracts = "every contract"
    else:
        count = len(actor.contracts)
        contracts = f"{count:,} contract{'s' * (count != 1)}" if count else "no contract yet"
    return f"{contracts}, own orders only" if actor.only_own_orders else contracts
