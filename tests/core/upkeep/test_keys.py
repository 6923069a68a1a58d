"""Processes that share a database have the same signing secret and accept each other's vouchers."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from core import demo, startup, storage, upkeep, vouchers
from core.__main__ import main
from core.access import Actor, tokens
from core.ground import Refused, get_settings, private_pem, public_pem
from core.storage import AuditEvent, DatabaseFact, OrderItem, VoucherKey
from core.upkeep import UnknownKeys
from core.vouchers import Verdict, signed_code
from tests.conftest import NOW
from tests.core.mail.mailing import GIVEN
from tests.core.storage.old_versions import database_of_version, read
from tests.rows import make_item, make_order

SECRETS = "battery-staple-horse-16", "correct-battery-staple-17"
Become = Callable[..., None]


@pytest.fixture
def become(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Become:
    """Return what makes this process one of another host: with other keys, or with shared ones."""

    def become(host: str, **settings: str) -> None:
        monkeypatch.setenv("DATA_DIR", str(tmp_path / host))
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        for cached in (get_settings, tokens._secret, signed_code._private_key):
            cached.cache_clear()

    return become


def _sign() -> str:
    """Sell an item, and return the code of its voucher."""
    with storage.reading() as session:
        known = session.scalars(select(OrderItem.order_item_id)).all()
    order_id = f"OD-{len(known)}"
    make_order(order_id)
    make_item(order_id, order_item_id=f"IT-{len(known)}", **GIVEN)
    with storage.reading() as session:
        item = session.get_one(OrderItem, f"IT-{len(known)}")
    terms: dict[str, Any] = {"valid_from": item.valid_from, "valid_until": item.valid_until}
    return signed_code.sign(serial=item.voucher_serial, pax_type=item.pax_type, **terms)


@pytest.mark.both_databases
def test_vouchers_of_another_host_are_genuine_once_its_key_is_trusted(
    database: str, admin: Actor, become: Become
) -> None:
    become("one", SIGNING_SECRET=SECRETS[0])
    startup.prepare_to_serve(NOW, may_fill=False)
    of_one = _sign()
    become("two")
    of_two = _sign()
    become("one")
    assert vouchers.verify(of_two, actor=admin, now=NOW).verdict is Verdict.FORGED
    become("two")
    assert upkeep.trust_keys(actor=admin, now=NOW) == (
        f"Vouchers of {vouchers.own_key_id()} are genuine."
    )
    startup.prepare_to_serve(NOW, may_fill=False)
    for host in ("one", "two"):
        become(host)
        for code in (of_one, of_two):
            assert vouchers.verify(code, actor=admin, now=NOW).verdict is Verdict.VALID


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "the signing secret and the voucher key"),
        ({"SIGNING_SECRET": SECRETS[0]}, "does not know the voucher key"),
        ({"SIGNING_SECRET": SECRETS[1]}, "does not know the signing secret"),
    ],
)
def test_a_start_with_unknown_keys_stops_and_names_them(
    database: str, become: Become, settings: dict[str, str], named: str
) -> None:
    key = private_pem(Ed25519PrivateKey.generate())
    own = {"VOUCHER_PRIVATE_KEY": key}
    become("one", SIGNING_SECRET=SECRETS[0], **own)
    startup.prepare_to_serve(NOW, may_fill=False)
    become("one")
    startup.prepare_to_serve(NOW, may_fill=False)  # again
    for name in ("SIGNING_SECRET", "VOUCHER_PRIVATE_KEY"):
        os.environ.pop(name)
    shared = own if settings.get("SIGNING_SECRET") == SECRETS[1] else {}
    become("two", **settings, **shared)
    with pytest.raises(UnknownKeys, match=named):
        startup.prepare_to_serve(NOW, may_fill=False)
    with storage.reading() as session:
        assert len(session.scalars(select(VoucherKey)).all()) == 1


def test_no_secret_and_no_private_key_is_in_the_database(
    sqlite_database: str, become: Become
) -> None:
    become("one", SIGNING_SECRET=SECRETS[0])
    startup.prepare_to_serve(NOW, may_fill=False)
    with storage.reading() as session:
        stored = [row.value for row in session.scalars(select(DatabaseFact))]
        stored += [row.public_key for row in session.scalars(select(VoucherKey))]
    assert not [one for one in stored if SECRETS[0] in one or "PRIVATE" in one]
    assert any("PUBLIC KEY" in one for one in stored)


def test_a_command_trusts_new_keys_and_the_audit_trail_says_so(
    sqlite_database: str, become: Become, capsys: pytest.CaptureFixture[str]
) -> None:
    become("one", SIGNING_SECRET=SECRETS[0])
    startup.prepare_to_serve(NOW, may_fill=False)
    first = vouchers.own_key_id()
    become("two", SIGNING_SECRET=SECRETS[1])
    assert main(["trust-keys", "--only"]) == 0
    second = vouchers.own_key_id()
    said = capsys.readouterr().out
    assert f"Vouchers of {second} are genuine." in said
    assert f"Vouchers of {first} are no longer genuine." in said
    assert "restart every process" in said
    startup.prepare_to_serve(NOW, may_fill=False)
    with storage.reading() as session:
        trusted = AuditEvent.action == "keys.trusted"
        (event,) = session.scalars(select(AuditEvent).where(trusted))
    assert event.sentence == (
        "Local analyst trusted a new signing secret and trusted the voucher key "
        f"{second} and removed the voucher key {first}."
    )
    assert main(["trust-keys"]) == 0
    assert "already" in capsys.readouterr().out
    assert main(["public-key"]) == 0
    assert capsys.readouterr().out.count("BEGIN PUBLIC KEY") == 1
    become("one", SIGNING_SECRET=SECRETS[0])
    with pytest.raises(UnknownKeys):
        startup.prepare_to_serve(NOW, may_fill=False)


def test_keys_of_files_are_named_before_they_are_said_to_be_no_longer_genuine(
    sqlite_database: str, admin: Actor, become: Become
) -> None:
    become("one", SIGNING_SECRET=SECRETS[0])
    startup.prepare_to_serve(NOW, may_fill=False)
    other = public_pem(Ed25519PrivateKey.generate().public_key())
    file = get_settings().data_dir / signed_code.PUBLIC_KEYS / "partner.pem"
    file.write_text(other)
    (key_id,) = signed_code.parse_public_keys(other)
    with pytest.raises(Refused, match=f"other keys: {key_id}"):
        upkeep.trust_keys(only=True, actor=admin, now=NOW)
    assert key_id not in _known()
    upkeep.trust_keys(actor=admin, now=NOW)
    assert key_id in _known()
    file.unlink()
    said = upkeep.trust_keys(only=True, actor=admin, now=NOW)
    assert said == f"Vouchers of {key_id} are no longer genuine."
    assert key_id not in vouchers.accepted_keys()


def _known() -> set[str]:
    with storage.reading() as session:
        return vouchers.shared_key_ids(session)


@pytest.mark.both_databases
def test_a_process_with_other_keys_does_not_upgrade_the_database(
    database_kind: str, request: pytest.FixtureRequest, tmp_path: Path, become: Become
) -> None:
    with database_of_version("0021", database_kind, request, tmp_path):
        become("one", SIGNING_SECRET=SECRETS[0])
        upkeep.check_keys(NOW)
        become("two", SIGNING_SECRET=SECRETS[1])
        with pytest.raises(UnknownKeys):
            startup.prepare_to_serve(NOW, may_fill=False)
        assert read("alembic_version") == [{"version_num": "0021"}]
        become("one", SIGNING_SECRET=SECRETS[0])
        startup.prepare_to_serve(NOW, may_fill=False)
        assert read("alembic_version") != [{"version_num": "0021"}]


def test_a_demo_that_begins_anew_keeps_the_keys(
    sqlite_database: str, admin: Actor, become: Become
) -> None:
    become("one", SIGNING_SECRET=SECRETS[0])
    startup.prepare_to_serve(NOW, may_fill=False)
    demo.fill(3, actor=admin, now=NOW)
    demo.clear(actor=admin, now=NOW)
    become("two")
    with pytest.raises(UnknownKeys):
        startup.prepare_to_serve(NOW, may_fill=False)
