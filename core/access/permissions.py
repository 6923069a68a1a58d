"""The permissions of each role, and the check that each use case makes.

Which rows a user can see is a separate rule: core.query.scoping.scope.
"""

from datetime import UTC, datetime
from typing import NoReturn

from core import storage
from core.access import audit
from core.access.actors import Actor
from core.ground import AppError, NotPermitted, Permission, Role, word_of

_AGENTS = frozenset({Role.AGENT, Role.ADMIN})
ROLES: dict[Permission, frozenset[Role]] = {
    Permission.ORDERS: frozenset(Role),
    Permission.VOUCHERS: _AGENTS,
    Permission.REFUND: _AGENTS,
    Permission.OVERVIEW: frozenset(Role),
    Permission.EMAILS: _AGENTS,
    Permission.TRANSACTIONS: frozenset({Role.ACCOUNTANT, Role.ADMIN}),
    Permission.IMPORT: frozenset({Role.ADMIN}),
    Permission.USERS: frozenset({Role.ADMIN}),
    Permission.AUDIT_TRAIL: frozenset({Role.ADMIN}),
    Permission.NOTES: frozenset({Role.AGENT, Role.ACCOUNTANT, Role.ADMIN}),
    Permission.APPROVE: frozenset({Role.ACCOUNTANT, Role.ADMIN}),
    Permission.CONTRACTS: frozenset({Role.ADMIN}),
    Permission.GIVE_BACK: frozenset({Role.ADMIN}),
}
# These affect all contracts, so they need a user who sees all contracts.
NEED_ALL_CONTRACTS = frozenset({Permission.IMPORT, Permission.USERS, Permission.CONTRACTS})
ACTIONS = {
    Permission.ORDERS: "see orders",
    Permission.VOUCHERS: "download or send vouchers",
    Permission.REFUND: "refund",
    Permission.OVERVIEW: "see the overview",
    Permission.EMAILS: "see or send e-mails",
    Permission.TRANSACTIONS: "see the transactions of all orders",
    Permission.IMPORT: "import or dump orders, or manage sample data",
    Permission.USERS: "manage users",
    Permission.AUDIT_TRAIL: "see the audit trail",
    Permission.NOTES: "write notes",
    Permission.APPROVE: "approve or decline refunds",
    Permission.CONTRACTS: "manage contracts",
    Permission.GIVE_BACK: "give back items whose refund the bank returned",
}


def roles_with(permission: Permission) -> frozenset[Role]:
    """Return the roles that have a permission."""
    return ROLES[permission]


def may(actor: Actor, permission: Permission) -> bool:
    """Return whether an actor has a permission."""
    if permission in NEED_ALL_CONTRACTS and not actor.sees_everything:
        return False
    return actor.role in ROLES[permission]


def why_not(actor: Actor, permission: Permission) -> str | None:
    """Return why an actor lacks a permission, as a sentence; None if they have it."""
    if may(actor, permission):
        return None
    if actor.role in ROLES[permission]:
        return f"Only a user who sees all orders of all contracts can {ACTIONS[permission]}."
    return f"Your role, {word_of(actor.role)}, cannot {ACTIONS[permission]}."


def require(actor: Actor, permission: Permission) -> None:
    """Raise NotPermitted, and audit the attempt, unless the actor has the permission.

    This is enough to read. Use cases that write or export check again in their transaction, with
    the current rights: see `rights`.
    """
    why = why_not(actor, permission)
    if why is not None:
        refuse(actor, permission, NotPermitted(why))


def refuse(actor: Actor, permission: Permission, error: AppError) -> NoReturn:
    """Audit a refused attempt in its own transaction, and raise the error.

    No other transaction may be open: call it before that of the use case, or after its rollback.
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
