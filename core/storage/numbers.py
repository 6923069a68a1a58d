"""Row numbers, which are reserved before their rows are written."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.storage.dialect import is_on_sqlite


@dataclass(frozen=True)
class Numbers:
    """Row numbers: the columns that hold those in use, and their sequence on PostgreSQL."""

    sequence: str
    columns: tuple[InstrumentedAttribute[Any], ...]


def next_numbers(session: Session, *wanted: tuple[Numbers, int]) -> list[list[int]]:
    """Return the next free numbers of each kind: how many are wanted of it.

    They follow the highest one in use; on PostgreSQL they come from a sequence. If rows with
    numbers of their own have overtaken the sequence, it is moved ahead.
    """
    is_embedded = is_on_sqlite(session)
    asked: list[Any] = []
    for numbers, count in wanted:
        asked += [select(func.max(one)).scalar_subquery() for one in numbers.columns]
        if not is_embedded:
            following = func.array_agg(func.nextval(numbers.sequence))
            listed = select(following).select_from(func.generate_series(1, count))
            asked.append(listed.scalar_subquery())
    answered = iter(session.execute(select(*asked)).one())
    found = []
    for numbers, count in wanted:
        highest = max(next(answered) or 0 for _ in numbers.columns)
        taken = None if is_embedded else (next(answered) or [])
        if taken is None:
            found.append(list(range(highest + 1, highest + 1 + count)))
        elif not taken or min(taken) > highest:
            found.append(sorted(taken))
        else:
            found.append(_move_ahead(session, numbers.sequence, highest, count))
    return found


def _move_ahead(session: Session, sequence: str, highest: int, count: int) -> list[int]:
    ahead = text(
        f"SELECT setval('{sequence}', :count + greatest(:highest, last_value)) FROM {sequence}"  # noqa: S608
    )
    last = session.execute(ahead, {"count": count, "highest": highest}).scalar_one()
    return list(range(last - count + 1, last + 1))
