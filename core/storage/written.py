"""What people write: a column of it has twins, one to search in and one to sort by.

`author: Mapped[Written]` in a model adds the columns `author_folded` and `author_sort_key`. They
are filled whenever `author` is set, and by `bulk_insert`. `WrittenJson` has only the former.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, get_args

from sqlalchemy.orm import InstrumentedAttribute

from core.ground import fold, sort_key

FOLDED, SORT_KEY = "_folded", "_sort_key"


@dataclass(frozen=True)
class Twins:
    """How the twins of a column are made, by the ends of their names."""

    makers: tuple[tuple[str, Callable[[Any], str]], ...]


@dataclass(frozen=True)
class Twin:
    """A column that is made from another one."""

    of: str
    make: Callable[[Any], str]
    is_nullable: bool

    def made_from(self, value: Any) -> str | None:
        """Return the twin of a value; a blank has a blank one."""
        return None if value is None else self.make(value)


def to_json(value: Any) -> str:
    """Serialize to JSON as PostgreSQL shows it: keys in its order, letters not escaped."""
    return json.dumps(_shown(value), ensure_ascii=False)


def _shown(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_shown(one) for one in value]
    if isinstance(value, float) and "e+" in repr(value):
        return int(Decimal(repr(value)))  # 1e22 in full
    if not isinstance(value, dict):
        return value
    keys = sorted(value, key=lambda key: (len(key.encode()), key))
    return {key: _shown(value[key]) for key in keys}


def _fold_json(value: Any) -> str:
    """Fold JSON; bulk_insert has it as text."""
    return fold(to_json(json.loads(value) if isinstance(value, str) else value))


Written = Annotated[str, Twins(((FOLDED, fold), (SORT_KEY, sort_key)))]
WrittenJson = Annotated[dict[str, Any], Twins(((FOLDED, _fold_json),))]


def find_twins(annotations: Mapping[str, Any]) -> dict[str, Twin]:
    """Return the twins of a model's written columns by name, from the annotations of its class."""
    found = {}
    for name, annotation in annotations.items():
        kinds = [kind for one in get_args(annotation) for kind in (one, *get_args(one))]
        stated = (one for kind in kinds for one in getattr(kind, "__metadata__", ()))
        for twins in stated:
            if isinstance(twins, Twins):
                for end, make in twins.makers:
                    found[f"{name}{end}"] = Twin(name, make, type(None) in kinds)
    return found


def folded(attribute: InstrumentedAttribute[Any]) -> InstrumentedAttribute[Any]:
    """Return the twin of a written column that searches use."""
    twin: InstrumentedAttribute[Any] = getattr(attribute.class_, f"{attribute.key}{FOLDED}")
    return twin


def sorted_by(attribute: InstrumentedAttribute[Any]) -> InstrumentedAttribute[Any]:
    """Return the twin of a written column that it is sorted by: equal only for equal texts."""
    twin: InstrumentedAttribute[Any] = getattr(attribute.class_, f"{attribute.key}{SORT_KEY}")
    return twin
