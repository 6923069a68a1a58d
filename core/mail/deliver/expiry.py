"""Delete what is kept no longer: senders' texts in the database, and mails in the outbox on disk.

The worker does it in small steps, so that nobody waits long. Each step is in the audit trail.
"""

import logging
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import access, storage
from core.access import BY_ITSELF
from core.ground import DeliveryStatus, get_settings
from core.mail.deliver.outbox import OUTBOX_FOLDER
from core.mail.states import texts_kept_since
from core.storage import Delivery

logger = logging.getLogger(__name__)

STEP = 500  # texts, or mails, that one step deletes
_PARTS = ("new", "cur", "tmp")  # of a Maildir
_OPEN = (DeliveryStatus.QUEUED, DeliveryStatus.SENDING)


def delete_expired(*, now: datetime) -> int:
    """Do one step, as MAIL_TEXT_DAYS and OUTBOX_DAYS say; return how much it deleted."""
    return _delete_texts(now) + _delete_mails(now)


def _delete_texts(now: datetime) -> int:
    """Delete the senders' texts of old e-mails that have ended; the e-mails stay listed."""
    since = texts_kept_since(now)
    if since is None:
        return 0
    is_due = Delivery.message.is_not(None), Delivery.status.not_in(_OPEN)
    due = select(Delivery.delivery_id).where(*is_due, Delivery.queued_at < since)
    due = due.order_by(Delivery.queued_at).limit(STEP)
    with storage.reading() as session:  # usually nothing is due: then no write lock is taken
        if session.execute(due.limit(1)).first() is None:
            return 0
    with storage.writing() as session:
        ids = session.scalars(due.with_for_update(skip_locked=True)).all()
        mine = update(Delivery).where(Delivery.delivery_id.in_(sorted(ids)))
        session.execute(mine.values(Delivery.with_twins(message=None)))
        _record(session, "emails.texts_deleted", len(ids), get_settings().mail_text_days, now)
        return len(ids)


def _delete_mails(now: datetime) -> int:
    """Delete old mails from the outbox on disk."""
    settings = get_settings()
    if settings.outbox_days is None:
        return 0
    since = (now - timedelta(days=settings.outbox_days)).timestamp()
    old = list(islice(_find_mails(settings.data_dir / OUTBOX_FOLDER, since), STEP))
    deleted = sum(map(_delete, old))
    if deleted:
        with storage.writing() as session:
            _record(session, "outbox.mails_deleted", deleted, settings.outbox_days, now)
    return deleted


def _find_mails(outbox: Path, since: float) -> Iterator[Path]:
    for part in _PARTS:
        if (outbox / part).is_dir():
            with os.scandir(outbox / part) as entries:
                for one in entries:
                    is_mail = one.is_file(follow_symlinks=False)
                    if is_mail and one.stat(follow_symlinks=False).st_mtime < since:
                        yield Path(one.path)


def _delete(mail: Path) -> bool:
    try:
        mail.unlink()
    except FileNotFoundError:  # another worker was faster
        return False
    except OSError as error:
        logger.warning("Cannot delete %s from the outbox: %s", mail, error.strerror)
        return False
    return True


def _record(session: Session, action: str, count: int, days: int | None, now: datetime) -> None:
    table = action.partition(".")[0]
    facts = {"count": count, "days": days}
    access.record_event(
        session, action, actor=BY_ITSELF, entity="table", entity_id=table, now=now, after=facts
    )
