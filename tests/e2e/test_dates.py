"""Dates in the box and in the funnel: relative ones, days as the cells show them, wrong ones."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.desk import ITEMS, Desk
from tests.e2e.servers import Server
from tests.e2e.waiting import expect


def created_since(server: Server, days: int) -> int:
    """Count the orders of the last days, today included; the desk's zone is London, in winter."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    made = server.instants("SELECT created_at FROM orders")
    first, last = today - timedelta(days=days - 1), today + timedelta(days=1)
    return sum(first <= at < last for at in made)


def test_box_takes_a_number_of_days_and_the_address_keeps_it(desk: Desk, demo: Server) -> None:
    box = desk.box("Created Date")
    box.fill("last 45 days")
    desk.expect_words("Created Date in the last 45 days")
    desk.expect_view(
        filters={"created_at": {"filterType": "date", "type": "lastDays", "filter": 45}}
    )
    box.press("Escape")
    desk.page.reload(wait_until="commit")
    desk.wait_for_rows()
    expect(box).to_have_value("Last 45 days")
    desk.expect_words("Created Date in the last 45 days")


def test_keyboard_chooses_a_relative_date_from_the_list_of_the_box(desk: Desk) -> None:
    box = desk.box("Created Date")
    box.focus()
    box.press("ArrowDown")
    expect(box).to_have_attribute("aria-expanded", "true")
    options = desk.grid.get_by_role("listbox", name="Dates for Created Date").get_by_role("option")
    expect(options.filter(has_text="Next")).to_have_count(0)
    active = box.get_attribute("aria-activedescendant")
    expect(desk.grid.locator(f"#{active}")).to_have_text("Today")
    box.press("ArrowDown")
    box.press("Enter")
    desk.expect_words("Created Date yesterday")
    expect(box).to_have_value("Yesterday")
    expect(box).to_be_focused()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("2026-02-30", "“2026-02-30” is not a day of the calendar."),
        ("2026-13", "“2026-13” is not a month of the calendar."),
        ("not on 2026-11", "“2026-11” is not a day. Type a day such as 2026-11-29"),
        ("1812", "A day must be from 1900-01-01 to 2199-12-31."),
        ("1812-06-24", "A day must be from 1900-01-01 to 2199-12-31."),
        ("last 0 days", "The number of days must be a whole number from 1 to 9,999."),
        ("2026-11-02 – 2026-11-01", "The range ends before it begins."),
        ("next 5 days", "This date is never in the future."),
        ("soonish", "“soonish” is not a date. Type a day such as 2026-11-29"),
    ],
)
def test_wrong_date_says_what_is_wrong_and_keeps_the_last_filter(
    desk: Desk, typed: str, said: str
) -> None:
    box = desk.box("Created Date")
    box.fill("this year")
    desk.expect_words("Created Date this year")
    box.fill(typed)
    box.press("Enter")
    expect(desk.grid.locator(".deskListNote")).to_contain_text(said)
    expect(box).to_have_attribute("aria-invalid", "true")
    desk.expect_words("Created Date this year")
    box.fill("")
    desk.expect_words()
    expect(box).not_to_have_attribute("aria-invalid", "true")


def test_box_takes_every_text_that_it_shows(desk: Desk) -> None:
    box = desk.box("Created Date")
    for typed, shown, words in (
        ("2026-11-29", "2026-11-29", "on 2026-11-29"),
        ("before 2026-11-29", "Before 2026-11-29", "before 2026-11-29"),
        (
            "2026-11-01 to 2026-11-29",
            "2026-11-01 – 2026-11-29",
            "between 2026-11-01 and 2026-11-29",
        ),
        ("2024-02", "2024-02", "between 2024-02-01 and 2024-02-29"),
        ("in 2026", "2026", "between 2026-01-01 and 2026-12-31"),
        ("2025-11 to 2026", "2025-11-01 – 2026-12-31", "between 2025-11-01 and 2026-12-31"),
        ("before 2026-11", "Before 2026-11-01", "before 2026-11-01"),
        ("after 2026-11", "After 2026-11-30", "after 2026-11-30"),
        ("on or before 2026", "On or before 2026-12-31", "on or before 2026-12-31"),
        ("not blank", "Not blank", "is not blank"),
    ):
        box.fill(typed)
        desk.expect_words(f"Created Date {words}")
        box.press("Enter")
        box.press("Tab")
        desk.box("Total").click()
        expect(box).to_have_value(re.compile(f"^{re.escape(shown)}$", re.IGNORECASE))
    box.fill("")
    desk.expect_words()


def test_funnel_asks_for_a_number_of_next_days_where_times_can_be_ahead(
    desk: Desk, demo: Server
) -> None:
    desk.go_to(table=ITEMS)
    desk.button_of("Service Date").click()
    desk.choose_operator("Next … days")
    questions = desk.grid.get_by_role("combobox", name="Filtering operator")
    expect(questions).to_have_count(1)  # the second one comes when the first is complete
    count = desk.grid.get_by_role("textbox", name="Number of days")
    expect(count).to_be_focused()
    count.fill("0")
    expect(desk.grid.get_by_role("alert").filter(has_text="whole number")).to_be_visible()
    desk.expect_words()
    count.fill("12")
    desk.expect_words("Service Date in the next 12 days")
    expect(questions).to_have_count(2)
    desk.choose_operator("Before")  # without a day yet
    expect(questions).to_have_count(1)
    desk.expect_words("Service Date in the next 12 days")
    desk.page.keyboard.press("Escape")
    expect(desk.box("Service Date")).to_have_value("Next 12 days")
    desk.button_of("Created Date").click()
    desk.grid.get_by_role("combobox", name="Filtering operator").first.click()
    expect(desk.grid.get_by_role("option", name="Last … days")).to_be_visible()
    expect(desk.grid.get_by_role("option", name="Next … days")).to_have_count(0)


def test_funnel_takes_a_month_for_its_days(desk: Desk, demo: Server) -> None:
    desk.button_of("Created Date").click()
    day = desk.grid.get_by_role("textbox", name="Day", exact=True)
    day.fill("2026-11")
    desk.expect_words("Created Date between 2026-11-01 and 2026-11-30")
    made = demo.instants("SELECT created_at FROM orders")
    desk.expect_count(sum((one.year, one.month) == (2026, 11) for one in made))
    days = {"dateFrom": "2026-11-01 00:00:00", "dateTo": "2026-11-30 00:00:00"}
    desk.expect_view(filters={"created_at": {"filterType": "date", "type": "inRange"} | days})
    desk.choose_operator("Not on")
    alert = desk.grid.get_by_role("alert").filter(has_text="“2026-11” is not a day.")
    expect(alert).to_be_visible()
    desk.expect_words("Created Date between 2026-11-01 and 2026-11-30")


def test_wrong_day_of_a_range_is_told_before_the_range_is_complete(desk: Desk) -> None:
    desk.box("Created Date").fill("this year")
    desk.expect_words("Created Date this year")
    desk.button_of("Created Date").click()
    desk.choose_operator("Between")
    desk.grid.get_by_role("textbox", name="From", exact=True).fill("2026-11-31")
    said = desk.grid.get_by_role("alert").filter(has_text="is not a day of the calendar")
    expect(said).to_be_visible()
    desk.expect_words("Created Date this year")
    desk.grid.get_by_role("textbox", name="From", exact=True).fill("2026-11-01")
    desk.grid.get_by_role("textbox", name="To", exact=True).fill("2026-11-30")
    desk.expect_words("Created Date between 2026-11-01 and 2026-11-30")
    expect(said).to_have_count(0)


def test_two_conditions_of_the_funnel_are_joined_by_or(desk: Desk, demo: Server) -> None:
    desk.button_of("Created Date").click()
    desk.choose_operator("Today")
    desk.expect_words("Created Date today")
    desk.grid.get_by_role("radio", name="OR").check()
    desk.grid.get_by_role("combobox", name="Filtering operator").nth(1).click()
    desk.grid.get_by_role("option", name="Yesterday").click()
    desk.expect_words("Created Date today or yesterday")
    desk.expect_count(created_since(demo, 2))
    desk.grid.get_by_role("button", name="Clear").click()
    desk.expect_words()
