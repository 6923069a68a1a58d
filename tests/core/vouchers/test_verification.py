"""A voucher is not valid before its first day at the airport, to the second."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from core import storage, vouchers
from core.__main__ import main
from core.access import Actor
from core.ground import Refused, start_of_day
from core.storage import OrderItem, VerificationAttempt
from core.vouchers import Verdict, signed_code, verification
from tests.conftest import NOW
from tests.core.refunds.refund_rows import settings
from tests.rows import make_item, make_order

FIRST, LAST = NOW + timedelta(days=28), NOW + timedelta(days=30)
A_SECOND = timedelta(seconds=1)
PLACES = {
    "Europe/London": date(2027, 3, 28),  # clocks go forward
    "America/New_York": date(2026, 11, 1),  # clocks go back
    "America/Santiago": date(2026, 9, 6),  # at midnight: the day begins at 01:00
    "Australia/Lord_Howe": date(2026, 10, 4),  # by half an hour
    "Pacific/Kiritimati": date(2026, 12, 21),  # UTC+14
    "Pacific/Pago_Pago": date(2026, 12, 21),  # UTC-11
}


@pytest.fixture(autouse=True)
def nobody_has_tried() -> None:
    """Reset the count of verifications per minute."""
    verification._attempts.clear()


def codes_of(**given: object) -> list[str]:
    """Store an item with these values; return its signed code and its printed code."""
    make_order("OD-1")
    item_id = make_item("OD-1", **({"valid_from": FIRST, "valid_until": LAST} | given))
    with storage.reading() as session:
        item = session.get_one(OrderItem, item_id)
        signed = signed_code.sign(
            serial=item.voucher_serial,
            valid_from=item.valid_from,
            valid_until=item.valid_until,
            pax_type=item.pax_type,
        )
        return [signed, item.voucher_code]


def verdicts(codes: list[str], actor: Actor, now: datetime) -> set[Verdict]:
    return {verification.verify(code, actor=actor, now=now).verdict for code in codes}


def test_a_voucher_four_weeks_early_is_not_valid_yet(database: str, admin: Actor) -> None:
    for code in codes_of():
        found = verification.verify(code, actor=admin, now=NOW)
        assert found.verdict is Verdict.EARLY
        assert found.sentence == "It is valid from 2026-12-21 09:30 (Europe/London)."
        assert found.item is not None
        assert (found.item.valid_from, found.item.valid_until) == (FIRST, LAST)


def test_a_start_within_a_minute_is_shown_to_the_second(database: str, admin: Actor) -> None:
    code, _ = codes_of(valid_from=FIRST + 30 * A_SECOND)
    found = verification.verify(code, actor=admin, now=FIRST + 10 * A_SECOND)
    assert found.sentence == "It is valid from 2026-12-21 09:30:30 (Europe/London)."


@pytest.mark.parametrize("zone", PLACES)
def test_a_voucher_is_valid_from_the_first_second_of_the_day_at_the_airport(
    database: str, admin: Actor, zone: str
) -> None:
    first = start_of_day(PLACES[zone], ZoneInfo(zone))
    last = start_of_day(PLACES[zone] + timedelta(days=1), ZoneInfo(zone)) - A_SECOND
    codes = codes_of(airport_tz=zone, valid_from=first, valid_until=last)
    early = verification.verify(codes[1], actor=admin, now=first - A_SECOND)
    hour = "01:00" if zone == "America/Santiago" else "00:00"
    assert f"It is valid from {PLACES[zone]} {hour} ({zone}" in early.sentence
    assert verdicts(codes, admin, first - A_SECOND) == {Verdict.EARLY}
    assert verdicts(codes, admin, first - timedelta(microseconds=1)) == {Verdict.EARLY}
    assert verdicts(codes, admin, first) == {Verdict.VALID}
    assert verdicts(codes, admin, last) == {Verdict.VALID}
    assert verdicts(codes, admin, last + A_SECOND) == {Verdict.EXPIRED}


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({"status": "used", "used_at": NOW}, Verdict.USED),
        ({"status": "refunded", "refunded_at": NOW}, Verdict.REFUNDED),
        ({"status": "refund_requested"}, Verdict.IN_PROGRESS),
        ({"valid_until": NOW - A_SECOND}, Verdict.EXPIRED),
    ],
)
def test_the_status_of_a_voucher_comes_before_not_valid_yet(
    database: str, admin: Actor, given: dict[str, object], verdict: Verdict
) -> None:
    assert verdicts(codes_of(**given), admin, NOW) == {verdict}


@contextmanager
def on_a_full_disk() -> Iterator[None]:
    """Let PostgreSQL refuse to write attempts, as it does when its disk is full."""
    fail = "RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100';"
    with storage.writing() as session:
        for statement in (
            f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {fail} END $$",
            "CREATE TRIGGER fail BEFORE INSERT ON verification_attempts EXECUTE FUNCTION fail()",
        ):
            session.execute(text(statement))
    try:
        yield
    finally:
        with storage.writing() as session:
            session.execute(text("DROP FUNCTION fail() CASCADE"))


@pytest.mark.on_postgresql
def test_a_database_that_takes_no_writes_still_says_what_a_voucher_is(
    database: str, admin: Actor
) -> None:
    codes = codes_of()
    with on_a_full_disk(), settings(verifications_per_minute=2):
        assert verdicts(codes, admin, NOW) == {Verdict.EARLY}
        with pytest.raises(Refused, match="at most 2 codes"):
            verification.verify("one more", actor=admin, now=NOW)
    with storage.reading() as session:
        assert session.scalars(select(VerificationAttempt)).all() == []


def test_an_early_voucher_can_be_downloaded(database: str, admin: Actor) -> None:
    codes_of(order_item_id="SOON")
    file = BytesIO()
    name = vouchers.issue(["SOON"], file, file_format="pdf", actor=admin, now=NOW)
    assert name == "voucher-SOON.pdf"


Said = tuple[int, str, str]


@pytest.fixture
def offline(
    sqlite_database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[[datetime, datetime], Said]:
    """Verify a code with the public key alone; return exit code, output and error text."""
    assert main(["public-key"]) == 0
    keys = tmp_path / "keys.pem"
    keys.write_text(capsys.readouterr().out)

    def offline(first: datetime, last: datetime) -> Said:
        code = signed_code.sign(
            serial=bytes(8), valid_from=first, valid_until=last, pax_type="child"
        )
        status = main(["verify", code, "--public-key", str(keys)])
        return status, *capsys.readouterr()

    return offline


def test_offline_verification_refuses_a_code_before_and_after_its_days(
    offline: Callable[[datetime, datetime], Said],
) -> None:
    now, day = datetime.now(UTC), timedelta(days=1)
    status, said, complaint = offline(now - day, now + day)
    assert (status, complaint) == (0, "")
    assert said.startswith(f"Genuine: valid from {now - day:%Y-%m-%d %H:%M} UTC to ")
    status, said, complaint = offline(now + day, now + 2 * day)
    assert (status, said) == (1, "")
    assert complaint.startswith(
        f"Not valid yet. Genuine: valid from {now + day:%Y-%m-%d %H:%M} UTC to "
    )
    status, said, complaint = offline(now - 2 * day, now - day)
    assert (status, said) == (1, "")
    assert complaint.startswith("Expired. Genuine: valid from ")


def test_the_command_line_says_what_the_page_says(
    sqlite_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tomorrow = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    _, printed = codes_of(valid_from=tomorrow, valid_until=tomorrow)
    assert main(["verify", printed]) == 1
    assert capsys.readouterr().err.startswith("Not valid yet: It is valid from ")
