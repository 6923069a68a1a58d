"""The table of users."""

from datetime import datetime
from typing import Any

from sqlalchemy import SQLColumnExpression, case, func, select

from core.ground import Permission, Role
from core.storage import Contract, User, UserContract
from core.tables.columns import Column, Kind, Table
from core.tables.ready_made import having


def _contracts(_now: datetime) -> SQLColumnExpression[Any]:
    """Return a user's contracts as one text, with their names; empty if there are none."""
    contract_id = UserContract.contract_id
    named = case(
        (Contract.name == contract_id, contract_id), else_=contract_id + " · " + Contract.name
    )
    own = (
        select(named.label("named"))
        .join(Contract, Contract.contract_id == contract_id)
        .where(UserContract.user_id == User.user_id)
        .order_by(UserContract.contract_id)
        .correlate(User)
        .subquery()
    )
    listed = select(func.aggregate_strings(own.c.named, ", ")).scalar_subquery()
    return func.coalesce(listed, "")


def _has_signed_in(_now: datetime) -> SQLColumnExpression[Any]:
    return User.issuer.is_not(None)


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
    ready_made={
        "Admins": having("role", "admin"),
        "Never signed in": having("has_signed_in", "no"),
    },
    seen_with=Permission.USERS,
    columns=(
        Column(
            "email", "E-mail", Kind.TEXT, "The e-mail address that the user signs in with.",
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
