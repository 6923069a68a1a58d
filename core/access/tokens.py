"""Signed tokens: what lets a browser ask the own routes for rows and files.

A token holds the user and the table, lives 8 hours, and is bound to the browser's cookie, so a
link that leaks opens nothing. Each purpose has its own salt: one for rows opens no export.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Literal

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from core.access import sign_ins
from core.access.actors import Actor
from core.ground import NotPermitted, NotSignedIn, get_settings, read_or_make_secret

Purpose = Literal["rows", "export", "vouchers", "messages"]
TOKEN_LIFE_SECONDS = 8 * 3600
SIGNING_SECRET_FILE = "signing_secret"  # noqa: S105 - a name


@dataclass(frozen=True)
class Grant:
    """Who asks, and the one order whose rows the token is for; None for those of every order."""

    actor: Actor
    order_id: str | None


def issue_token(
    purpose: Purpose, *, table: str, actor: Actor, browser: str, order_id: str | None = None
) -> str:
    """Sign a token for one purpose, one table (of one order), one user and one browser's cookie."""
    claims = {"user": actor.user_id, "sign_in": actor.sign_in_id, "table": table}
    return _serializer(purpose).dumps(claims | {"browser": _print_of(browser), "order": order_id})


def accept_token(token: str, purpose: Purpose, *, table: str, browser: str) -> Grant:
    """Return what a token grants, to the user as they are now.

    Raises NotSignedIn when the token is absent, forged, too old, from another browser, of a user
    who is no longer active or of a sign-in that is over; NotPermitted for another table.
    """
    try:
        claims = _serializer(purpose).loads(token, max_age=TOKEN_LIFE_SECONDS)
    except SignatureExpired:
        raise NotSignedIn("This page has been open too long.") from None
    except BadSignature:
        raise NotSignedIn("This address needs a page of Order Desk to open it.") from None
    if not browser or not hmac.compare_digest(claims["browser"], _print_of(browser)):
        raise NotSignedIn("This link was made for another browser.")
    if claims["table"] != table:
        raise NotPermitted("This link was made for another table.")
    actor = sign_ins.resume(claims["user"], claims["sign_in"], now=datetime.now(UTC))
    return Grant(actor, claims["order"])


def _print_of(browser: str) -> str:
    return hashlib.sha256(browser.encode()).hexdigest()[:32]


def _serializer(purpose: Purpose) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_secret(), salt=f"order-desk.{purpose}")


def ensure_secret() -> None:
    """Make the signing secret, or find that it cannot be made, before anyone is served."""
    _secret()


def secret_for(purpose: str) -> str:
    """Derive a secret for signatures that are not ours, so that it says nothing of our own."""
    return hmac.new(_secret().encode(), purpose.encode(), hashlib.sha256).hexdigest()


@cache
def _secret() -> str:
    configured = get_settings().signing_secret
    if configured is not None:
        return configured.get_secret_value()
    return read_or_make_secret(
        get_settings().data_dir / SIGNING_SECRET_FILE, lambda: secrets.token_urlsafe(48)
    )
