"""Users and what they did, in the browser: added, changed, and told in the audit trail."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.axe import expect_no_fault
from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import AUDIT, USERS
from tests.e2e.servers import Server, serving
from tests.e2e.waiting import expect
from tests.shop import make_shop


@pytest.fixture(scope="module")
def server(make_database: Callable[[str], str], kind: str, data_dir: Path) -> Iterator[Server]:
    """Run a server with the small shop, whose users this module changes."""
    with serving(make_shop(make_database(kind)), data_dir) as server:
        yield server


def test_an_admin_adds_somebody_and_changes_their_rights(
    open_tab: OpenDesk, server: Server, tmp_path: Path
) -> None:
    desk = open_tab(server).open(table=USERS)
    page = desk.page
    page.get_by_role("button", name="Add user").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="E-mail").fill("Zoë@helios.example")
    dialog.get_by_role("radio", name="Agent").click()
    dialog.get_by_role("button", name="Add user").click()
    expect(dialog).to_have_count(0)
    desk.expect_count(2, 2)
    desk.expect_column("email", ["analyst@local", "zoë@helios.example"])
    desk.expect_column("role", ["Admin", "Agent"])
    desk.box_of(1).click()
    page.get_by_role("button", name="Change", exact=True).click()
    expect(dialog.get_by_text("Active", exact=True)).to_be_visible()
    desk.wait_for_run()
    expect_no_fault(page)
    dialog.get_by_text("Sees all contracts").click()
    dialog.get_by_text("Active", exact=True).click()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    desk.expect_column("is_active", ["Yes", "No"])
    desk.expect_column("sees_all_contracts", ["Yes", "Yes"])
    assert desk.download(tmp_path).column("E-mail") == ["analyst@local", "zoë@helios.example"]
    desk.open(table=AUDIT)
    desk.search("zoë@helios.example")
    desk.expect_count(3, 4)
    expect(desk.cell(2, "action")).to_have_text("user.added")
    actions = sorted(desk.cell(row, "action").inner_text() for row in range(3))
    assert actions == ["user.added", "user.deactivated", "user.scope_changed"]


def test_somebody_is_added_without_a_mouse(open_tab: OpenDesk, server: Server) -> None:
    desk = open_tab(server).open(table=USERS)
    desk.page.get_by_role("searchbox", name="Search users").focus()
    desk.press(desk.page.get_by_role("button", name="Add user"))
    desk.tab_to(desk.dialog.get_by_role("textbox", name="E-mail"))
    desk.page.keyboard.type("una@helios.example")
    desk.press(desk.dialog.get_by_role("button", name="Add user"))
    expect(desk.dialog).to_have_count(0)
    said = "SELECT count(*) FROM users WHERE email = 'una@helios.example'"
    assert server.query(said) == [1]
    server.execute("DELETE FROM users WHERE email = 'una@helios.example'")


def test_an_orders_history_tells_what_was_done_with_it(open_tab: OpenDesk, server: Server) -> None:
    desk = open_tab(server)
    nothing = desk.page.get_by_text("This order has no events yet.")
    desk.page.goto(f"{server.url}/order?order=OD-ONE&tab=History", wait_until="commit")
    expect(nothing).to_be_visible()
    with desk.page.expect_download():
        desk.page.get_by_role("link", name="Download Order").click()
    desk.page.goto(f"{server.url}/order?order=OD-ONE&tab=History", wait_until="commit")
    expect(desk.page.get_by_text("Local analyst downloaded order OD-ONE.")).to_be_visible()
    desk.page.goto(f"{server.url}/order?order=OD-TWO&tab=History", wait_until="commit")
    expect(nothing).to_be_visible()
