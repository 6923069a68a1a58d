"""The quick search and pasted IDs: what they find, what they say, and how they are left again."""

from pathlib import Path

from playwright.sync_api import Locator

from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import Desk
from tests.e2e.servers import Server
from tests.e2e.waiting import expect

MANY = 10_000


def test_search_finds_while_one_types_and_every_word_counts(desk: Desk, demo: Server) -> None:
    box = desk.page.get_by_role("searchbox", name="Search orders")
    box.press_sequentially("maria", delay=60)
    passenger = "SELECT order_id FROM order_items WHERE passenger_name LIKE '%maria%'"
    maria = f"(author LIKE '%maria%' OR contact_email LIKE '%maria%' OR order_id IN ({passenger}))"
    ids = demo.newest("orders", maria)
    desk.expect_words("Search “maria”")
    desk.expect_count(len(ids))
    desk.expect_column("order_id", ids)
    desk.expect_view(search="maria")
    box.press_sequentially(" ct-1001", delay=60)
    both = demo.newest("orders", f"{maria} AND contract_id = 'CT-1001'")
    desk.expect_words("Search “maria ct-1001”")
    desk.expect_column("order_id", both)
    expect(box).to_have_value("maria ct-1001")
    expect(box).to_be_focused()


def test_search_finds_an_order_by_a_passenger_and_by_a_voucher(desk: Desk, demo: Server) -> None:
    code, order_id = (
        demo.query(f"SELECT {column} FROM order_items WHERE passenger_name LIKE '%Ковальчук%'")[0]
        for column in ("voucher_code", "order_id")
    )
    desk.search(code.lower())
    desk.expect_column("order_id", [order_id])
    desk.search("КОВАЛЬЧУК")
    passenger = "SELECT order_id FROM order_items WHERE passenger_name LIKE '%Ковальчук%'"
    ids = demo.newest("orders", f"order_id IN ({passenger})")
    desk.expect_count(len(ids))
    desk.expect_column("order_id", ids)


def test_chip_back_and_clear_all_empty_the_search(desk: Desk, demo: Server) -> None:
    box = desk.page.get_by_role("searchbox", name="Search orders")
    maria = demo.newest("orders", "author LIKE '%maria%'")
    desk.search("maria")
    desk.expect_view(search="maria")
    desk.search("nora")
    desk.expect_view(search="nora")
    desk.page.go_back()
    desk.expect_words("Search “maria”")
    desk.expect_column("order_id", maria)
    expect(box).to_have_value("maria")
    desk.words.get_by_role("button", name="Search “maria”").click()
    desk.expect_words()
    expect(box).to_have_value("")
    desk.search("maria")
    desk.expect_words("Search “maria”")
    desk.box("Total").fill("6")
    desk.expect_words("Search “maria”", "Total = 6")
    desk.page.get_by_role("button", name="Clear all").click()
    desk.expect_words()
    desk.expect_count(2_000)
    desk.expect_column("order_id", demo.newest("orders"))
    expect(box).to_have_value("")
    expect(desk.box("Total")).to_have_value("")


def test_search_and_filter_agree_in_grid_file_and_link(
    desk: Desk, demo: Server, open_tab: OpenDesk, tmp_path: Path
) -> None:
    desk.search("maria")
    desk.expect_words("Search “maria”")
    desk.box("Total").fill("2")
    ids = demo.newest("orders", "author LIKE '%maria%' AND item_count = 2")
    desk.expect_words("Search “maria”", "Total = 2")
    desk.expect_count(len(ids))
    file = desk.download(tmp_path)
    assert file.column("Order ID") == ids == desk.every("order_id", len(ids))
    assert file.says("Filters") == "Search “maria”"
    rows = desk.open_list("Contract ID")
    counted = "author LIKE '%maria%' AND item_count = 2 GROUP BY contract_id, name ORDER BY 1"
    named = "orders JOIN contracts USING (contract_id)"
    listed = "contract_id || ' · ' || name || count(*)"
    lists = demo.query(f"SELECT {listed} FROM {named} WHERE {counted}")
    expect(rows).to_have_text(lists)
    again = open_tab()
    again.page.goto(desk.page.url, wait_until="commit")
    again.expect_column("order_id", ids)
    again.expect_words("Search “maria”", "Total = 2")
    expect(again.page.get_by_role("searchbox", name="Search orders")).to_have_value("maria")


def paste(desk: Desk, text: str) -> Locator:
    """Copy a text somewhere, paste it into Paste IDs, and ask for its rows."""
    popover = desk.open_popover("Paste IDs")
    desk.page.evaluate("text => navigator.clipboard.writeText(text)", text)
    popover.get_by_role("textbox").click()
    desk.page.keyboard.press("ControlOrMeta+A")
    desk.page.keyboard.press("ControlOrMeta+V")
    popover.get_by_role("button", name="Show these").click()
    return popover


def test_pasted_ids_show_their_rows_and_the_missing_are_named(
    desk: Desk, demo: Server, tmp_path: Path
) -> None:
    ids = [demo.newest("orders")[index] for index in (5, 700, 1_400)]
    popover = paste(desk, f'Order ID\r\n"{ids[2]}"\r\n{ids[0]}\r\nOD-NOWHERE\r\n\r\n{ids[1]}\r\n')
    expect(popover).to_be_hidden()
    desk.expect_words("4 pasted IDs")
    desk.expect_count(3)
    desk.expect_column("order_id", ids)
    said = desk.page.get_by_role("alert")
    expect(said).to_contain_text("1 of the 4 pasted IDs was not found: OD-NOWHERE.")
    assert desk.download(tmp_path).column("Order ID") == ids
    desk.box("Order ID").fill(ids[0])
    desk.expect_column("order_id", ids[:1])
    desk.expect_words("4 pasted IDs", f"Order ID contains “{ids[0]}”")
    expect(said).to_contain_text("OD-NOWHERE")
    desk.words.get_by_role("button", name="4 pasted IDs").click()
    desk.expect_words(f"Order ID contains “{ids[0]}”")
    expect(said).to_have_count(0)
    desk.page.go_back()
    desk.expect_words("4 pasted IDs", f"Order ID contains “{ids[0]}”")


def test_ten_thousand_pasted_ids_are_answered_and_travel_in_a_short_link(
    open_tab: OpenDesk, demo: Server, tmp_path: Path
) -> None:
    desk = open_tab().open()
    known = demo.newest("orders", "no > 100")
    pasted = [*known, *(f"OD-NOWHERE-{number:05d}" for number in range(MANY - len(known)))]
    paste(desk, "\n".join(pasted))
    desk.expect_count(len(known))
    desk.expect_column("order_id", known)
    desk.expect_words("10,000 pasted IDs")
    missing = f"{MANY - len(known):,} of the 10,000 pasted IDs were not found"
    expect(desk.page.get_by_text(missing)).to_be_visible()
    desk.page.wait_for_url("**/orders?saved=*", wait_until="commit")
    file = desk.download(tmp_path)
    assert file.column("Order ID") == known
    assert file.says("Filters") == "10,000 pasted IDs"
    desk.page.reload(wait_until="commit")
    desk.expect_count(len(known))
    desk.expect_column("order_id", known)
    expect(desk.page.get_by_text(missing)).to_be_visible()


def test_too_many_or_no_pasted_ids_are_refused_and_nothing_changes(desk: Desk) -> None:
    for text, words in (
        (" \n,;\n", "No IDs were found in the pasted text."),
        ("\n".join(map(str, range(MANY + 1))), "You pasted 10,001 IDs; the limit is 10,000."),
    ):
        popover = paste(desk, text)
        expect(desk.page.get_by_test_id("stToast").filter(has_text=words)).to_be_visible()
        expect(popover).to_be_visible()
    desk.expect_count(2_000)
    desk.expect_words()
