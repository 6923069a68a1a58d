"""SQL of what orders show of their notes; never stored."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from core.storage.models.notes import Note
from core.storage.models.orders import Order
from core.storage.named_now import begun_day


def note_count(_now: datetime) -> SQLColumnExpression[Any]:
    """Return how many notes of an order stand."""
    return _of_order(select(func.count()).select_from(Note)).scalar_subquery()


def last_note(_now: datetime) -> SQLColumnExpression[Any]:
    """Return the text of the last note that stands; null without one."""
    return _of_last(Note.text)


def last_note_rank(_now: datetime) -> tuple[SQLColumnExpression[Any], ...]:
    """Return what the last note is sorted by."""
    return (_of_last(Note.text_sort_key),)  # type: ignore[attr-defined]


def is_last(_now: datetime) -> ColumnElement[bool]:
    """Restrict notes to the last one of each order that stands."""
    last = aliased(Note)
    newest = (
        select(last.note_id)
        .where(last.order_id == Note.order_id, last.withdrawn_at.is_(None))
        .order_by(last.created_at.desc(), last.no.desc())
        .limit(1)
    )
    return Note.note_id == newest.correlate(Note).scalar_subquery()


def follow_up_on(now: datetime) -> SQLColumnExpression[Any]:
    """Return the earliest day of an order's open follow-ups; null without one."""
    return _of_order(select(func.min(Note.follow_up_on))).where(_is_open(Note)).scalar_subquery()


def follow_up_by(now: datetime) -> SQLColumnExpression[Any]:
    """Return who follows up: see `is_due_or_next`; null without a follow-up."""
    people = _of_order(select(Note.follow_up_by)).where(is_due_or_next(now))
    listed = people.distinct().order_by(Note.follow_up_by).subquery()
    return select(func.aggregate_strings(listed.c.follow_up_by, ", ")).scalar_subquery()


def is_due_or_next(now: datetime) -> ColumnElement[bool]:
    """Restrict notes to open follow-ups that are due somewhere, and to the next one of an order.

    So an order whose follow-up is due for one person does not count as due for another.
    """
    other = Note.__table__.alias().c  # lighter than an alias of the class: filters build one
    earliest = select(func.min(other.follow_up_on)).where(
        other.order_id == Note.order_id, _is_open(other)
    )
    is_first = Note.follow_up_on == earliest.correlate(Note).scalar_subquery()
    return _is_open(Note) & or_(Note.follow_up_on <= begun_day(now), is_first)


def _is_open(note: Any) -> ColumnElement[bool]:
    """Return the condition of Note.IS_OPEN, for an alias too."""
    is_open: ColumnElement[bool] = (
        note.follow_up_on.is_not(None) & note.done_at.is_(None) & note.withdrawn_at.is_(None)
    )
    return is_open


def _of_order(notes: Select[Any]) -> Select[Any]:
    standing = Note.order_id == Order.order_id, Note.withdrawn_at.is_(None)
    return notes.where(*standing).correlate(Order)


def _of_last(attribute: InstrumentedAttribute[Any]) -> SQLColumnExpression[Any]:
    notes = _of_order(select(attribute)).order_by(Note.created_at.desc(), Note.no.desc())
    return notes.limit(1).scalar_subquery()
