"""What each role may do: the one table that says so, and the check that each use case makes.

Which rows a person sees is another question: see core.query.conditions.scope.
"""

from datetime import UTC, datetime
from typing import NoReturn

from core import storage
from core.access import audit
from core.access.actors import Actor
from core.ground import AppError, NotPermitted, Permission, Role

_HANDS_ON = frozenset({Role.AGENT, Role.ADMIN})
ROLES: dict[Permission, frozenset[Role]] = {
    Permission.ORDERS: frozenset(Role),
    Permission.VOUCHERS: _HANDS_ON,
    Permission.REFUND: _HANDS_ON,
    Permission.OVERVIEW: frozenset(Role),
    Permission.EMAILS: _HANDS_ON,
    Permission.TRANSACTIONS: frozenset({Role.ACCOUNTANT, Role.ADMIN}),
    Permission.IMPORT: frozenset({Role.ADMIN}),
    Permission.USERS: frozenset({Role.ADMIN}),
    Permission.AUDIT_TRAIL: frozenset({Role.ADMIN}),
    Permission.GIVE_BACK: frozenset({Role.ADMIN}),
}
# What reaches every contract is for those alone who see them all.
OF_ALL_CONTRACTS = frozenset({Permission.IMPORT, Permission.USERS})
_DOES = {
    Permission.ORDERS: "see orders",
    Permission.VOUCHERS: "hand out vouchers",
    Permission.REFUND: "refund",
    Permission.OVERVIEW: "see the overview",
    Permission.EMAILS: "handle e-mails",
    Permission.TRANSACTIONS: "see the transactions of every order",
    Permission.IMPORT: "import, dump or fill in orders",
    Permission.USERS: "manage users",
    Permission.AUDIT_TRAIL: "see the audit trail",
    Permission.GIVE_BACK: "give items back whose refund the bank returned",
}


def may(actor: Actor, permission: Permission) -> bool:
    """Say whether the actor's role, as it is now, may do something."""
    if permission in OF_ALL_CONTRACTS and not actor.sees_everything:
        return False
    return actor.role in ROLES[permission]


def why_not(actor: Actor, permission: Permission) -> str | None:
    """Return why the actor may not do something, as a sentence; None when they may."""
    if may(actor, permission):
        return None
    if actor.role in ROLES[permission]:
        return f"Only who sees every order of every contract may {_DOES[permission]}."
    return f"Your role, {actor.role}, does not {_DOES[permission]}."


def require(actor: Actor, permission: Permission) -> None:
    """Raise NotPermitted, and audit the attempt, unless the actor as given has the permission.

    This is enough to read. What writes or hands out asks again in its transaction: see `rights`.
    """
    why = why_not(actor, permission)
    if why is not None:
        refuse(actor, permission, NotPermitted(why))


def refuse(actor: Actor, permission: Permission, error: AppError) -> NoReturn:
    """Audit an attempt that is refused, in a transaction of its own, and raise the error.

    No other transaction may be open: that of the use case is not there yet, or rolled back.
    """
    with storage.writing() as session:
        audit.record_event(
            session,
            f"{permission}.refused",
            actor=actor,
            entity="permission",
            entity_id=permission,
            now=datetime.now(UTC),
            after={"role": actor.role, "why": str(error)},
        )
    raise error from None
