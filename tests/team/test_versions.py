"""The version before runs on beside the newest, on one database with the newest schema."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from core.ground import private_pem
from tests.conftest import POSTGRESQL, use_database
from tests.core.books import check_books
from tests.e2e.servers import PROJECT
from tests.team.versions import Refused, commit_before, lending_a_hand, unpack
from tests.vouchers import KEY

ORDERS = 60
TWICE = "sent before"


@pytest.fixture
def settings(make_database: Callable[[str], str], data_dir: Path) -> dict[str, str]:
    """Return the settings of both: one database, one secret, one key."""
    url = make_empty(make_database(POSTGRESQL))
    return {
        "DATABASE_URL": url,
        "DATA_DIR": str(data_dir),
        "SIGNING_SECRET": "known-to-both-versions-4711",
        "VOUCHER_PRIVATE_KEY": private_pem(KEY),
    }


def make_empty(url: str) -> str:
    """Take everything out of a database, its schema too."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url


@pytest.mark.on_postgresql
@pytest.mark.needs_history
def test_both_versions_read_refund_mail_and_note_on_one_database(
    settings: dict[str, str], tmp_path: Path
) -> None:
    before = unpack(commit_before(), tmp_path)
    with lending_a_hand(before, settings) as old, lending_a_hand(PROJECT, settings) as new:
        old.do("prepare")
        old.do("fill", ORDERS)
        first, second, third, fourth = old.do("find_refundable", 4)
        new.do("prepare")  # the newest schema, while the old one runs
        for hand, item, name in ((old, first, "old"), (new, second, "new")):
            assert hand.do("refund", [item], f"refund-{name}") == [item]
            assert len(hand.do("send", [third], f"mail-{name}")) == 1
            hand.do("note", third, f"The {name} one was here")
            assert hand.do("export", "orders") > 0
        # Each knows what the other has done.
        assert old.do("refund", [second, first], "again-old") == []
        assert new.do("refund", [first, second], "again-new") == []
        assert new.do("refund", [first], "refund-old") == [first]  # the answer to the same key
        assert old.do("refund", [second], "refund-new") == [second]
        with pytest.raises(Refused, match=TWICE):
            old.do("refund", [fourth], "refund-new")
        new.do("work")
        old.do("work")
        shown, counted = old.do("count"), new.do("count")
        assert {name: counted[name] for name in shown} == shown
        new.do("prepare")  # once more is nothing
    use_database(settings["DATABASE_URL"])
    check_books()


@pytest.mark.needs_history
def test_the_version_before_has_not_the_migration_that_is_asked_for() -> None:
    assert commit_before("0001") != "HEAD"
    assert commit_before("9999") == "HEAD"


@pytest.mark.needs_history
def test_an_older_version_is_unpacked_beside_the_work_tree(tmp_path: Path) -> None:
    versions = unpack(commit_before(), tmp_path) / "core/storage/migrations/versions"
    assert list(versions.glob("0019_*"))
    assert not list(versions.glob("0020_*"))
