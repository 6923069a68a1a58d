"""The person who sends a request, from the cookies that Streamlit signs at a sign-in."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from streamlit import config
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from core import access
from core.access import Actor
from core.ground import NotSignedIn, get_settings, origin_of
from pages.web.answers import bearer_of, browser_of, note_user


def streamlit_secrets() -> dict[str, Any] | None:
    """Return the secrets that Streamlit needs, from our settings; None in local mode.

    Every process with the same SIGNING_SECRET or DATA_DIR has the same secrets.
    """
    settings = get_settings()
    if not settings.has_sign_in:
        return None
    assert settings.oidc_client_secret is not None
    # Streamlit signs the state of a new sign-in with this option, before it reads its secrets.
    config.set_option("server.cookieSecret", _cookie_secret())
    return {
        "auth": {
            "redirect_uri": f"{settings.public_url}/oauth2callback",
            "cookie_secret": _cookie_secret(),
            "client_id": settings.oidc_client_id,
            "client_secret": settings.oidc_client_secret.get_secret_value(),
            "server_metadata_url": settings.oidc_metadata_url,
        }
    }


def _cookie_secret() -> str:
    return access.secret_for("streamlit.auth")


def local_actor() -> Actor:
    """Return the one user of local mode; raise NotSignedIn if that user is not active."""
    actor = access.find_local_actor()
    if actor is None:
        raise NotSignedIn("You are not signed in. Ask an admin of Order Desk to give you access.")
    return actor


def actor_in(cookies: Mapping[str, str]) -> Actor:
    """Return the person who sends these cookies; raise NotSignedIn if they name none."""
    if not get_settings().has_sign_in:
        return local_actor()
    claims = claims_in(cookies)
    if claims is None:
        raise access.SignInNeeded("You are not signed in.")
    return access.accept_sign_in(claims, now=datetime.now(UTC))


def grant_of(request: Request, purpose: access.Purpose, *, table: str) -> access.Grant:
    """Return what the token of a request grants: that of its header, or of its address for a file.

    Raises NotSignedIn or NotPermitted, as `access.accept_token` does. It asks the database.
    """
    is_file = request.method in ("GET", "HEAD")
    token = request.query_params.get("token", "") if is_file else bearer_of(request)
    grant = access.accept_token(token, purpose, table=table, browser=browser_of(request))
    note_user(request, grant.actor.user_id)
    return grant


def claims_in(cookies: Mapping[str, str]) -> Mapping[str, object] | None:
    """Return the claims in the cookies that Streamlit signed; None if they hold none."""

    def read(name: str) -> bytes | None:
        return decode_signed_value(_cookie_secret(), name, cookies.get(name, ""))

    written = get_cookie_with_chunks(read, USER_COOKIE_NAME)
    claims: dict[str, object] = json.loads(written) if written else {}
    is_ours = claims.get("origin") == origin_of(get_settings().public_url)
    return claims if is_ours and claims.get("is_logged_in") is True else None


def is_of_same_person(cookies: Mapping[str, str], others: Mapping[str, str]) -> bool:
    """Return whether two requests' cookies belong to one person; in local mode always true."""
    if not get_settings().has_sign_in:
        return True
    claims, theirs = claims_in(cookies), claims_in(others)
    if claims is None or theirs is None:
        return False
    account, other = access.parse_claims(claims), access.parse_claims(theirs)
    return (account.issuer, account.subject) == (other.issuer, other.subject)
