"""When somebody who is signed in was last seen."""

import logging
from datetime import datetime

from sqlalchemy import select, update

from core import storage
from core.ground import OutsideFailed
from core.storage import SignIn

logger = logging.getLogger(__name__)


def note_seen(sign_in_id: str, now: datetime) -> None:
    """Note when somebody was seen, unless that had to wait: who only reads waits for no writer.

    A writer is an import that takes minutes, or a change of the same person. The next request
    notes it.
    """
    mine = SignIn.sign_in_id == sign_in_id, SignIn.seen_at < now
    try:
        with storage.writing(is_minor=True, may_wait=False) as session:
            found = select(SignIn.sign_in_id).where(*mine).with_for_update(skip_locked=True)
            if session.scalar(found) is not None:
                session.execute(update(SignIn).where(*mine).values(seen_at=now))
    except OutsideFailed as error:
        logger.info("It is noted later when sign-in %s was last seen: %s", sign_in_id, error)
