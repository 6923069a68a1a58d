"""The tables that admins look at, described as those of core.tables are: users, audit trail."""

from datetime import datetime
from typing import Any

from sqlalchemy import SQLColumnExpression, Text, cast, func, select

from core.ground import Permission, Role
from core.storage import AuditEvent, User, UserContract
from core.tables.columns import Column, Kind, Table

TEXT, CODE, INSTANT, FLAG = Kind.TEXT, Kind.CODE, Kind.INSTANT, Kind.FLAG


def _contracts(_now: datetime) -> SQLColumnExpression[Any]:
    """List a user's contracts in one text; empty where there is none."""
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
    """Show, search and write what is stored as JSON as the text that it is."""
    return cast(AuditEvent.before, Text)


def _after(_now: datetime) -> SQLColumnExpression[Any]:
    return cast(AuditEvent.after, Text)


# One line each for what it is, and one for what it does: ruff would give every word its own.
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
            "email", "E-mail", CODE, "The address that a person signs in with.",
            is_shown=True, is_reference=True, width=240
        ),
        Column("name", "Name", TEXT, "What the person is called.", is_shown=True, width=170),
        Column(
            "role", "Role", CODE, "What the person may do.",
            has_choices=True, is_shown=True, allowed=Role, width=120
        ),
        Column(
            "is_active", "Active", FLAG, "Whether the person is let in.",
            has_choices=True, is_shown=True, width=95
        ),
        Column(
            "sees_all_contracts", "All Contracts", FLAG,
            "Whether the orders of every contract are theirs to see.",
            has_choices=True, is_shown=True, width=135
        ),
        Column(
            "contracts", "Contracts", CODE, "The contracts whose orders they see, if not all.",
            is_shown=True, width=190, derived=_contracts
        ),
        Column(
            "only_own_orders", "Own Orders Only", FLAG,
            "Whether they see only orders whose author they are.",
            has_choices=True, is_shown=True, width=155
        ),
        Column(
            "has_signed_in", "Has Signed In", FLAG,
            "Whether the e-mail address is bound to an account by a first sign-in.",
            has_choices=True, is_shown=True, width=150, derived=_has_signed_in
        ),
        Column(
            "user_id", "User ID", CODE, "The user's reference.",
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
    hint="What people do in Order Desk, or are refused, is listed here from then on.",
    hint_of_order="Refunds, vouchers, e-mails and downloads of it are listed here from then on.",
    seen_with=Permission.AUDIT_TRAIL,
    seen_in_order_with=Permission.OVERVIEW,
    columns=(
        Column("at", "When", INSTANT, "When it was done.", is_shown=True, width=165),
        Column(
            "actor", "Who", CODE, "Who did it.", has_choices=True, is_shown=True, width=195
        ),
        Column(
            "action", "Action", CODE, "What was done, or refused.",
            has_choices=True, is_shown=True, width=205
        ),
        Column(
            "order_id", "Order ID", CODE, "The order that it was about; blank for others.",
            is_shown=True, is_reference=True, opens_order=True, width=165
        ),
        Column(
            "entity", "What", CODE, "What kind of thing it was done to.",
            has_choices=True, is_shown=True, width=110
        ),
        Column(
            "entity_id", "Which", CODE, "The reference of that thing.",
            is_shown=True, is_reference=True, width=180
        ),
        Column(
            "contract_id", "Contract ID", CODE, "The contract of the order.",
            has_choices=True, is_shown=True, width=120
        ),
        Column(
            "before", "Before", CODE, "What was so before, as JSON.",
            is_shown=True, width=170, derived=_before
        ),
        Column(
            "after", "After", CODE, "What was so after, as JSON.",
            is_shown=True, width=300, derived=_after
        ),
        Column(
            "event_id", "Event ID", CODE, "The event's reference.",
            is_offered=True, is_reference=True, width=300
        ),
    ),
)
