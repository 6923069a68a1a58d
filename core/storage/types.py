"""The building blocks of the models: column types, keys, checks and their parent class."""

import os
import time
import uuid
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    DateTime,
    Dialect,
    Index,
    MetaData,
    SQLColumnExpression,
    Text,
    TypeDecorator,
    case,
    event,
    literal_column,
    text,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeEngine

from core.ground import (
    COMMON_CURRENCIES,
    MAX_DECIMALS,
    UNUSUAL_DECIMALS,
    USUAL_DECIMALS,
)
from core.storage.written import Twin, Written, WrittenJson, find_twins


class Instant(TypeDecorator[datetime]):
    """A UTC instant to the second: timestamptz on PostgreSQL, epoch seconds on SQLite.

    SQLite would drop the zone of a DateTime silently. A naive value raises ValueError.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type of the database."""
        return DateTime(timezone=True) if dialect.name == "postgresql" else BigInteger()

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Convert an aware datetime to the stored value."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        value = value.astimezone(UTC).replace(microsecond=0)
        return value if dialect.name == "postgresql" else int(value.timestamp())

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Convert the stored value to an aware datetime in UTC."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return datetime.fromtimestamp(value, UTC)


# Text sorts by code point on both databases; SQLite does so by default.
Plain = Text().with_variant(Text(collation="C"), "postgresql")
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """Build the CHECK that restricts a column to the members of an enumeration."""
    allowed = ", ".join(f"'{member.value}'" for member in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=f"{column}_known")


def partial_index(name: str, column: str, *, where: str, unique: bool = False) -> Index:
    """Build an index of the rows that meet a condition."""
    condition = text(where)
    return Index(name, column, unique=unique, sqlite_where=condition, postgresql_where=condition)


def new_id() -> str:
    """Return a new key: a UUID version 7 (RFC 9562), which sorts by time."""
    stamp = (time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10)
    number = int.from_bytes(stamp, "big")
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=number))


def in_common_units(
    amount: SQLColumnExpression[int], currency: SQLColumnExpression[str]
) -> ColumnElement[int]:
    """Return an SQL amount in the unit that all currencies share: 1/10,000 of a major unit.

    It has no bound values, so that an index can use it.
    """

    def factor(decimals: int) -> ColumnElement[int]:
        return literal_column(str(10 ** (MAX_DECIMALS - decimals)))

    decimals = dict.fromkeys(COMMON_CURRENCIES, USUAL_DECIMALS) | UNUSUAL_DECIMALS
    factors: dict[Any, Any] = {
        literal_column(f"'{code}'"): factor(count) for code, count in decimals.items()
    }
    factored = amount * case(factors, value=currency, else_=factor(USUAL_DECIMALS))
    return type_coerce(factored, BigInteger)


class Base(DeclarativeBase):
    """The parent of all models. It names constraints, so that migrations can refer to them."""

    metadata = MetaData(
        naming_convention={
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Plain,
        int: BigInteger,
        datetime: Instant,
        dict[str, Any]: Json,
        Written: Plain,
        WrittenJson: Json,
    }
    twins: ClassVar[dict[str, Twin]] = {}  # of the columns that people write

    def __init_subclass__(cls, **given: Any) -> None:
        """Add the twins of the written columns."""
        cls.twins = find_twins(cls.__annotations__)
        for name, twin in cls.twins.items():
            setattr(cls, name, mapped_column(Plain, nullable=twin.is_nullable))
        super().__init_subclass__(**given)
        for name, twin in cls.twins.items():
            event.listen(getattr(cls, twin.of), "set", partial(_fill, name, twin))

    @classmethod
    def with_twins(cls, **values: Any) -> dict[str, Any]:
        """Return the values of an UPDATE statement with the twins of the written ones.

        An object fills its twins by itself.
        """
        made = ((name, twin) for name, twin in cls.twins.items() if twin.of in values)
        return values | {name: twin.made_from(values[twin.of]) for name, twin in made}


def _fill(name: str, twin: Twin, row: Base, value: Any, *_: Any) -> None:
    """Fill a twin when its column is set."""
    setattr(row, name, twin.made_from(value))
