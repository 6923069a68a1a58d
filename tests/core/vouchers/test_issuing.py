"""Vouchers: which are available, the copies handed out, and the verification of codes."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdf
import pytest
from sqlalchemy import select

from core import refunds, storage
from core.__main__ import main
from core.access import Actor
from core.ground import InvalidInput, NotPermitted, Refused, Role, get_settings
from core.storage import AuditEvent, OrderItem
from core.vouchers import Verdict, issuing, signed_code, verification
from tests.conftest import NOW
from tests.core.refunds.refund_races import at_once
from tests.rows import make_actor, make_item, make_order, make_transaction

LATER = NOW + timedelta(days=30)
BEFORE = NOW - timedelta(days=3)
GIVEN: dict[str, Any] = {"valid_from": BEFORE, "valid_until": LATER, "refund_expire_at": LATER}
FATES: dict[str, dict[str, Any]] = {
    "OK-1": {},
    "OK-2": {"passenger_name": "=1+1 Ömer"},
    "USED": {"status": "used", "used_at": BEFORE},
    "BACK": {"status": "refunded", "refunded_at": BEFORE},
    "ASKED": {"status": "refund_requested"},
    "OVER": {"valid_until": BEFORE},
}


@pytest.fixture(autouse=True)
def nobody_has_tried() -> None:
    """Reset the count of verifications per minute."""
    verification._attempts.clear()


@pytest.fixture
def shop(database: str) -> None:
    """Store an order with an item of every status, and an item of another contract."""
    make_order("OD-1", item_count=len(FATES))
    make_transaction(order_id="OD-1", amount_minor=-3800 * len(FATES))
    for item_id, fate in FATES.items():
        make_item("OD-1", order_item_id=item_id, **(GIVEN | fate))
    make_order("OD-2", contract_id="CT-2")
    make_item("OD-2", order_item_id="OTHER", contract_id="CT-2", **GIVEN)


def issue(
    *item_ids: str, actor: Actor, file_format: issuing.FileFormat = "pdf"
) -> tuple[str, bytes]:
    file = io.BytesIO()
    name = issuing.issue(item_ids, file, file_format=file_format, actor=actor, now=NOW)
    return name, file.getvalue()


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def downloads() -> list[tuple[str, str]]:
    with storage.reading() as session:
        events = select(AuditEvent.entity_id, AuditEvent.actor)
        rows = session.execute(events.where(AuditEvent.action == "voucher.downloaded"))
        return sorted((item_id, who) for item_id, who in rows)


def stored(item_id: str) -> OrderItem:
    with storage.reading() as session:
        item = session.get_one(OrderItem, item_id)
        session.expunge(item)
        return item


def signed(item: OrderItem) -> str:
    return signed_code.sign(
        serial=item.voucher_serial,
        valid_from=item.valid_from,
        valid_until=item.valid_until,
        pax_type=item.pax_type,
    )


def test_each_status_has_its_reason(shop: None, admin: Actor) -> None:
    lines = issuing.assess([*FATES, "GONE"], actor=admin, now=NOW)
    whys = {line.order_item_id: line.why for line in lines}
    assert whys["OK-1"] is whys["OK-2"] is None
    assert whys["USED"] == "It has been used."
    assert whys["BACK"] == "It was refunded on 2026-11-20 09:30 (Europe/London)."
    assert whys["ASKED"] == "A refund is in progress."
    assert whys["OVER"] == "It expired on 2026-11-20 09:30 (Europe/London)."
    assert whys["GONE"] == "Order item “GONE” was not found, or you have no access to it."


def test_a_voucher_is_valid_to_the_last_second_of_its_day(shop: None, admin: Actor) -> None:
    def why(now: object) -> str | None:
        return issuing.assess(["OK-1"], actor=admin, now=now)[0].why  # type: ignore[arg-type]

    assert why(LATER) is None
    assert why(LATER + timedelta(seconds=1)) is not None


def test_characters_without_a_font_are_known_of_each_text_on_the_voucher(
    shop: None, admin: Actor
) -> None:
    until = NOW + timedelta(days=1)
    odd = {"passenger_name": "Ann 🛋", "product": "ᚠ ᚠ", "terminal": "𓀀", "flight_number": "ᛒ"}
    make_item("OD-1", order_item_id="ODD", valid_until=until, **odd)
    make_item("OD-1", order_item_id="ODD ᛟ", valid_until=until, terminal="ნ", product="𠮷")
    make_item("OD-1", order_item_id="SPENT", status="used", passenger_name="🛋")
    make_item("OD-1", order_item_id="CODE", valid_until=until, voucher_code="𒀀-1")
    ids = ["ODD", "ODD ᛟ", "CODE", "SPENT", "OK-1"]
    lines = issuing.assess(ids, actor=admin, now=NOW)
    assert [one.unprintable for one in lines] == ["🛋ᚠ𓀀ᛒ", "ᛟ", "𒀀", "", ""]
    assert lines[0].why is None


def test_one_voucher_is_one_pdf(shop: None, admin: Actor) -> None:
    name, pdf = issue("OK-1", actor=admin)
    assert name == "voucher-OK-1.pdf"
    text = text_of(pdf)
    for words in ("Zoë Müller", "Aspire Lounge", stored("OK-1").voucher_code, "1 of 6", "OD-1"):
        assert words in text
    assert downloads() == [("OK-1", admin.email)]


def test_valid_vouchers_are_merged_and_each_copy_is_audited(shop: None, admin: Actor) -> None:
    name, pdf = issue(*FATES, "GONE", actor=admin)
    assert name == "vouchers-OD-1.pdf"
    assert len(pypdf.PdfReader(io.BytesIO(pdf)).pages) == 2
    assert [item_id for item_id, _ in downloads()] == ["OK-1", "OK-2"]
    copies = issuing.find_copies(list(FATES), actor=admin)
    assert [(one.order_item_id, one.how, one.at) for one in copies] == [
        ("OK-1", f"downloaded by {admin.email}", NOW),
        ("OK-2", f"downloaded by {admin.email}", NOW),
    ]


def test_single_pdfs_come_as_a_zip(shop: None, admin: Actor) -> None:
    name, archive = issue("OK-1", "OTHER", actor=admin, file_format="zip")
    assert name == "vouchers.zip"
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.namelist() == ["voucher-OK-1.pdf", "voucher-OTHER.pdf"]
        assert opened.read("voucher-OK-1.pdf") == issue("OK-1", actor=admin)[1]


def test_without_a_valid_voucher_nothing_is_written_and_the_error_gives_every_reason(
    shop: None, admin: Actor
) -> None:
    with pytest.raises(Refused) as refusal:
        issue("USED", "BACK", "ASKED", "OVER", actor=admin)
    for words in ("used", "refunded on", "in progress", "expired on"):
        assert words in str(refusal.value)
    assert downloads() == []


def test_no_copy_is_written_after_a_refund_is_requested(shop: None, admin: Actor) -> None:
    issue("OK-1", actor=admin)
    code = signed(stored("OK-1"))
    assert verification.verify(code, actor=admin, now=NOW).verdict is Verdict.VALID
    refunds.request(["OK-1"], reason="goodwill", key="k", actor=admin, now=NOW, gateways={})
    with pytest.raises(Refused, match="A refund is in progress"):
        issue("OK-1", actor=admin)
    assert verification.verify(code, actor=admin, now=NOW).verdict is Verdict.IN_PROGRESS


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ACCOUNTANT])
def test_roles_without_the_right_to_vouchers_are_refused(
    shop: None, admin: Actor, role: Role
) -> None:
    with pytest.raises(NotPermitted):
        issue("OK-1", actor=replace(admin, role=role))


def test_items_of_other_contracts_are_not_found(shop: None, admin: Actor) -> None:
    scoped = make_actor(Role.ADMIN, contracts=frozenset({"CT-1"}))
    with pytest.raises(
        Refused, match="Order item “OTHER” was not found, or you have no access to it"
    ):
        issue("OTHER", actor=scoped)
    other = stored("OTHER")
    for text in (signed(other), other.voucher_code):
        found = verification.verify(text, actor=scoped, now=NOW)
        assert (found.verdict, found.item) == (Verdict.UNKNOWN, None)
    issue("OTHER", actor=admin)
    assert issuing.find_copies(["OTHER"], actor=scoped) == []


@pytest.mark.parametrize("ids", [[], [str(one) for one in range(1_001)]], ids=["none", "too many"])
def test_an_invalid_selection_is_refused(shop: None, admin: Actor, ids: list[str]) -> None:
    with pytest.raises(InvalidInput, match="Select 1 to 1,000"):
        issuing.assess(ids, actor=admin, now=NOW)


VERDICTS = {
    "OK-1": Verdict.VALID,
    "USED": Verdict.USED,
    "BACK": Verdict.REFUNDED,
    "ASKED": Verdict.IN_PROGRESS,
    "OVER": Verdict.EXPIRED,
}


@pytest.mark.parametrize("item_id", VERDICTS)
def test_scanned_and_typed_code_have_the_same_verdict(
    shop: None, admin: Actor, item_id: str
) -> None:
    item = stored(item_id)
    careless = item.voucher_code.replace("-", " ").lower()
    for text in (signed(item), item.voucher_code, careless, f"  {signed(item).lower()}\n"):
        found = verification.verify(text, actor=admin, now=NOW)
        assert found.verdict is VERDICTS[item_id]
        assert found.item is not None
        assert found.item.order_item_id == item_id


def test_an_imported_code_is_found_unchanged(shop: None, admin: Actor) -> None:
    make_item("OD-1", order_item_id="OLD", voucher_code="old/Code 7", **GIVEN)
    assert verification.verify("old/Code 7", actor=admin, now=NOW).verdict is Verdict.VALID
    assert verification.verify("old/code 7", actor=admin, now=NOW).verdict is Verdict.UNKNOWN


def test_unknown_forged_and_damaged_codes_are_told_apart(shop: None, admin: Actor) -> None:
    code = signed(stored("OK-1"))
    other = "A" if code[-20] != "A" else "B"
    asked = {
        "7QXM-22KD-9WTA": Verdict.UNKNOWN,
        "https://example.org": Verdict.UNKNOWN,
        code[:-20] + other + code[-19:]: Verdict.FORGED,
        code[:-30]: Verdict.DAMAGED,
    }
    for text, verdict in asked.items():
        found = verification.verify(text, actor=admin, now=NOW)
        assert (found.verdict, found.item) == (verdict, None)


@pytest.mark.parametrize("text", ["", "  ", "x" * 501])
def test_a_text_that_cannot_be_a_code_is_refused(shop: None, admin: Actor, text: str) -> None:
    with pytest.raises(InvalidInput, match="Scan or type a code"):
        verification.verify(text, actor=admin, now=NOW)


@pytest.fixture
def three_a_minute(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Limit each person to three codes per minute."""
    monkeypatch.setenv("VERIFICATIONS_PER_MINUTE", "3")
    get_settings.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.mark.both_databases
@pytest.mark.usefixtures("three_a_minute")
def test_verifications_per_minute_are_limited(shop: None, admin: Actor) -> None:
    guesser, other = (replace(admin, user_id=name) for name in ("guesser", "other"))
    for guess in range(3):
        verification.verify(f"guess {guess}", actor=guesser, now=NOW)
    with pytest.raises(Refused, match="at most 3 codes"):
        verification.verify("one more", actor=guesser, now=NOW)
    assert verification.verify("x", actor=other, now=NOW).verdict is Verdict.UNKNOWN


@pytest.mark.on_postgresql
@pytest.mark.usefixtures("three_a_minute")
def test_all_processes_count_verifications_together(shop: None, admin: Actor) -> None:
    def guess(number: int) -> bool:
        verification._attempts.clear()  # what another process does not know
        try:
            verification.verify(f"guess {number}", actor=admin, now=NOW)
        except Refused:
            return False
        return True

    assert sum(at_once(8, guess)) == 3
    later = NOW + timedelta(seconds=61)
    assert verification.verify("x", actor=admin, now=later).verdict is Verdict.UNKNOWN


def test_the_command_line_verifies_with_the_public_key_alone(
    shop: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["public-key"]) == 0
    keys = tmp_path / "keys.pem"
    keys.write_text(capsys.readouterr().out)
    code = signed(stored("BACK"))
    assert main(["verify", code, "--public-key", str(keys)]) == 0
    assert capsys.readouterr().out.startswith("Genuine: valid from 2026-11-20 09:30 UTC to ")
    forged = code[:-1] + ("B" if code.endswith("A") else "A")
    assert main(["verify", forged, "--public-key", str(keys)]) == 1
    assert "genuine" not in capsys.readouterr().out
    assert main(["verify", code]) == 1
    assert "Refunded: It was refunded on" in capsys.readouterr().err
    assert main(["verify", stored("OK-1").voucher_code]) == 0
    assert capsys.readouterr().out.startswith("Valid: ")
