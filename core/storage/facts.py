"""Facts about the database as a whole: one text per name."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from core.storage.dialect import insert
from core.storage.models.audit import DatabaseFact

SIGNING_SECRET = "signing_secret"  # noqa: S105 - a name: a keyed fingerprint of the secret
DEMO = "demo"  # the number of sample orders; only a database filled with demo data has it


def get_fact(session: Session, name: str) -> str | None:
    """Return a fact; None if it is not stored."""
    fact = session.get(DatabaseFact, name)
    return None if fact is None else fact.value


def put_fact(session: Session, name: str, value: str) -> None:
    """Store a fact. Two transactions can store the same fact at the same time: the last wins."""
    new = insert(session, DatabaseFact).values(name=name, value=value)
    session.execute(new.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def delete_fact(session: Session, name: str) -> None:
    """Delete a fact, if it is stored."""
    session.execute(delete(DatabaseFact).where(DatabaseFact.name == name))
