"""A database that takes no writes, as people see it: the page reads on, and the dialog says why."""

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from core import storage
from core.storage.failures import READ_ONLY
from pages.shell import plain
from tests.databases import close_connections
from tests.pages.opened import open_page, texts
from tests.pages.test_refunds import _open_dialog, _shop, _status

# Where a SQLite file says what may write it; a version above 2 makes it read-only.
WRITE_VERSION = 18


def _let_it_be_written(url: str, version: int) -> None:
    close_connections(storage.get_engine())
    with Path(make_url(url).database or "").open("r+b") as file:
        file.seek(WRITE_VERSION)
        file.write(bytes([version]))


@pytest.mark.parametrize("is_read_only", [True, False])
def test_a_refund_in_a_read_only_database_is_refused_in_words_and_the_page_reads_on(
    sqlite_database: str, is_read_only: bool
) -> None:
    _shop()
    page = _open_dialog("I-1")
    page.selectbox(key="refund_reason").select("goodwill")
    _let_it_be_written(sqlite_database, 3 if is_read_only else 2)
    page.button(key="refund_confirm").click().run()
    assert not page.exception
    assert (plain(READ_ONLY) in texts(page)) is is_read_only
    assert "**2** order items" in texts(open_page("order_items"))
    _let_it_be_written(sqlite_database, 2)
    assert (_status("I-1") == "refunded") is not is_read_only
