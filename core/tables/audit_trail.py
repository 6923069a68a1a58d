"""The table of the audit trail."""

from datetime import datetime
from typing import Any

from sqlalchemy import SQLColumnExpression, Text, cast

from core.ground import Permission
from core.storage import AuditEvent, folded
from core.tables.columns import CONTRACT, Column, Kind, Table
from core.tables.ready_made import ending, recent


def _before(_now: datetime) -> SQLColumnExpression[Any]:
    """Return the stored JSON as text, to show, search and export it."""
    return cast(AuditEvent.before, Text)


def _after(_now: datetime) -> SQLColumnExpression[Any]:
    return cast(AuditEvent.after, Text)


def _before_folded(_now: datetime) -> tuple[SQLColumnExpression[Any], ...]:
    return (folded(AuditEvent.before),)


def _after_folded(_now: datetime) -> tuple[SQLColumnExpression[Any], ...]:
    return (folded(AuditEvent.after),)


# One line for what a column is, and one for its options; ruff would put each argument on its own.
# fmt: off
AUDIT_EVENTS = Table(
    name="audit_trail",
    title="Audit Trail",
    one="event",
    many="events",
    model=AuditEvent,
    key="event_id",
    newest="at",
    ready_made=recent("at") | {"Refused": {"filters": {"action": ending(".refused")}}},
    hint="Actions in Order Desk, and refused attempts, are listed here.",
    hint_of_order="What people do with it in Order Desk is listed here, but not what was imported.",
    seen_with=Permission.AUDIT_TRAIL,
    seen_in_order_with=Permission.OVERVIEW,
    columns=(
        Column("at", "Time", Kind.INSTANT, "When it happened.", is_shown=True, width=165),
        Column(
            "sentence", "What happened", Kind.TEXT, "The event as a sentence, as it was told then.",
            is_shown=True, width=460
        ),
        Column(
            "actor", "User", Kind.TEXT, "The user who did it.",
            has_choices=True, is_shown=True, width=195
        ),
        Column(
            "action", "Action", Kind.CODE, "What the user did, or what was refused.",
            has_choices=True, is_shown=True, width=205
        ),
        Column(
            "order_id", "Order ID", Kind.CODE, "The order that the action affects; blank if none.",
            is_shown=True, is_shown_in_order=False, is_reference=True, opens_order=True, width=145
        ),
        Column(
            "entity", "Object", Kind.CODE, "The kind of object that the action affects.",
            has_choices=True, is_shown=True, width=110
        ),
        Column(
            "entity_id", "Object ID", Kind.TEXT, "The ID of that object.",
            is_shown=True, is_reference=True, width=180
        ),
        Column(
            "contract_id", "Contract ID", Kind.CODE, "The contract of the order.",
            has_choices=True, is_shown=True, width=128
        ),
        CONTRACT,
        Column(
            "before", "Before", Kind.TEXT, "The values before, as JSON.",
            is_shown=True, width=170, derived=_before, sorted_by=_before_folded
        ),
        Column(
            "after", "After", Kind.TEXT, "The values after, as JSON.",
            is_shown=True, width=300, derived=_after, sorted_by=_after_folded
        ),
        Column(
            "event_id", "Event ID", Kind.CODE, "The ID of the event.",
            is_offered=True, is_reference=True, width=300
        ),
    ),
)
