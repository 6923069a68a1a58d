"""Order Items and Transactions, filtered in the grid: rows, count, words, totals, address, file."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.conftest import ZONE, OpenDesk
from tests.e2e.desk import ITEMS, TRANSACTIONS, Desk, Shown
from tests.e2e.servers import Server
from tests.e2e.waiting import expect

AMOUNTS = {"order_items": "price_minor", "transactions": "amount_minor"}
HEADERS = {"order_items": "Price", "transactions": "Amount"}
NEWEST = "ORDER BY created_at DESC, order_item_id DESC"
DECIMALS = {"JPY": 0, "ISK": 0, "KWD": 3}


@pytest.fixture(scope="module")
def opened() -> dict[str, Desk]:
    """Keep a tab with each table from test to test."""
    return {}


@pytest.fixture
def items(opened: dict[str, Desk], keep_tab: OpenDesk) -> Iterator[Desk]:
    """Open Order Items, and leave it without filters."""
    yield from _kept(opened, keep_tab, ITEMS)


@pytest.fixture
def transactions(opened: dict[str, Desk], keep_tab: OpenDesk) -> Iterator[Desk]:
    """Open Transactions, and leave it without filters."""
    yield from _kept(opened, keep_tab, TRANSACTIONS)


def _kept(opened: dict[str, Desk], keep_tab: OpenDesk, table: Shown) -> Iterator[Desk]:
    desk = opened.pop(table.title, None) or keep_tab().open(table=table)
    yield desk
    desk.page.keyboard.press("Escape")
    desk.page.get_by_role("button", name="Clear all").click()
    desk.expect_words()
    opened[table.title] = desk  # a test that failed leaves its tab behind


def money_in_words(minor: int, currency: str) -> str:
    decimals = DECIMALS.get(currency, 2)
    return f"{minor / 10**decimals:,.{decimals}f} {currency}"


def is_amount(column: str, major: int) -> str:
    """Return the SQL for an amount in major units, of whatever currency."""
    minor = "CASE WHEN currency IN ('JPY', 'ISK') THEN 1 WHEN currency = 'KWD' THEN 1000 ELSE 100"
    return f"{column} = {major} * ({minor} END)"


def expect_agreement(desk: Desk, demo: Server, where: str, *words: str, folder: Path) -> list[str]:
    """Check that all that the page shows, and its file, are the rows of a condition."""
    table = desk.table.path.strip("/")
    ids = demo.newest(table, where)
    assert ids, "a filter that finds nothing proves nothing"
    desk.expect_words(*words)
    desk.expect_count(len(ids), len(demo.newest(table)))
    desk.expect_column(desk.table.key, ids)
    sums = _sums(demo, table, where)
    expect(desk.below.locator("p").last).to_have_text(f"{HEADERS[table]}: {' · '.join(sums)}")
    file = desk.download(folder)
    assert file.column(desk.table.key.replace("_", " ").title().replace("Id", "ID")) == ids
    assert [text for _, text in file.about][1 : len(words) + 1] == list(words)
    assert [text for _, text in file.about if text.split()[-1:] and text in sums] == sums
    assert file.says("Rows") == f"{len(ids):,} of {len(demo.newest(table)):,} {desk.table.many}"
    return ids


def _sums(demo: Server, table: str, where: str) -> list[str]:
    amount = AMOUNTS[table]
    grouped = f"FROM {table} WHERE {where} GROUP BY currency ORDER BY currency"
    currencies = demo.query(f"SELECT currency {grouped}")
    sums = demo.query(f"SELECT sum({amount}) {grouped}")
    return [money_in_words(one, code) for one, code in zip(sums, currencies, strict=True)]


def test_text_of_every_script_is_found_whatever_its_case(
    items: Desk, demo: Server, tmp_path: Path
) -> None:
    items.box("Passenger").fill("ШЕВЧЕНКО")
    where = "passenger_name LIKE '%Шевченко%'"
    expect_agreement(items, demo, where, "Passenger contains “ШЕВЧЕНКО”", folder=tmp_path)
    contains = {"filterType": "text", "type": "contains", "filter": "ШЕВЧЕНКО"}
    items.expect_view(filters={"passenger_name": contains})


def test_price_is_typed_in_major_units_also_of_yen(
    items: Desk, demo: Server, tmp_path: Path
) -> None:
    yen = demo.query("SELECT price_minor FROM order_items WHERE currency = 'JPY' ORDER BY no")[0]
    items.box("Price").fill(f"{yen}")
    where = is_amount("price_minor", yen)
    expect_agreement(items, demo, where, f"Price = {yen}", folder=tmp_path)
    shown = items.grid.locator('.ag-row [col-id="price_minor"]').all_inner_texts()
    assert f"{yen:,}" in shown
    assert set(shown) <= {f"{yen:,}", f"{yen:,}.00", f"{yen:,}.000"}
    items.expect_view(
        filters={"price_minor": {"filterType": "number", "type": "equals", "filter": yen}}
    )


def test_amount_below_zero_with_decimals_is_found(
    transactions: Desk, demo: Server, tmp_path: Path
) -> None:
    of_euros = "currency = 'EUR' AND type = 'payment' AND amount_minor % 100 = -50"
    minor = demo.query(f"SELECT amount_minor FROM transactions WHERE {of_euros}")[0]
    transactions.box("Amount").fill(f"{minor / 100:.2f}")
    hundredths = f"currency NOT IN ('JPY', 'ISK', 'KWD') AND amount_minor = {minor}"
    where = f"({hundredths}) OR (currency = 'KWD' AND amount_minor = {minor * 10})"
    words = f"Amount = {minor / 100}"
    expect_agreement(transactions, demo, where, words, folder=tmp_path)


@pytest.mark.parametrize("preset", ["This month", "Today"])
def test_date_preset_takes_the_days_of_the_browsers_zone(
    transactions: Desk, demo: Server, tmp_path: Path, preset: str
) -> None:
    today = datetime.now(ZoneInfo(ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)
    month = today.replace(day=1), (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    first, end = month if preset == "This month" else (today, today + timedelta(days=1))
    begins, ends = demo.sql_of(first.timestamp()), demo.sql_of(end.timestamp())
    where = f"created_at >= {begins} AND created_at < {ends}"
    transactions.button_of("Created Date").click()
    transactions.choose_operator(preset)
    expect(transactions.grid.locator(".ag-filter-menu input[type=date]").first).to_be_hidden()
    transactions.page.keyboard.press("Escape")
    words = f"Created Date {preset.lower()}"
    if demo.newest("transactions", where):
        expect_agreement(transactions, demo, where, words, folder=tmp_path)
    else:
        transactions.expect_words(words)
        transactions.expect_count(0, len(demo.newest("transactions")))


def test_service_date_is_the_day_at_the_airport(items: Desk, demo: Server, tmp_path: Path) -> None:
    rows = zip(
        demo.newest("order_items"),
        demo.instants(f"SELECT service_at FROM order_items {NEWEST}"),
        demo.query(f"SELECT airport_tz FROM order_items {NEWEST}"),
        strict=True,
    )
    instants = {key: (at, zone) for key, at, zone in rows}
    there = {key: at.astimezone(ZoneInfo(zone)) for key, (at, zone) in instants.items()}
    # A day on which somewhere far away it was another one in London.
    one = next(k for k, at in there.items() if at.date() != instants[k][0].date())
    day = there[one].date()
    ids = [key for key, at in there.items() if at.date() == day]
    items.box("Service Date").fill(f"{day}")
    quoted = ", ".join(f"'{key}'" for key in ids)
    where = f"order_item_id IN ({quoted})"
    expect_agreement(items, demo, where, f"Service Date on {day}", folder=tmp_path)
    shown = items.cell(ids.index(one), "service_at") if ids.index(one) < 10 else None
    if shown:
        expect(shown).to_have_text(f"{there[one]:%Y-%m-%d %H:%M}")


def test_expired_is_a_status_of_its_own(items: Desk, demo: Server, tmp_path: Path) -> None:
    where = f"status = 'not_used' AND valid_until < {demo.sql_of(time.time())}"
    rows = items.open_list("Status")
    expect(rows.locator(".deskSetValue")).to_have_text(["Expired", "Not used", "Refunded", "Used"])
    expect(rows.first).to_have_text(f"Expired{len(demo.newest('order_items', where)):,}")
    items.tick("Expired")
    expect_agreement(items, demo, where, "Status is Expired", folder=tmp_path)
    expect(items.cell(0, "status")).to_have_text("Expired")
    items.expect_view(filters={"status": {"filterType": "set", "values": ["expired"]}})


def test_refundable_now_is_a_list_of_yes_and_no(items: Desk, demo: Server, tmp_path: Path) -> None:
    rows = items.open_list("Refundable Now")
    expect(rows.locator(".deskSetValue")).to_have_text(["No", "Yes"])
    items.tick("No")
    now = demo.sql_of(time.time())
    ends = f"refund_expire_at IS NOT NULL AND refund_expire_at >= {now} AND valid_until >= {now}"
    where = f"NOT (status = 'not_used' AND is_refundable AND {ends})"
    expect_agreement(items, demo, where, "Refundable Now is No", folder=tmp_path)
    expect(items.box("Refundable Now")).to_have_js_property("readOnly", True)


def test_type_of_transaction_and_a_blank_order_are_lists_and_texts(
    transactions: Desk, demo: Server, tmp_path: Path
) -> None:
    transactions.open_list("Type")
    transactions.tick("Top-up")
    where = "type = 'top_up'"
    expect_agreement(transactions, demo, where, "Type is Top-up", folder=tmp_path)
    transactions.page.keyboard.press("Escape")
    transactions.button_of("Order ID").click()
    transactions.choose_operator("Blank")
    words = ("Type is Top-up", "Order ID is blank")
    where += " AND order_id IS NULL"
    expect_agreement(transactions, demo, where, *words, folder=tmp_path)
