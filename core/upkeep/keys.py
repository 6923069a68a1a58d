"""Keep processes that share a database to the same keys.

A process with another signing secret refuses the links of the others, and one with another voucher
key makes vouchers that the others call forged. So the database knows both: the public halves of the
voucher keys, and a keyed fingerprint of the secret, from which nobody learns the secret. The first
start brings its own.
"""

from datetime import datetime

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from core import access, storage, vouchers
from core.access import Actor
from core.ground import AppError, Permission, Refused
from core.storage import SIGNING_SECRET, DatabaseFact, VoucherKey

TRUST = "python -m core trust-keys"


class UnknownKeys(AppError):
    """The keys of this process are not those that the database knows."""

    def __init__(self, unknown: list[str]) -> None:
        super().__init__(
            f"The database knows other keys: it does not know {' and '.join(unknown)} of this "
            "process. All processes need the same SIGNING_SECRET and VOUCHER_PRIVATE_KEY, or the "
            f"same DATA_DIR. If you have changed a key on purpose, run {TRUST} with the new one, "
            "then restart every process."
        )


def refuse_other_keys() -> None:
    """Raise UnknownKeys if the database knows other keys; a schema before the keys knows none.

    It is asked before an upgrade, which would end the service of those who have the right keys.
    """
    vouchers.ensure_keys()
    with storage.reading() as session:
        if not inspect(session.connection()).has_table(VoucherKey.__tablename__):
            return
        unknown = _find_unknown(session)
        if unknown and _knows_any(session):
            raise UnknownKeys(unknown)


def check_keys(now: datetime) -> None:
    """Check that the database knows the keys of this process; a database without keys learns them.

    Raises UnknownKeys, KeyFault, and OutsideFailed if the database does not answer.
    """
    vouchers.ensure_keys()
    with storage.reading() as session:
        knows_any = _knows_any(session)
        unknown = _find_unknown(session)
    if not unknown:
        return
    if knows_any:
        raise UnknownKeys(unknown)
    with storage.writing() as session:
        _learn(session, now)
        unknown = _find_unknown(session)  # another process may have been first
        if unknown:
            raise UnknownKeys(unknown)


def _knows_any(session: Session) -> bool:
    """Return whether some process has started before."""
    has_secret = storage.get_fact(session, SIGNING_SECRET) is not None
    return has_secret and bool(vouchers.shared_key_ids(session))


def _find_unknown(session: Session) -> list[str]:
    """Name the keys of this process that the database does not know."""
    unknown, own = [], vouchers.own_key_id()
    if storage.get_fact(session, SIGNING_SECRET) != _fingerprint():
        unknown.append("the signing secret")
    if own not in vouchers.shared_key_ids(session):
        unknown.append(f"the voucher key {own}")
    return unknown


def _learn(session: Session, now: datetime) -> None:
    """Store what is missing; the second of two first starts waits for the first one."""
    fact = storage.insert(session, DatabaseFact).values(name=SIGNING_SECRET, value=_fingerprint())
    session.execute(fact.on_conflict_do_nothing())
    if not vouchers.shared_key_ids(session):
        vouchers.share_keys(session, now)


def _fingerprint() -> str:
    return access.secret_for("fingerprint")


def trust_keys(*, only: bool = False, actor: Actor, now: datetime) -> str:
    """Let the database know the keys of this process, and audit it; return what changed.

    With `only`, vouchers of other keys are no longer genuine. Raises NotPermitted and KeyFault, and
    Refused if this process would still accept other keys by their files.
    """
    vouchers.ensure_keys()
    if only and (others := vouchers.other_key_ids()):
        raise Refused(
            f"The folder {vouchers.PUBLIC_KEYS} of DATA_DIR has other keys: {', '.join(others)}. "
            "Their vouchers would stay genuine. Delete their files on every machine, then run this "
            "again."
        )
    with access.changing(actor, Permission.USERS) as (session, actor):
        is_new = storage.get_fact(session, SIGNING_SECRET) != _fingerprint()
        storage.put_fact(session, SIGNING_SECRET, _fingerprint())
        added = vouchers.share_keys(session, now)
        removed = vouchers.forget_keys(session, [vouchers.own_key_id()]) if only else []
        if not (is_new or added or removed):
            return "The database knows the keys of this process already."
        facts = {"secret": is_new, "voucher_keys": added, "removed": removed}
        access.record_event(
            session,
            "keys.trusted",
            actor=actor,
            entity="database",
            entity_id="keys",
            now=now,
            after=facts,
        )
    return _in_words(is_new, added, removed)


def _in_words(is_new: bool, added: list[str], removed: list[str]) -> str:
    said = [f"Vouchers of {one} are genuine." for one in added]
    said += [f"Vouchers of {one} are no longer genuine." for one in removed]
    if is_new:
        said.append("The signing secret was replaced: restart every process with the new one.")
    return " ".join(said)
