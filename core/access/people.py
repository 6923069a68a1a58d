"""Users and their rights: admins add users and change their rights."""

from collections.abc import Collection
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import storage
from core.access import audit
from core.access.actors import CONSOLE, LOCAL_USER_ID, Actor, ensure_local_user
from core.access.permissions import require
from core.access.rights import changing
from core.ground import InvalidInput, NotFound, Permission, Refused, Role, fold, get_settings
from core.storage import Contract, User, UserContract, new_id

MAX_NAME = 200


@dataclass(frozen=True)
class Rights:
    """What a user may do and see, and whether they are active."""

    role: Role = Role.VIEWER
    sees_all_contracts: bool = False
    contracts: frozenset[str] = frozenset()  # kept but ignored if all are seen
    only_own_orders: bool = False
    is_active: bool = True


@dataclass(frozen=True)
class Person:
    """A user, as admins see them."""

    user_id: str
    email: str
    name: str
    rights: Rights
    has_signed_in: bool


class EmailTaken(Refused):
    """Another user has the e-mail address."""

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} is already a user. Select the user and change the rights.")


class OwnRights(Refused):
    """An admin tries to change their own rights."""

    def __init__(self) -> None:
        super().__init__("You cannot change your own rights. Ask another admin.")


class LastAdmin(Refused):
    """The change would leave no active admin."""

    def __init__(self, email: str) -> None:
        super().__init__(
            f"{email} is the last active admin. First make another user an admin who sees all."
        )


def parse_email(text: str) -> str:
    """Return an e-mail address, normalized and folded as it is stored; raises InvalidInput."""
    try:
        return fold(validate_email(text.strip(), check_deliverability=False).normalized)
    except EmailNotValidError:
        raise InvalidInput(f"“{text.strip()[:100]}” is not a valid e-mail address.") from None


def find_contracts(*, actor: Actor) -> dict[str, str]:
    """Return the names of all contracts by contract ID; raises NotPermitted."""
    require(actor, Permission.USERS)
    with storage.reading() as session:
        rows = select(Contract.contract_id, Contract.name).order_by(Contract.contract_id)
        return {row.contract_id: row.name for row in session.execute(rows)}


def get_person(user_id: str, *, actor: Actor) -> Person:
    """Return a user; raises NotPermitted and NotFound."""
    require(actor, Permission.USERS)
    with storage.reading() as session:
        return _person(session, _get(session, user_id))


def _get(session: Session, user_id: str) -> User:
    user = session.get(User, user_id) if "\x00" not in user_id else None
    if user is None:
        raise NotFound(f"User “{user_id[:60]}” was not found.")
    return user


def _person(session: Session, user: User) -> Person:
    own = select(UserContract.contract_id).where(UserContract.user_id == user.user_id)
    rights = Rights(
        role=Role(user.role),
        sees_all_contracts=user.sees_all_contracts,
        contracts=frozenset(session.scalars(own)),
        only_own_orders=user.only_own_orders,
        is_active=user.is_active,
    )
    return Person(user.user_id, user.email, user.name, rights, user.issuer is not None)


def add_user(email: str, *, rights: Rights, actor: Actor, now: datetime, name: str = "") -> str:
    """Add a user by e-mail address, audit it, and return the user ID.

    The first sign-in with that address, verified, binds its account to the user. Raises
    NotPermitted, InvalidInput, and EmailTaken if a user has the address, in upper or lower case.
    """
    require(actor, Permission.USERS)
    email, name = parse_email(email), " ".join(name.split())
    if len(name) > MAX_NAME or not (name.isprintable() or not name):
        raise InvalidInput(f"A name can have at most {MAX_NAME} characters, all printable.")
    try:
        with changing(actor, Permission.USERS) as (session, actor):
            if session.scalar(select(User.user_id).where(User.email == email)):
                raise EmailTaken(email)
            return _add(session, email, name, rights, actor, now)
    except IntegrityError:  # another admin added it at the same time
        raise EmailTaken(email) from None


def _add(
    session: Session, email: str, name: str, rights: Rights, actor: Actor, now: datetime
) -> str:
    name = name or email
    user = User(user_id=new_id(), email=email, name=name, role=rights.role)
    session.add(user)
    session.flush()
    _set(session, user, rights)
    _record(
        session,
        "user.added",
        user,
        actor,
        now,
        after={"email": email, "name": name} | _as_json(rights),
    )
    return user.user_id


def change_user(user_id: str, *, rights: Rights, actor: Actor, now: datetime) -> None:
    """Change the rights of a user, effective at once; each kind of change is audited.

    Raises NotPermitted, NotFound, InvalidInput for an unknown contract, OwnRights, and LastAdmin
    if no active admin would be left.
    """
    with _changing(user_id, actor) as (session, actor):
        user = _get(session, user_id)
        before = _person(session, user).rights
        if rights == before:
            return
        if user_id == actor.user_id:
            raise OwnRights
        _set(session, user, rights)
        if _is_manager(before) and _count_managers(session) == 0:
            raise LastAdmin(user.email)
        _record_changes(session, user, before, rights, actor, now)


def forget_sign_in(user_id: str, *, actor: Actor, now: datetime) -> None:
    """Unbind a user's account: their next sign-in binds a new one. Audited.

    For a user whose account at the provider has changed. Raises as `change_user` does.
    """
    with _changing(user_id, actor) as (session, actor):
        user = _get(session, user_id)
        if user_id == actor.user_id:
            raise OwnRights
        if user.issuer is not None:
            before = {"issuer": user.issuer, "subject": user.subject}
            user.issuer = user.subject = None
            _record(session, "user.sign_in_forgotten", user, actor, now, before=before)


def _changing(user_id: str, actor: Actor) -> AbstractContextManager[tuple[Session, Actor]]:
    """Open the transaction of an admin who changes a user, and lock both rows in a fixed order.

    If two admins demote each other at the same time, the second is no longer an admin.
    """
    may_exist = "\x00" not in user_id
    return changing(actor, Permission.USERS, changed_user=user_id if may_exist else None)


def _is_manager(rights: Rights) -> bool:
    sees_everything = rights.sees_all_contracts and not rights.only_own_orders
    return rights.is_active and rights.role is Role.ADMIN and sees_everything


def _count_managers(session: Session) -> int:
    """Count the active admins who see everything; without the local user if users sign in."""
    session.flush()
    statement = select(func.count()).where(
        User.role == Role.ADMIN, User.is_active, User.sees_all_contracts, ~User.only_own_orders
    )
    if get_settings().has_sign_in:
        statement = statement.where(User.user_id != LOCAL_USER_ID)
    return session.execute(statement).scalar_one()


def _set(session: Session, user: User, rights: Rights) -> None:
    user.role, user.is_active = rights.role, rights.is_active
    user.sees_all_contracts = rights.sees_all_contracts
    user.only_own_orders = rights.only_own_orders
    _check_contracts(session, rights.contracts)
    session.execute(delete(UserContract).where(UserContract.user_id == user.user_id))
    for contract_id in sorted(rights.contracts):
        session.add(UserContract(user_id=user.user_id, contract_id=contract_id))


def _check_contracts(session: Session, contracts: Collection[str]) -> None:
    named = sorted(one for one in contracts if "\x00" not in one)
    known = set(
        session.scalars(select(Contract.contract_id).where(Contract.contract_id.in_(named)))
    )
    unknown = sorted(set(contracts) - known)
    if unknown:
        raise InvalidInput(f"Contract “{unknown[0][:100]}” was not found.")


def _as_json(rights: Rights) -> dict[str, Any]:
    return {
        "role": rights.role,
        "is_active": rights.is_active,
    } | _scope_as_json(rights)


def _scope_as_json(rights: Rights) -> dict[str, Any]:
    return {
        "sees_all_contracts": rights.sees_all_contracts,
        "contracts": sorted(rights.contracts),
        "only_own_orders": rights.only_own_orders,
    }


def _record_changes(
    session: Session, user: User, before: Rights, after: Rights, actor: Actor, now: datetime
) -> None:
    """Audit each kind of change as its own event."""
    if before.role != after.role:
        roles = {"before": {"role": before.role}, "after": {"role": after.role}}
        _record(session, "user.role_changed", user, actor, now, **roles)
    scopes = {"before": _scope_as_json(before), "after": _scope_as_json(after)}
    if scopes["before"] != scopes["after"]:
        _record(session, "user.scope_changed", user, actor, now, **scopes)
    if before.is_active != after.is_active:
        action = "user.reactivated" if after.is_active else "user.deactivated"
        _record(session, action, user, actor, now)


def _record(
    session: Session, action: str, user: User, actor: Actor, now: datetime, **more: Any
) -> None:
    audit.record_event(
        session, action, actor=actor, entity="user", entity_id=user.email, now=now, **more
    )


def ensure_someone_can_sign_in(now: datetime) -> None:
    """Make sure that someone can sign in: the local user, or FIRST_ADMIN_EMAIL.

    FIRST_ADMIN_EMAIL has an effect only while there is no active admin. Its first sign-in binds
    its account, as for all users. Safe to repeat.
    """
    settings = get_settings()
    if not settings.has_sign_in:
        ensure_local_user()
        return
    if settings.first_admin_email is None:
        return
    email = parse_email(settings.first_admin_email)
    rights = Rights(role=Role.ADMIN, sees_all_contracts=True)
    with storage.reading() as session:
        if _count_managers(session):
            return
    # Two processes that start together both add the admin: the second one finds that it is done.
    with suppress(IntegrityError), storage.writing() as session:
        named = select(User).where(User.email == email).with_for_update()
        user = session.scalars(named).one_or_none()
        if _count_managers(session):
            return
        if user is None:
            _add(session, email, "", rights, CONSOLE, now)
            return
        before = _person(session, user).rights
        rights = replace(rights, contracts=before.contracts)
        _set(session, user, rights)
        _record_changes(session, user, before, rights, CONSOLE, now)
