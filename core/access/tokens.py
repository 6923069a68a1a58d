"""Signed tokens, with which a browser requests rows and files from our own routes.

A token names the user and the table, and is valid for 8 hours. It is bound to the browser's cookie:
a leaked link is useless. Each purpose has its own salt: a token for rows is invalid for an export.
"""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from itsdangerous import BadSignature, URLSafeTimedSerializer

from core.access import sign_ins
from core.access.actors import Actor
from core.ground import AppError, NotPermitted, NotSignedIn, get_settings, read_or_create_secret

Purpose = Literal["rows", "export", "vouchers", "messages", "search"]
TOKEN_LIFE_SECONDS = 8 * 3600
LEEWAY_SECONDS = 30  # how far the clock of the machine that signed may be ahead of this one's
SIGNING_SECRET_FILE = "signing_secret"  # noqa: S105 - a name


@dataclass(frozen=True)
class Grant:
    """The actor of a token, and the one order whose rows it allows; None for all orders."""

    actor: Actor
    order_id: str | None


def issue_token(
    purpose: Purpose, *, table: str, actor: Actor, browser: str, order_id: str | None = None
) -> str:
    """Sign a token for a purpose, a table (or its rows of one order), a user and a browser."""
    claims = {"user": actor.user_id, "sign_in": actor.sign_in_id, "table": table}
    claims |= {"browser": _fingerprint(browser), "order": order_id}
    return _serializer(purpose).dumps(claims)


def accept_token(token: str, purpose: Purpose, *, table: str, browser: str) -> Grant:
    """Return what a token grants, with the user's current rights.

    Raises NotSignedIn if the token is missing, forged, expired or from another browser, if its user
    is inactive or its sign-in has ended; NotPermitted if it is for another table.
    """
    claims = _read(token, purpose)
    try:
        if not browser or not hmac.compare_digest(claims["browser"], _fingerprint(browser)):
            raise NotSignedIn("This link was made for another browser.")
        if claims["table"] != table:
            raise NotPermitted("This link was made for another table.")
        actor = sign_ins.resume(claims["user"], claims["sign_in"], now=datetime.now(UTC))
    except AppError as error:
        error.user_id = claims["user"]
        raise
    return Grant(actor, claims["order"])


def _read(token: str, purpose: Purpose) -> dict[str, Any]:
    """Return what a token says, if its signature is valid and it is not too old."""
    serializer = _serializer(purpose)
    try:
        claims, signed_at = serializer.loads(token, return_timestamp=True)
    except BadSignature:
        raise NotSignedIn("This link works only from a page of Order Desk.") from None
    age = int(time.time()) - signed_at.timestamp()
    if not -LEEWAY_SECONDS <= age <= TOKEN_LIFE_SECONDS:
        refusal = NotSignedIn("This page was open for too long.")
        refusal.user_id = claims["user"]
        raise refusal
    return dict(claims)


def _fingerprint(browser: str) -> str:
    return hashlib.sha256(browser.encode()).hexdigest()[:32]


def _serializer(purpose: Purpose) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_secret(), salt=f"order-desk.{purpose}")


def ensure_secret() -> None:
    """Create or read the signing secret at start, so that an error stops the start."""
    _secret()


def secret_for(purpose: str) -> str:
    """Derive a secret for another library's signatures, which does not reveal our own secret."""
    return hmac.new(_secret().encode(), purpose.encode(), hashlib.sha256).hexdigest()


@cache
def _secret() -> str:
    configured = get_settings().signing_secret
    if configured is not None:
        return configured.get_secret_value()
    return read_or_create_secret(
        get_settings().data_dir / SIGNING_SECRET_FILE, lambda: secrets.token_urlsafe(48)
    )
