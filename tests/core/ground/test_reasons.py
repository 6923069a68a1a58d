"""The setting of the reasons of refunds: what people choose from, and the words of old codes."""

from collections.abc import Iterator

import pytest

from core.ground import get_settings
from core.ground.reasons import DEFAULT_REASONS, parse_reasons
from core.tables import REFUNDS
from core.views import as_choice, parse_view


@pytest.fixture
def reasons(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setenv(
        "REFUND_REASONS", "weather=Bad weather, no flights\n-strike = Strike; other=?"
    )
    get_settings.cache_clear()
    yield monkeypatch
    get_settings.cache_clear()


@pytest.mark.usefixtures("reasons")
def test_people_choose_from_the_setting_and_old_codes_keep_their_words() -> None:
    found = get_settings().reasons
    assert found.offered == {"weather": "Bad weather, no flights", "other": "?"}
    assert found.known["strike"] == "Strike"
    assert found.known["goodwill"] == "Goodwill"  # offered before, and stored in old refunds
    assert (found.known["imported"], found.known["matched"]) == ("Imported", "Matched")


@pytest.mark.usefixtures("reasons")
def test_a_table_shows_the_words_and_a_code_that_nobody_knows_reads_as_one() -> None:
    reason = REFUNDS.column("reason")
    assert reason is not None
    codes = ("weather", "strike", "booked_twice", "no_longer_known")
    assert [as_choice(reason, code) for code in codes] == [
        *("Bad weather, no flights", "Strike", "Booked twice", "No longer known"),
    ]
    chosen = {"filterType": "set", "values": ["weather", "strike"]}
    view = parse_view(REFUNDS, {"filters": {"reason": chosen}})
    assert view.in_words() == ["Reason is Strike or Bad weather, no flights"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "needs 1 to 50 reasons"),
        ("-weather=Bad weather", "needs 1 to 50 reasons"),
        ("weather", "not a code, = and words"),
        ("Weather=Bad weather", "not a code, = and words"),
        ("a b=Bad weather", "not a code, = and words"),
        ("weather=", "needs 1 to 60 printable characters"),
        ("weather=" + "x" * 61, "needs 1 to 60 printable characters"),
        ("weather=\u202ebad", "needs 1 to 60 printable characters"),
        ("weather=Rain; weather=Snow", "twice"),
        ("rain=Bad weather; snow=Bad weather", "twice"),
        ("imported=From a file", "which Order Desk uses"),
    ],
)
def test_an_invalid_list_of_reasons_is_refused_with_the_problem(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_reasons(text)


def test_an_invalid_list_stops_the_start_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUND_REASONS", "weather")
    get_settings.cache_clear()
    with pytest.raises(SystemExit, match="REFUND_REASONS: has “weather”"):
        get_settings()
    get_settings.cache_clear()


def test_the_default_offers_what_order_desk_came_with() -> None:
    assert list(parse_reasons(DEFAULT_REASONS).offered.values()) == [
        *("Passenger cancelled", "Flight cancelled", "Booked twice", "Service not delivered"),
        *("Goodwill", "Other (see note)"),
    ]
