"""Rights at the time of a change: use cases write data and files only through this module.

A page reads the actor before the transaction begins, and the transaction may wait for locks. So the
user's row is read again here and locked until the commit. A right that an admin takes away is lost
either before the change or after it, never during it. What a role may do is in
core.access.permissions.

With PostgreSQL, this lock is the first of the transaction. It is FOR SHARE; if a limit is counted,
it is FOR NO KEY UPDATE, so that the requests of one user run one after the other. (A transaction
that took both could deadlock with another one.) A change of a user takes FOR UPDATE on both rows,
in a fixed order, and an advisory lock before that, so that later requests do not overtake it.
SQLite has one writer at a time, so reading is enough there.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, or_, select
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
# For `committing`, which locks late: a change of the user waits for it, a counted request does not.
# That request may wait for tables that the same user's import locks; FOR SHARE would deadlock.
_FOR_KEY_SHARE = _Lock(read=True, key_share=True)

OpenTransaction = Callable[[], AbstractContextManager[Session]]


class AccessLost(NotSignedIn):
    """The user was deactivated or has signed out since the request began."""

    def __init__(self) -> None:
        super().__init__(
            "You are signed out or no longer active, so nothing was done. "
            "Sign in again, or ask an admin of Order Desk."
        )


class RightsChanged(NotPermitted):
    """The user can no longer see everything that was written to the file."""

    def __init__(self) -> None:
        super().__init__("Your rights changed while the file was being made. Download it again.")


class _RightsLost(Exception):
    """Rolls the transaction back. The refusal is audited after that."""

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
    opened: OpenTransaction = storage.writing,
) -> Iterator[tuple[Session, Actor]]:
    """Open a write transaction, and yield it with the actor's current rights.

    With `counts`, the requests of one user run one after the other. `changed_user` is locked
    together with the actor. Raises NotPermitted without the permission (at once if the given actor
    lacks it), and AccessLost. Then only the audit event is written.
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
    """Open a write transaction that checks the rights again just before its commit.

    For work that takes minutes: a lock on the user during that time would block admins who change
    the user. Raises as `changing` does.
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
    """Open the transaction that audits a written file. If it does not commit, empty the file.

    The rows were read with the rights of `actor`. Raises as `changing` does, and RightsChanged if
    the user has fewer rights now.
    """
    try:
        with changing(actor, permission, counts=counts) as (session, current):
            if not _covers(current, actor):
                raise _RightsLost(RightsChanged(), current)
            yield session
    except BaseException:
        file.seek(0)
        file.truncate()
        raise


@contextmanager
def _audited(permission: Permission) -> Iterator[None]:
    try:
        yield
    except _RightsLost as lost:
        refuse(lost.actor, permission, lost.error)


def _confirm(
    session: Session,
    actor: Actor,
    permission: Permission,
    lock: _Lock | None,
    changed_user: str | None = None,
) -> Actor:
    """Lock the actor and return their current rights; raises _RightsLost without the permission."""
    locked = _lock(session, actor, changed_user, lock)
    if actor == CONSOLE:  # it has no row
        return actor
    is_locked = any(user.user_id == actor.user_id for user in locked)
    current = find_actor_in(session, actor.user_id) if is_locked else None
    if current is None:
        raise _RightsLost(AccessLost(), actor)
    why = why_not(current, permission)
    if why is not None:
        raise _RightsLost(NotPermitted(why), current)
    return current


def _lock(
    session: Session, actor: Actor, changed_user: str | None, lock: _Lock | None
) -> list[User]:
    """Lock the rows of the actor and of the changed user, in a fixed order, and return them.

    Returns none if the actor's sign-in has ended. The session caches the rows.
    """
    ids = sorted({actor.user_id, changed_user or actor.user_id})
    if lock == _FOR_UPDATE:
        for one in ids:
            storage.take_lock(session, storage.lock_key_of(one))
    # If CONSOLE changes a user, the admins are locked: it has no row that could be.
    is_console = actor == CONSOLE and changed_user is not None
    has_sign_in = actor.sign_in_id is not None
    statement = _users_to_lock(lock, has_sign_in, is_console)
    asked = {"ids": ids, "first": ids[0], "user": actor.user_id, "sign_in": actor.sign_in_id}
    options: dict[str, Any] = {"populate_existing": True}
    return list(session.scalars(statement, asked, execution_options=options))


@storage.built_once
def _users_to_lock(lock: _Lock | None, has_sign_in: bool, or_admins: bool) -> Select[User]:
    """Select the users to lock."""
    is_locked: list[ColumnElement[bool]] = [User.user_id.in_(bindparam("ids", expanding=True))]
    if or_admins:
        is_locked.append(User.role == Role.ADMIN)
    statement = select(User).where(or_(*is_locked)).order_by(User.user_id)
    # PostgreSQL grants advisory locks in order of arrival. Row locks FOR SHARE overtake a waiting
    # FOR UPDATE: with those alone, a user's requests could prevent an admin from deactivating them.
    if lock == _FOR_SHARE:
        first = storage.lock_key_of(bindparam("first", type_=Text))
        statement = statement.where(storage.has_shared_lock(first))
    if has_sign_in:
        is_open = SignIn.user_id == bindparam("user"), SignIn.ended_at.is_(None)
        is_theirs = SignIn.sign_in_id == bindparam("sign_in")
        statement = statement.join(SignIn, and_(is_theirs, *is_open))
    if lock is not None:
        statement = statement.with_for_update(read=lock.read, key_share=lock.key_share)
    return statement


def _covers(now: Actor, before: Actor) -> bool:
    """Return whether an actor still has all rights that they had before."""
    return (
        all(may(now, one) for one in Permission if may(before, one))
        and (now.sees_all_contracts or not before.sees_all_contracts)
        and (now.sees_all_contracts or before.contracts <= now.contracts)
        and (before.only_own_orders or not now.only_own_orders)
    )
