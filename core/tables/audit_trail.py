"""The tables for admins, users and audit trail, described like the tables in core.tables."""

from datetime import datetime
from typing import Any

from sqlalchemy import SQLColumnExpression, Text, cast, func, select

from core.ground import Permission, Role
from core.storage import AuditEvent, User, UserContract
from core.tables.columns import Column, Kind, Table


def _contracts(_now: datetime) -> SQLColumnExpression[Any]:
    """Return a user's contracts as one text; empty if there are none."""
    own = (
        select(UserContract.contract_id)
        .where(UserContract.user_id == User.user_id)
        .order_by(UserContract.contract_id)
        .correlate(User)
        .subquery()
    )
    listed = select(func.aggregate_strings(own.c.contract_id, ", ")).scalar_subquery()
    return func.coalesce(listed, "")


def _has_signed_in(_now: datetime) -> SQLColumnExpression[Any]:
    return User.issuer.is_not(None)


def _before(_now: datetime) -> SQLColumnExpression[Any]:
    """Return the stored JSON as text, to show, search and export it."""
    return cast(AuditEvent.before, Text)


def _after(_now: datetime) -> SQLColumnExpression[Any]:
    return cast(AuditEvent.after, Text)


# One line for what a column is, and one for its options; ruff would put each argument on its own.
# fmt: off
USERS = Table(
    name="users",
    title="Users",
    one="user",
    many="users",
    model=User,
    key="user_id",
    newest="user_id",
    seen_with=Permission.USERS,
    columns=(
        Column(
            "email", "E-mail", Kind.CODE, "The e-mail address that the user signs in with.",
            is_shown=True, is_reference=True, width=240
        ),
        Column("name", "Name", Kind.TEXT, "The user's name.", is_shown=True, width=170),
        Column(
            "role", "Role", Kind.CODE, "What the user may do.",
            has_choices=True, is_shown=True, allowed=Role, width=120
        ),
        Column(
            "is_active", "Active", Kind.FLAG, "Whether the user has access.",
            has_choices=True, is_shown=True, width=95
        ),
        Column(
            "sees_all_contracts", "All Contracts", Kind.FLAG,
            "Whether the user sees the orders of all contracts.",
            has_choices=True, is_shown=True, width=135
        ),
        Column(
            "contracts", "Contracts", Kind.CODE,
            "The contracts whose orders the user sees, if not all.",
            is_shown=True, width=190, derived=_contracts
        ),
        Column(
            "only_own_orders", "Own Orders Only", Kind.FLAG,
            "Whether the user sees only orders that they created.",
            has_choices=True, is_shown=True, width=155
        ),
        Column(
            "has_signed_in", "Has Signed In", Kind.FLAG,
            "Whether the user has signed in at least once.",
            has_choices=True, is_shown=True, width=150, derived=_has_signed_in
        ),
        Column(
            "user_id", "User ID", Kind.CODE, "The ID of the user.",
            is_offered=True, is_reference=True, width=300
        ),
    ),
)

AUDIT_EVENTS = Table(
    name="audit_trail",
    title="Audit Trail",
    one="event",
    many="events",
    model=AuditEvent,
    key="event_id",
    newest="at",
    hint="Actions in Order Desk, and refused attempts, are listed here.",
    hint_of_order="Refunds, vouchers, e-mails and downloads of this order are listed here.",
    seen_with=Permission.AUDIT_TRAIL,
    seen_in_order_with=Permission.OVERVIEW,
    columns=(
        Column("at", "Time", Kind.INSTANT, "When it happened.", is_shown=True, width=165),
        Column(
            "actor", "User", Kind.CODE, "The user who did it.",
            has_choices=True, is_shown=True, width=195
        ),
        Column(
            "action", "Action", Kind.CODE, "What the user did, or what was refused.",
            has_choices=True, is_shown=True, width=205
        ),
        Column(
            "order_id", "Order ID", Kind.CODE, "The order that the action affects; blank if none.",
            is_shown=True, is_reference=True, opens_order=True, width=165
        ),
        Column(
            "entity", "Object", Kind.CODE, "The kind of object that the action affects.",
            has_choices=True, is_shown=True, width=110
        ),
        Column(
            "entity_id", "Object ID", Kind.CODE, "The ID of that object.",
            is_shown=True, is_reference=True, width=180
        ),
        Column(
            "contract_id", "Contract ID", Kind.CODE, "The contract of the order.",
            has_choices=True, is_shown=True, width=120
        ),
        Column(
            "before", "Before", Kind.CODE, "The values before, as JSON.",
            is_shown=True, width=170, derived=_before
        ),
        Column(
            "after", "After", Kind.CODE, "The values after, as JSON.",
            is_shown=True, width=300, derived=_after
        ),
        Column(
            "event_id", "Event ID", Kind.CODE, "The ID of the event.",
            is_offered=True, is_reference=True, width=300
        ),
    ),
)
