"""Sign-ins with an OpenID Connect provider: who gets access, and when a sign-in ends.

An account is known by its issuer and subject. The first sign-in with a verified e-mail address
binds the account to the user with that address, whom an admin added. A sign-in lasts until the
provider's token expires, the user signs out, or no request came for SIGN_IN_IDLE_MINUTES.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import storage
from core.access import audit
from core.access.actors import (
    HAS_CONTRACT,
    LOCAL_USER_ID,
    RIGHTS,
    Actor,
    actor_of,
    find_actor,
    find_local_actor,
)
from core.access.seen import note_seen
from core.ground import NotSignedIn, count, fold, get_settings
from core.storage import SignIn, User, UserContract

KEPT_AFTER_EXPIRY = timedelta(days=1)  # so that an old token is not taken for a new sign-in
SEEN_INTERVAL = timedelta(minutes=1)  # `seen_at` is updated at most this often
MAX_CLAIM = 1_000
_SIGN_IN_WITH_RIGHTS: Select[*tuple[Any, ...]] = (
    select(
        SignIn.user_id.label("signed_in_user"),
        *(SignIn.expires_at, SignIn.ended_at, SignIn.seen_at),
        *RIGHTS,
    )
    .select_from(SignIn)
    .outerjoin(User, User.user_id == SignIn.user_id)
    .outerjoin(UserContract, HAS_CONTRACT)
    .where(SignIn.sign_in_id == bindparam("sign_in"))
)


class SignInNeeded(NotSignedIn):
    """No one is signed in, or the sign-in has ended. The user has to sign in again."""


class NoAccess(NotSignedIn):
    """The account belongs to no active user. An admin has to help."""


@dataclass(frozen=True)
class Account:
    """An account at the provider: the claims of its ID token, and the ID of this sign-in."""

    sign_in_id: str
    issuer: str
    subject: str
    email: str  # folded; empty if the provider sends none
    is_verified: bool
    name: str
    issued_at: datetime
    expires_at: datetime


def parse_claims(claims: Mapping[str, object]) -> Account:
    """Parse the claims of an ID token. Streamlit has already verified its signature.

    Raises SignInNeeded if issuer, subject or times are missing or invalid.
    """
    texts = {name: _text(claims.get(name)) for name in ("iss", "sub", "email", "name", "nonce")}
    times = [_instant(claims.get(name)) for name in ("iat", "exp")]
    issued_at, expires_at = times
    if not texts["iss"] or not texts["sub"] or issued_at is None or expires_at is None:
        raise SignInNeeded("The sign-in provider did not say who you are. Sign in again.")
    identity = json.dumps([texts["iss"], texts["sub"], texts["nonce"], *map(str, times)])
    return Account(
        sign_in_id=hashlib.sha256(identity.encode()).hexdigest(),
        issuer=texts["iss"],
        subject=texts["sub"],
        email=fold(texts["email"]),
        is_verified=claims.get("email_verified") is True,
        name=texts["name"],
        issued_at=issued_at,
        expires_at=expires_at,
    )


def _text(value: object) -> str:
    is_valid = isinstance(value, str) and value.isprintable() and len(value) <= MAX_CLAIM
    return str(value) if is_valid else ""


def _instant(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (OverflowError, ValueError, OSError):
        return None


def accept_sign_in(claims: Mapping[str, object], *, now: datetime) -> Actor:
    """Return the actor of a provider's claims, and record that they are active.

    Raises SignInNeeded if the sign-in has ended, and NoAccess if the account belongs to no active
    user; the first refusal is audited as `sign_in.refused`.
    """
    account = parse_claims(claims)
    if account.expires_at <= now:
        raise SignInNeeded("Your sign-in has expired. Sign in again.")
    with storage.reading() as session:
        row = session.get(SignIn, account.sign_in_id)
        if row is not None:
            _check_open(row, now)
        elif now - account.issued_at > _idle_limit():
            raise SignInNeeded(_idle_text())
        user_id, seen_at = (row.user_id, row.seen_at) if row is not None else (None, now)
        found = _find_user(session, account) if user_id is None else None
    if user_id is None and (row is None or not isinstance(found, str)):
        user_id, found = _begin(account, now)
    if user_id is None:
        raise NoAccess(str(found))
    return _seen(find_actor(user_id), account.sign_in_id, seen_at, now)


def resume(user_id: str, sign_in_id: str | None, *, now: datetime) -> Actor:
    """Return the actor of a sign-in with their current rights, and record that they are active.

    In local mode there is only the local user, without a sign-in. Raises NotSignedIn.
    """
    if not get_settings().has_sign_in:
        local = find_local_actor() if (user_id, sign_in_id) == (LOCAL_USER_ID, None) else None
        if local is None:
            raise SignInNeeded("You are not signed in.")
        return local
    with storage.reading() as session:
        asked = {"sign_in": sign_in_id or ""}
        rows = session.connection().execute(_SIGN_IN_WITH_RIGHTS, asked).all()
    if not rows or rows[0].signed_in_user != user_id or rows[0].expires_at <= now:
        raise SignInNeeded("You are not signed in.")
    _check_open(rows[0], now)
    actor = actor_of(rows) or find_actor(user_id)
    return _seen(actor, str(sign_in_id), rows[0].seen_at, now)


def end_sign_in(actor: Actor, *, now: datetime) -> None:
    """End a sign-in in all tabs of its browser and revoke its tokens; audited."""
    with storage.writing() as session:
        _end(session, actor.sign_in_id, actor.email, now)


def sign_out(claims: Mapping[str, object], *, now: datetime) -> None:
    """End the sign-in of a provider's claims, as `end_sign_in` does; safe to repeat.

    A sign-in that no page has stored yet is stored as ended, so that its cookie is useless later.
    Raises SignInNeeded if the claims are incomplete.
    """
    account = parse_claims(claims)
    try:
        _sign_out(account, now)
    except IntegrityError:  # a page of the same browser stored it first
        _sign_out(account, now)


def _sign_out(account: Account, now: datetime) -> None:
    with storage.writing() as session:
        row = session.get(SignIn, account.sign_in_id)
        if row is None:
            row = _new_row(account, now)
            session.add(row)
            session.flush()
        user = session.get(User, row.user_id) if row.user_id is not None else None
        _end(session, account.sign_in_id, user.email if user else _label(account), now)


def _end(session: Session, sign_in_id: str | None, who: str, now: datetime) -> None:
    mine = update(SignIn).where(SignIn.sign_in_id == sign_in_id, SignIn.ended_at.is_(None))
    ended = session.scalars(mine.values(ended_at=now).returning(SignIn.sign_in_id)).all()
    if ended:
        _record(session, "sign_in.ended", who, now)


def _new_row(account: Account, now: datetime) -> SignIn:
    times = {"began_at": now, "seen_at": now, "expires_at": account.expires_at}
    return SignIn(sign_in_id=account.sign_in_id, **times)


def _label(account: Account) -> str:
    return account.email or f"{account.subject} of {account.issuer}"


def _seen(actor: Actor | None, sign_in_id: str, seen_at: datetime, now: datetime) -> Actor:
    if actor is None:
        raise NoAccess("You no longer have access. Ask an admin of Order Desk.")
    if now - seen_at >= min(SEEN_INTERVAL, _idle_limit() / 4):
        note_seen(sign_in_id, now)
    return replace(actor, sign_in_id=sign_in_id)


def _idle_limit() -> timedelta:
    return timedelta(minutes=get_settings().sign_in_idle_minutes)


def _idle_text() -> str:
    minutes = get_settings().sign_in_idle_minutes
    return f"You were inactive for more than {minutes:,} minutes. Sign in again."


def _check_open(row: SignIn | Row[*tuple[Any, ...]], now: datetime) -> None:
    if row.ended_at is not None:
        raise SignInNeeded("You have signed out.")
    if now - row.seen_at > _idle_limit():
        raise SignInNeeded(_idle_text())


def _find_user(session: Session, account: Account) -> User | str:
    """Find the user that an account is or can be bound to; if there is none, return why."""
    is_bound = User.issuer == account.issuer, User.subject == account.subject
    user = session.scalars(select(User).where(*is_bound)).one_or_none()
    if user is None:
        if not account.email or not account.is_verified:
            return (
                "The sign-in provider has not verified your e-mail address. "
                "Verify it there, or ask an admin of Order Desk."
            )
        is_theirs = User.email == account.email, User.user_id != LOCAL_USER_ID
        user = session.scalars(select(User).where(*is_theirs)).one_or_none()
        if user is not None and user.issuer is not None:
            return (
                "The user with this e-mail address signs in with another account. "
                "Ask an admin of Order Desk."
            )
    if user is None or not user.is_active:
        return "You do not have access yet. Ask an admin of Order Desk."
    return user


def _begin(account: Account, now: datetime) -> tuple[str | None, User | str]:
    try:
        return _write(account, now)
    except IntegrityError:  # another tab of the same browser stored it first
        return _write(account, now)


def _write(account: Account, now: datetime) -> tuple[str | None, User | str]:
    """Store a sign-in, bind the account to its user, and audit the outcome."""
    with storage.writing() as session:
        session.execute(delete(SignIn).where(SignIn.expires_at < now - KEPT_AFTER_EXPIRY))
        row = session.get(SignIn, account.sign_in_id)
        is_first = row is None
        if row is None:
            row = _new_row(account, now)
            session.add(row)
        found = _find_user(session, account)
        if isinstance(found, User):
            if row.user_id is None:
                _bind(found, account)
                row.user_id = found.user_id
                _record(session, "sign_in.succeeded", found.email, now)
        elif is_first:
            _record(session, "sign_in.refused", _label(account), now, why=found)
        user_id = row.user_id
    if is_first and user_id is None:
        count("sign_in.refused")
    return user_id, found


def _bind(user: User, account: Account) -> None:
    user.issuer, user.subject = account.issuer, account.subject
    if user.name == user.email and account.name:  # the admin gave no name
        user.name = account.name


def _record(session: Session, action: str, who: str, now: datetime, **after: str) -> None:
    audit.record_event(
        session,
        action,
        actor=who,
        entity="sign_in",
        entity_id=who,
        now=now,
        after=dict(after) or None,
    )
