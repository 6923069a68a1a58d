"""What has to be true before anyone is served: schema, local user, first demo data, secret."""

import logging
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from core import db, demo, tokens, users
from core.settings import get_settings

logger = logging.getLogger(__name__)


def prepare(now: datetime, *, may_fill: bool = True) -> None:
    """Migrate the database and make the local user; fill a SQLite file that was just created.

    Raises OutsideFailed when the database does not answer; safe to repeat.
    """
    is_new = _is_missing_sqlite_file(get_settings().database_url)
    db.migrate()
    users.ensure_local_user()
    tokens.ensure_secret()
    if is_new and may_fill:
        actor = users.find_local_actor()
        assert actor is not None
        logger.warning("New database: filling it with demo data.")
        demo.fill(demo.DEFAULT_ORDERS, actor=actor, now=now)


def _is_missing_sqlite_file(url: str) -> bool:
    address = make_url(url)
    return bool(
        address.get_backend_name() == "sqlite"
        and address.database
        and not Path(address.database).exists()
    )
