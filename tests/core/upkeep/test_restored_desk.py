"""After a restore, everything since the backup is missing, as the documentation says."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core import access, mail, storage, vouchers
from core.access import Actor, Rights, sign_ins
from core.ground import NotSignedIn, Role
from core.storage import Delivery, SignIn, User
from tests.conftest import NOW
from tests.core.books import check_books
from tests.core.imports.imported import ITEM, ORDER, Sheets
from tests.core.mail.mailing import ScriptedTransport, make_shop, send_due
from tests.core.refunds.refund_rows import get_balance, get_item, request
from tests.core.refunds.returned_money import EVERYWHERE
from tests.core.refunds.sold_items import sell
from tests.core.upkeep.restoring import Backup, backup_of

HOUR = timedelta(hours=1)


@pytest.fixture
def backup(database: str, tmp_path: Path) -> Iterator[Backup]:
    """Return a backup of the database that the test takes and restores."""
    with backup_of(database, tmp_path) as made:
        yield made


def test_a_mail_sent_after_the_backup_is_sent_again_with_the_same_message_id(
    backup: Backup, admin: Actor
) -> None:
    make_shop()
    mail.send(["A"], ["zoe@mail.example"], message=None, key="k", actor=admin, now=NOW)
    backup.take()
    transport = ScriptedTransport()
    assert send_due(transport) == 1
    assert send_due(transport) == 0
    backup.put_back()
    assert send_due(transport) == 1
    first, second = (message["Message-ID"] for message in transport.taken)
    assert first == second
    with storage.reading() as session:
        assert [one.may_be_twice for one in session.scalars(select(Delivery))] == [False]


def test_a_mail_requested_after_the_backup_is_missing_from_the_list(
    backup: Backup, admin: Actor
) -> None:
    make_shop()
    backup.take()
    mail.send(["A"], ["zoe@mail.example"], message=None, key="k", actor=admin, now=NOW)
    assert len(vouchers.find_copies(["A"], actor=admin)) == 0  # not sent yet
    send_due(ScriptedTransport())
    assert len(vouchers.find_copies(["A"], actor=admin)) == 1
    backup.put_back()
    assert vouchers.find_copies(["A"], actor=admin) == []
    with storage.reading() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0


def test_a_balance_refund_after_the_backup_is_lost_and_its_voucher_is_available_again(
    backup: Backup,
) -> None:
    (item,) = sell(1)
    contract = get_item(item).contract_id
    backup.take()
    before = get_balance(contract)
    price = get_item(item).price_minor
    request(item, actor=EVERYWHERE)
    assert get_balance(contract) == before + price
    assert _can_be_had(item) == [False]
    backup.put_back()
    assert get_balance(contract) == before
    assert get_item(item).status == "not_used"
    assert _can_be_had(item) == [True]
    request(item, actor=EVERYWHERE)  # it must be done again, which credits the balance once
    assert get_balance(contract) == before + price
    check_books()


def _can_be_had(item: str) -> list[bool]:
    return [line.why is None for line in vouchers.assess([item], actor=EVERYWHERE, now=NOW)]


def test_a_file_that_was_imported_after_the_backup_is_imported_again(
    backup: Backup, import_sheets: Callable[..., object]
) -> None:
    sold: Sheets = {"Orders": [ORDER], "Order Items": [ITEM]}
    used: Sheets = {"Orders": [ORDER], "Order Items": [ITEM | {"Status": "used"}]}
    import_sheets(sold)
    backup.take()
    import_sheets(used)
    backup.put_back()
    assert get_item("A1-1").status == "not_used"
    import_sheets(used)
    assert get_item("A1-1").status == "used"


def test_a_user_deactivated_after_the_backup_is_active_again(backup: Backup, admin: Actor) -> None:
    agent = Rights(role=Role.AGENT, contracts=frozenset())
    ana = access.add_user("ana@helios.example", rights=agent, actor=admin, now=NOW)
    backup.take()
    away = replace(agent, is_active=False)
    access.change_user(ana, rights=away, actor=admin, now=NOW)
    backup.put_back()
    with storage.reading() as session:
        assert session.get_one(User, ana).is_active


def test_a_sign_in_of_an_older_backup_has_expired(backup: Backup) -> None:
    """A restore forgets a sign-out after the backup; an hour later that has no effect."""
    times = {"began_at": NOW, "seen_at": NOW, "expires_at": NOW + 10 * HOUR}
    with storage.writing() as session:
        session.add(SignIn(sign_in_id="one", user_id="local", **times))
    backup.take()
    with storage.writing() as session:
        session.get_one(SignIn, "one").ended_at = NOW
    backup.put_back()
    with storage.reading() as session:
        row = session.get_one(SignIn, "one")
    sign_ins._check_open(row, NOW + HOUR / 2)
    with pytest.raises(NotSignedIn, match="inactive"):
        sign_ins._check_open(row, NOW + 2 * HOUR)
