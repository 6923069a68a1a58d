"""Actors: who performs a use case, and how to find them."""

from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import storage
from core.ground import Role, get_settings
from core.storage import User, UserContract

LOCAL_USER_ID = "local"
LOCAL_USER_EMAIL = "analyst@local"
LOCAL_USER_NAME = "Local analyst"


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

    @property
    def sees_everything(self) -> bool:
        """Return whether the actor can see all orders."""
        return self.sees_all_contracts and not self.only_own_orders


# The actor of the command line if users sign in. It has access to the database and secrets anyway.
CONSOLE = Actor("console", "console", Role.ADMIN, sees_all_contracts=True)


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
        return find_actor_in(session, user_id)


def find_actor_in(session: Session, user_id: str) -> Actor | None:
    """Find an active user as an actor inside the caller's transaction."""
    user = session.get(User, user_id)
    if user is None or not user.is_active:
        return None
    return Actor(
        user_id=user.user_id,
        email=user.email,
        role=Role(user.role),
        sees_all_contracts=user.sees_all_contracts,
        contracts=frozenset() if user.sees_all_contracts else _contracts(session, user_id),
        only_own_orders=user.only_own_orders,
    )


def _contracts(session: Session, user_id: str) -> frozenset[str]:
    rows = select(UserContract.contract_id).where(UserContract.user_id == user_id)
    return frozenset(session.scalars(rows))
