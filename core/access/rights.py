"""Rights at the moment of a change: the one way in which use cases write and hand out files.

A page reads who asks before the transaction begins, and that transaction may wait for others. So
the person's row is read again here, and locked until the commit: whatever an admin takes away is
taken away before the change, or after it, never in the middle of it.

With PostgreSQL that lock is the first of the transaction. It is FOR SHARE, and FOR NO KEY UPDATE
where a limit is counted, so that one person's requests take turns; taking one after the other
would let two of them deadlock. A change of users takes FOR UPDATE on both rows, in one order,
and an advisory lock before it, so that no click overtakes it. SQLite has one writer at a time, so
there reading is enough.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from core import storage
from core.access.actors import CONSOLE, Actor, find_actor_in
from core.access.permissions import may, refuse, require, why_not
from core.ground import AppError, NotPermitted, NotSignedIn, Permission, Role
from core.storage import SignIn, User


class _Lock(NamedTuple):
    """The strength of a row lock, as arguments of `with_for_update`."""

    read: bool
    key_share: bool


_FOR_SHARE = _Lock(read=True, key_share=False)
_FOR_NO_KEY_UPDATE = _Lock(read=False, key_share=True)
_FOR_UPDATE = _Lock(read=False, key_share=False)
# For what locks late: a change of the user waits for it, a counted request does not. That request
# may wait for the tables of the same person's import, and FOR SHARE would be a deadlock.
_FOR_KEY_SHARE = _Lock(read=True, key_share=True)

Opened = Callable[[], AbstractContextManager[Session]]


class NoLongerIn(NotSignedIn):
    """The person was deactivated, or has signed out, since they asked."""

    def __init__(self) -> None:
        super().__init__(
            "You are no longer signed in or no longer active, so nothing was done. "
            "Sign in again, or ask an admin of Order Desk."
        )


class RightsChanged(NotPermitted):
    """The person may see less than what was written to their file."""

    def __init__(self) -> None:
        super().__init__("Your rights changed while the file was being made. Download it again.")


class _Lost(Exception):
    """Rolls the transaction back; the refusal is audited after it."""

    def __init__(self, error: AppError, actor: Actor) -> None:
        super().__init__(str(error))
        self.error, self.actor = error, actor


@contextmanager
def changing(
    actor: Actor,
    permission: Permission,
    *,
    counts: bool = False,
    changed_user: str | None = None,
    opened: Opened = storage.writing,
) -> Iterator[tuple[Session, Actor]]:
    """Open a writing transaction of a person, and yield it with the actor as they are now.

    With `counts` the person's requests take turns. `changed_user` is locked together with the
    actor. Raises NotPermitted without the permission, at once when the page knew it already, and
    NoLongerIn; then nothing is written but the audit event.
    """
    require(actor, permission)
    lock = _FOR_NO_KEY_UPDATE if counts else _FOR_SHARE
    with _audited(permission), opened() as session:
        if changed_user is None:
            yield session, _confirm(session, actor, permission, lock)
        else:
            yield session, _confirm(session, actor, permission, _FOR_UPDATE, changed_user)


@contextmanager
def committing(actor: Actor, permission: Permission) -> Iterator[Session]:
    """Open a writing transaction that asks for the rights again just before its commit.

    For what takes minutes: a lock held so long keeps an admin from changing that person. Raises
    as `changing` does.
    """
    require(actor, permission)
    with _audited(permission), storage.writing() as session:
        _confirm(session, actor, permission, None)
        yield session
        _confirm(session, actor, permission, _FOR_KEY_SHARE)


@contextmanager
def handing_out(
    file: IO[bytes], actor: Actor, permission: Permission, *, counts: bool = False
) -> Iterator[Session]:
    """Open the transaction that audits a written file; the file is emptied unless it commits.

    `actor` is who the rows were read for. Raises as `changing` does, and RightsChanged when the
    person may see less by now.
    """
    try:
        with changing(actor, permission, counts=counts) as (session, by_now):
            if not _covers(by_now, actor):
                raise _Lost(RightsChanged(), by_now)
            yield session
    except BaseException:
        file.seek(0)
        file.truncate()
        raise


@contextmanager
def _audited(permission: Permission) -> Iterator[None]:
    try:
        yield
    except _Lost as lost:
        refuse(lost.actor, permission, lost.error)


def _confirm(
    session: Session,
    actor: Actor,
    permission: Permission,
    lock: _Lock | None,
    changed_user: str | None = None,
) -> Actor:
    """Lock the actor and return them as they are now; raises _Lost without the permission."""
    locked = _lock(session, actor, changed_user, lock)
    if actor == CONSOLE:  # who has no row: they hold the database anyway
        return actor
    is_there = any(user.user_id == actor.user_id for user in locked)
    by_now = find_actor_in(session, actor.user_id) if is_there else None
    if by_now is None:
        raise _Lost(NoLongerIn(), actor)
    why = why_not(by_now, permission)
    if why is not None:
        raise _Lost(NotPermitted(why), by_now)
    return by_now


def _lock(
    session: Session, actor: Actor, changed_user: str | None, lock: _Lock | None
) -> list[User]:
    """Lock the rows of the actor, and of the user they change, in one order.

    None are found when the actor's sign-in has ended. The session keeps what was read.
    """
    ids = sorted({actor.user_id, changed_user or actor.user_id})
    is_locked: list[ColumnElement[bool]] = [User.user_id.in_(ids)]
    if actor == CONSOLE and changed_user is not None:
        is_locked.append(User.role == Role.ADMIN)  # it has no row of its own to take turns at
    statement = select(User).where(or_(*is_locked)).order_by(User.user_id)
    if not storage.is_sqlite() and lock == _FOR_SHARE:
        statement = statement.where(func.pg_advisory_xact_lock_shared(_turn(ids[0])).is_not(None))
    if not storage.is_sqlite() and lock == _FOR_UPDATE:
        for one in ids:
            session.execute(select(func.pg_advisory_xact_lock(_turn(one))))
    if actor.sign_in_id is not None:
        is_alive = SignIn.user_id == actor.user_id, SignIn.ended_at.is_(None)
        statement = statement.join(SignIn, and_(SignIn.sign_in_id == actor.sign_in_id, *is_alive))
    if lock is not None:
        statement = statement.with_for_update(read=lock.read, key_share=lock.key_share)
    as_now: dict[str, Any] = {"populate_existing": True}
    return list(session.scalars(statement, execution_options=as_now))


def _turn(user_id: str) -> ColumnElement[int]:
    """Return the key of a user's turn, which is waited for in order of arrival.

    FOR SHARE overtakes whoever waits to change the row: the clicks of one person could keep an
    admin from deactivating them.
    """
    return func.hashtextextended(user_id, 0)


def _covers(by_now: Actor, before: Actor) -> bool:
    """Say whether the actor may still do and see all that they could before."""
    return (
        all(may(by_now, one) for one in Permission if may(before, one))
        and (by_now.sees_all_contracts or not before.sees_all_contracts)
        and (by_now.sees_all_contracts or before.contracts <= by_now.contracts)
        and (before.only_own_orders or not by_now.only_own_orders)
    )
