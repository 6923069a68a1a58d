"""Prepare the start: schema, first user, figures, demo data, secret."""

import logging
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from core import access, demo, imports, overview, storage, upkeep, vouchers
from core.ground import FOLLOWERS, get_settings, remove_left_parts, warn_if_open
from core.mail import OUTBOX_FOLDER

logger = logging.getLogger(__name__)


def check_vouchers() -> None:
    """Create the key that signs vouchers if there is none; check the key, the fonts and the logo.

    Raises AppError, which names the file.
    """
    vouchers.ensure_keys()
    vouchers.check_assets(vouchers.current_branding())


def warn_of_open_files() -> None:
    """Log a warning for each file with data or secrets that other users can open."""
    settings = get_settings()
    names = (access.SIGNING_SECRET_FILE, vouchers.KEY_FILE, OUTBOX_FOLDER)
    paths = [settings.data_dir, *(settings.data_dir / name for name in names)]
    database = make_url(settings.database_url)
    if database.get_backend_name() == "sqlite":
        paths += [Path(f"{database.database}{end}") for end in ("", *FOLLOWERS)]
    warn_if_open(paths)


def prepare(now: datetime, *, may_fill: bool = True) -> None:
    """Migrate the database, create the first user and the figures; fill a new SQLite file.

    A file without tables counts as new, so an interrupted first start is repeated. Raises
    OutsideFailed if the database does not answer. Safe to repeat.
    """
    remove_left_parts()
    imports.remove_left_files()
    if may_fill and storage.is_blank():
        logger.warning("New database: filling it with demo data.")
        who = access.CONSOLE.email if get_settings().has_sign_in else access.LOCAL_USER_EMAIL
        demo.fill_blank(demo.DEFAULT_ORDERS, actor=who, now=now)
    storage.migrate()
    storage.current_time()  # the database's clock is measured before anybody waits for it
    access.ensure_someone_can_sign_in(now)
    overview.refresh_figures()
    access.ensure_secret()


def prepare_to_serve(now: datetime, *, may_fill: bool = True) -> None:
    """Prepare the start of a process that serves people, or works for them.

    Raises UnknownKeys if other processes of the database have other keys, and what `prepare` does.
    """
    if not storage.is_blank():
        upkeep.refuse_other_keys()
    prepare(now, may_fill=may_fill)
    upkeep.check_keys(now)
