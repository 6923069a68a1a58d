"""Actors: who performs a use case, and how to find them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import storage
from core.ground import Role, get_settings
from core.storage import User, UserContract

LOCAL_USER_ID = "local"
LOCAL_USER_EMAIL = "analyst@local"
LOCAL_USER_NAME = "Local analyst"
BY_ITSELF = "Order Desk"  # in the audit trail: who does what nobody asked for
# A user with their rights, in one statement; without contracts if they see all.
RIGHTS = (
    *(User.user_id, User.email, User.name, User.role, User.is_active),
    *(User.sees_all_contracts, User.only_own_orders, UserContract.contract_id),
)
HAS_CONTRACT = and_(UserContract.user_id == User.user_id, ~User.sees_all_contracts)
_ACTOR: Select[*tuple[Any, ...]] = (
    select(*RIGHTS)
    .select_from(User)
    .outerjoin(UserContract, HAS_CONTRACT)
    .where(User.user_id == bindparam("user"))
)


@dataclass(frozen=True)
class Actor:
    """A user who performs a use case: their role, and the contracts whose rows they can see.

    `contracts` is empty for a user who sees all contracts.
    """

    user_id: str
    email: str
    role: Role
    sees_all_contracts: bool = False
    contracts: frozenset[str] = frozenset()
    only_own_orders: bool = False
    sign_in_id: str | None = field(default=None, compare=False)  # None for the local user
    name: str = field(default="", compare=False)  # for the audit trail; "" if it is not known

    @property
    def sees_everything(self) -> bool:
        """Return whether the actor can see all orders."""
        return self.sees_all_contracts and not self.only_own_orders


# The actor of the command line if users sign in. It has access to the database and secrets anyway.
CONSOLE = Actor("console", "console", Role.ADMIN, sees_all_contracts=True, name="The command line")


def ensure_local_user() -> None:
    """Create the user of local mode, an admin who sees everything, unless it exists."""
    with storage.reading() as session:
        if session.get(User, LOCAL_USER_ID) is not None:
            return
    # Two processes may start at the same time; the second finds that the key exists.
    with suppress(IntegrityError), storage.writing() as session:
        session.add(
            User(
                user_id=LOCAL_USER_ID,
                email=LOCAL_USER_EMAIL,
                name=LOCAL_USER_NAME,
                role=Role.ADMIN,
                sees_all_contracts=True,
            )
        )


def find_local_actor() -> Actor | None:
    """Find the actor of local mode; None if that user was deactivated."""
    return find_actor(LOCAL_USER_ID)


def find_console_actor() -> Actor | None:
    """Find the actor of the command line: the local user, or *console* if users sign in."""
    return CONSOLE if get_settings().has_sign_in else find_local_actor()


def find_actor(user_id: str) -> Actor | None:
    """Find an active user as an actor, with their current role and contracts."""
    # During a demo rebuild the table may look empty; the second read waits for the rebuild.
    return _find_actor(user_id) or _find_actor(user_id, locked=User)


def _find_actor(user_id: str, locked: type[User] | None = None) -> Actor | None:
    with storage.reading(locked=locked) as session:
        return actor_of(session.connection().execute(_ACTOR, {"user": user_id}).all())


def actor_of(rows: Sequence[Row[*tuple[Any, ...]]]) -> Actor | None:
    """Return the actor of an active user, from rows of RIGHTS, one for each contract."""
    if not rows or not rows[0].is_active:
        return None
    user = rows[0]
    return _actor(user, frozenset(row.contract_id for row in rows if row.contract_id is not None))


def find_actor_in(session: Session, user_id: str) -> Actor | None:
    """Find an active user as an actor inside the caller's transaction, which has locked the user.

    The contracts are read after that, by a statement of their own: one that waited for the lock
    would show those of before.
    """
    user = session.get(User, user_id)
    if user is None or not user.is_active:
        return None
    rows = select(UserContract.contract_id).where(UserContract.user_id == user_id)
    return _actor(user, frozenset(() if user.sees_all_contracts else session.scalars(rows)))


def _actor(user: User | Row[*tuple[Any, ...]], contracts: frozenset[str]) -> Actor:
    return Actor(
        user_id=user.user_id,
        email=user.email,
        role=Role(user.role),
        sees_all_contracts=user.sees_all_contracts,
        contracts=contracts,
        only_own_orders=user.only_own_orders,
        name=user.name,
    )
