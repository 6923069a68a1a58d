"""The keys whose vouchers every process accepts: their public halves are in the database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core import storage
from core.ground import public_pem
from core.storage import VoucherKey
from core.vouchers import signed_code
from core.vouchers.signed_code import PublicKeys


def accepted_keys() -> PublicKeys:
    """Return the accepted public keys by ID: those of the database and of DATA_DIR.

    Raises KeyFault.
    """
    with storage.reading() as session:
        texts = session.scalars(select(VoucherKey.public_key)).all()
    shared = [signed_code.parse_public_keys(text) for text in texts]
    return {
        key_id: key
        for found in (*shared, signed_code.public_keys())
        for key_id, key in found.items()
    }


def other_key_ids() -> list[str]:
    """Return the IDs of the keys that this process accepts by the files of its DATA_DIR."""
    return sorted(signed_code.public_keys().keys() - {signed_code.own_key_id()})


def shared_key_ids(session: Session) -> set[str]:
    """Return the IDs of the keys in the database."""
    return set(session.scalars(select(VoucherKey.key_id)))


def share_keys(session: Session, now: datetime) -> list[str]:
    """Add the accepted keys of this process to those of the database; return the new IDs."""
    keys, known = signed_code.public_keys(), shared_key_ids(session)
    new = sorted(keys.keys() - known)
    for key_id in new:
        row = {"key_id": key_id, "public_key": public_pem(keys[key_id]), "added_at": now}
        session.execute(storage.insert(session, VoucherKey).values(row).on_conflict_do_nothing())
    return new


def forget_keys(session: Session, but: Sequence[str]) -> list[str]:
    """Remove the keys of the database except some; return the IDs of the others."""
    gone = delete(VoucherKey).where(VoucherKey.key_id.not_in(but)).returning(VoucherKey.key_id)
    return sorted(session.scalars(gone))
