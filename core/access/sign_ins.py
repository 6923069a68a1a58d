"""Signing in: whom a provider's word lets in, for how long, and when it ends.

A person is known by issuer and subject, which the first sign-in with their verified e-mail address
binds to the user that an admin added. A sign-in lasts until the provider's token expires, the
person signs out, or nothing was asked for longer than SIGN_IN_IDLE_MINUTES.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import storage
from core.access import audit
from core.access.actors import LOCAL_USER_ID, Actor, find_actor, find_local_actor
from core.ground import NotSignedIn, fold, get_settings
from core.storage import SignIn, User

REMEMBERED = timedelta(days=1)  # what is over, so that a token is not taken for a new one
SEEN_EVERY = timedelta(minutes=1)  # at most so often it is written down that somebody is there
MAX_CLAIM = 1_000


class SignInNeeded(NotSignedIn):
    """Nobody is signed in, or not any more: signing in helps."""


class NotLetIn(NotSignedIn):
    """Somebody is signed in whom nobody has let in: an admin has to help."""


@dataclass(frozen=True)
class Account:
    """Whom a provider vouches for: what its ID token says, and the ID of this one sign-in."""

    sign_in_id: str
    issuer: str
    subject: str
    email: str  # folded; empty when the provider names none
    is_verified: bool
    name: str
    issued_at: datetime
    expires_at: datetime


def parse_claims(claims: Mapping[str, object]) -> Account:
    """Understand the claims of an ID token, whose signature Streamlit has checked.

    Raises SignInNeeded when it lacks what tells people and sign-ins apart.
    """
    texts = {name: _text(claims.get(name)) for name in ("iss", "sub", "email", "name", "nonce")}
    times = [_instant(claims.get(name)) for name in ("iat", "exp")]
    issued_at, expires_at = times
    if not texts["iss"] or not texts["sub"] or issued_at is None or expires_at is None:
        raise SignInNeeded("The provider did not say who you are: sign in again.")
    told = json.dumps([texts["iss"], texts["sub"], texts["nonce"], *map(str, times)])
    return Account(
        sign_in_id=hashlib.sha256(told.encode()).hexdigest(),
        issuer=texts["iss"],
        subject=texts["sub"],
        email=fold(texts["email"]),
        is_verified=claims.get("email_verified") is True,
        name=texts["name"],
        issued_at=issued_at,
        expires_at=expires_at,
    )


def _text(value: object) -> str:
    is_good = isinstance(value, str) and value.isprintable() and len(value) <= MAX_CLAIM
    return str(value) if is_good else ""


def _instant(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (OverflowError, ValueError, OSError):
        return None


def accept_sign_in(claims: Mapping[str, object], *, now: datetime) -> Actor:
    """Return the actor that a provider's claims stand for, and note that they are here.

    Raises SignInNeeded when the sign-in is over, and NotLetIn when no active user is theirs; the
    first time that is audited as `sign_in.refused`.
    """
    account = parse_claims(claims)
    if account.expires_at <= now:
        raise SignInNeeded("Your sign-in has run out: sign in again.")
    with storage.reading() as session:
        row = session.get(SignIn, account.sign_in_id)
        if row is not None:
            _check_alive(row, now)
        elif now - account.issued_at > _idle_limit():
            raise SignInNeeded(_away())
        user_id, seen_at = (row.user_id, row.seen_at) if row is not None else (None, now)
        found = _find_user(session, account) if user_id is None else None
    if user_id is None and (row is None or not isinstance(found, str)):
        user_id, found = _begin(account, now)
    if user_id is None:
        raise NotLetIn(str(found))
    return _actor(user_id, account.sign_in_id, seen_at, now)


def resume(user_id: str, sign_in_id: str | None, *, now: datetime) -> Actor:
    """Return the actor of a sign-in that a token names, as they are now, and note that they ask.

    In local mode there is no sign-in, and the one local user. Raises NotSignedIn.
    """
    if not get_settings().has_sign_in:
        local = find_local_actor() if (user_id, sign_in_id) == (LOCAL_USER_ID, None) else None
        if local is None:
            raise SignInNeeded("You are not signed in.")
        return local
    with storage.reading() as session:
        row = session.get(SignIn, sign_in_id or "")
        if row is None or row.user_id != user_id or row.expires_at <= now:
            raise SignInNeeded("You are not signed in.")
        _check_alive(row, now)
        seen_at = row.seen_at
    return _actor(user_id, str(sign_in_id), seen_at, now)


def end_sign_in(actor: Actor, *, now: datetime) -> None:
    """End a sign-in in every tab of its browser, and with it what its tokens open; audited."""
    with storage.writing() as session:
        _end(session, actor.sign_in_id, actor.email, now)


def sign_out(claims: Mapping[str, object], *, now: datetime) -> None:
    """End the sign-in that a provider's claims stand for, as `end` does; once is enough.

    One that no page has seen yet is written down as ended, so that its cookie opens nothing later.
    Raises SignInNeeded when the claims do not tell people and sign-ins apart.
    """
    account = parse_claims(claims)
    try:
        _sign_out(account, now)
    except IntegrityError:  # a page of the same browser wrote it down first
        _sign_out(account, now)


def _sign_out(account: Account, now: datetime) -> None:
    with storage.writing() as session:
        row = session.get(SignIn, account.sign_in_id)
        if row is None:
            row = _new_row(account, now)
            session.add(row)
            session.flush()
        user = session.get(User, row.user_id) if row.user_id is not None else None
        _end(session, account.sign_in_id, user.email if user else _called(account), now)


def _end(session: Session, sign_in_id: str | None, who: str, now: datetime) -> None:
    mine = update(SignIn).where(SignIn.sign_in_id == sign_in_id, SignIn.ended_at.is_(None))
    ended = session.scalars(mine.values(ended_at=now).returning(SignIn.sign_in_id)).all()
    if ended:
        _record(session, "sign_in.ended", who, now)


def _new_row(account: Account, now: datetime) -> SignIn:
    times = {"began_at": now, "seen_at": now, "expires_at": account.expires_at}
    return SignIn(sign_in_id=account.sign_in_id, **times)


def _called(account: Account) -> str:
    return account.email or f"{account.subject} of {account.issuer}"


def _actor(user_id: str, sign_in_id: str, seen_at: datetime, now: datetime) -> Actor:
    actor = find_actor(user_id)
    if actor is None:
        raise NotLetIn("You are not let in any more. Ask an admin of Order Desk.")
    if now - seen_at >= min(SEEN_EVERY, _idle_limit() / 4):
        with storage.writing() as session:
            mine = update(SignIn).where(SignIn.sign_in_id == sign_in_id, SignIn.seen_at < now)
            session.execute(mine.values(seen_at=now))
    return replace(actor, sign_in_id=sign_in_id)


def _idle_limit() -> timedelta:
    return timedelta(minutes=get_settings().sign_in_idle_minutes)


def _away() -> str:
    minutes = get_settings().sign_in_idle_minutes
    return f"You have been away for more than {minutes:,} minutes: sign in again."


def _check_alive(row: SignIn, now: datetime) -> None:
    if row.ended_at is not None:
        raise SignInNeeded("You have signed out.")
    if now - row.seen_at > _idle_limit():
        raise SignInNeeded(_away())


def _find_user(session: Session, account: Account) -> User | str:
    """Find the user that an account is, or may be bound to; else say why it is nobody's."""
    is_bound = User.issuer == account.issuer, User.subject == account.subject
    user = session.scalars(select(User).where(*is_bound)).one_or_none()
    if user is None:
        if not account.email or not account.is_verified:
            return (
                "Your provider does not vouch for your e-mail address: it is not verified. "
                "Verify it there, or ask an admin of Order Desk."
            )
        is_theirs = User.email == account.email, User.user_id != LOCAL_USER_ID
        user = session.scalars(select(User).where(*is_theirs)).one_or_none()
        if user is not None and user.issuer is not None:
            return (
                "This e-mail address is that of a user who signs in with another account. "
                "Ask an admin of Order Desk."
            )
    if user is None or not user.is_active:
        return "You may not come in yet: ask an admin of Order Desk to let you in."
    return user


def _begin(account: Account, now: datetime) -> tuple[str | None, User | str]:
    try:
        return _write(account, now)
    except IntegrityError:  # another tab of the same browser was faster
        return _write(account, now)


def _write(account: Account, now: datetime) -> tuple[str | None, User | str]:
    """Write the sign-in down, bind the account to its user, and audit what became of it."""
    with storage.writing() as session:
        session.execute(delete(SignIn).where(SignIn.expires_at < now - REMEMBERED))
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
            _record(session, "sign_in.refused", _called(account), now, why=found)
        return row.user_id, found


def _bind(user: User, account: Account) -> None:
    user.issuer, user.subject = account.issuer, account.subject
    if user.name == user.email and account.name:  # the admin who added them gave none
        user.name, user.name_folded = account.name, fold(account.name)


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
