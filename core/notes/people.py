"""The people of notes: who sees an order, and whom a text mentions by @ and a name or address."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import storage
from core.access import Actor, roles_with
from core.ground import NotFound, Permission, Refused, fold, may_be_id
from core.query import scope, sees_order
from core.storage import Order, User
from core.tables import ORDERS


@dataclass(frozen=True)
class Colleague:
    """A user, what they are called, and whether they see an order and can write notes on it."""

    email: str
    name: str
    sees: bool
    can_write: bool

    @property
    def words(self) -> str:
        """Return the name and the address; only the address if the name is the same."""
        return self.email if self.name == self.email else f"{self.name} ({self.email})"

    @property
    def called(self) -> set[str]:
        """Return what may follow @ to mention the user, as searches compare it."""
        return {fold(self.email), fold(self.name)}


class CannotSee(Refused):
    """Somebody in a note cannot see its order."""

    def __init__(self, one: Colleague, done: str) -> None:
        super().__init__(
            f"{one.words} cannot see this order, so they cannot {done}. Nothing was written: "
            "choose another colleague, or ask an admin for access."
        )


def get_order_row(session: Session, order_id: str, actor: Actor, *, is_kept: bool = False) -> Order:
    """Return an order that the actor may see, in the caller's transaction; raises NotFound.

    With `is_kept`, it stays until the transaction ends: an import, which locks the table, waits.
    """
    order = None
    if may_be_id(order_id):
        mine = select(Order).where(Order.order_id == order_id, scope(ORDERS, actor))
        if is_kept:
            mine = mine.with_for_update(read=True, key_share=True)
        order = session.scalars(mine).one_or_none()
    if order is None:
        raise NotFound(
            f"Order “{order_id[:100]}” was not found, or you have no access to it. "
            "Nothing was written."
        )
    return order


def find_colleagues(order_id: str, *, actor: Actor) -> list[Colleague]:
    """Find the users who see an order, by name: who can be mentioned. Raises NotFound."""
    with storage.reading() as session:
        order = get_order_row(session, order_id, actor)
        return [one for one in colleagues_in(session, order) if one.sees]


def colleagues_in(session: Session, order: Order) -> list[Colleague]:
    """Return all users by name, and whether they see the order."""
    sees = func.coalesce(sees_order(order.contract_id, order.author), False).label("sees")
    rows = session.execute(select(User.email, User.name, User.role, sees).order_by(User.name))
    writers = roles_with(Permission.NOTES)
    return [
        Colleague(row.email, row.name, bool(row.sees), bool(row.sees) and row.role in writers)
        for row in rows
    ]


def mentioned_in(text: str, colleagues: Sequence[Colleague]) -> list[Colleague]:
    """Return whom a text mentions, each once; raises CannotSee.

    Of several people with the longest name that follows an @, those who see the order are meant.
    An @ inside a word, as in an e-mail address, mentions nobody.
    """
    found: dict[str, Colleague] = {}
    folded = fold(text)
    for place, character in enumerate(folded):
        if character != "@" or folded[:place][-1:].isalnum():
            continue
        meant = _called_at(folded, place + 1, colleagues)
        able = [one for one in meant if one.sees]
        if meant and not able:
            raise CannotSee(meant[0], "be mentioned")
        found |= {one.email: one for one in able}
    return list(found.values())


def _called_at(text: str, start: int, colleagues: Iterable[Colleague]) -> list[Colleague]:
    """Return those whose name or address stands at a place of a folded text: the longest one."""
    longest, meant = 0, list[Colleague]()
    for one in colleagues:
        for name in one.called:
            end = start + len(name)
            if text.startswith(name, start) and not text[end : end + 1].isalnum():
                if len(name) > longest:
                    longest, meant = len(name), []
                if len(name) == longest and one not in meant:
                    meant.append(one)
    return meant
