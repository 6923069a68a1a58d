"""What has to be true before anyone is served: schema, first user, figures, demo data, secret."""

import logging
from datetime import datetime

from core import db, demo, figures, people, tokens, users, voucher_code, voucher_pdf

logger = logging.getLogger(__name__)


def check_vouchers() -> None:
    """Make the key that signs vouchers, or find that it, a font or the logo cannot be used.

    Raises AppError, which names the file.
    """
    voucher_code.ensure_keys()
    voucher_pdf.ensure_parts(voucher_pdf.current_branding())


def prepare(now: datetime, *, may_fill: bool = True) -> None:
    """Migrate the database, make first user and figures; fill a SQLite file that was just created.

    Raises OutsideFailed when the database does not answer; safe to repeat.
    """
    is_new = db.migrate()
    people.ensure_somebody(now)
    figures.refresh()
    tokens.ensure_secret()
    if is_new and may_fill:
        actor = users.find_console_actor()
        assert actor is not None
        logger.warning("New database: filling it with demo data.")
        demo.fill(demo.DEFAULT_ORDERS, actor=actor, now=now)
