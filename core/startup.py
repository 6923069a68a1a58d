"""What has to be true before anyone is served: schema, local user, first demo data, secret."""

import logging
from datetime import datetime

from core import db, demo, tokens, users

logger = logging.getLogger(__name__)


def prepare(now: datetime, *, may_fill: bool = True) -> None:
    """Migrate the database and make the local user; fill a SQLite file that was just created.

    Raises OutsideFailed when the database does not answer; safe to repeat.
    """
    is_new = db.migrate()
    users.ensure_local_user()
    tokens.ensure_secret()
    if is_new and may_fill:
        actor = users.find_local_actor()
        assert actor is not None
        logger.warning("New database: filling it with demo data.")
        demo.fill(demo.DEFAULT_ORDERS, actor=actor, now=now)
