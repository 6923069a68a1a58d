"""The server restarts while somebody has a dialog or a popover open: no dead buttons are left."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from core import access
from core.demo import fill
from tests.conftest import use_database
from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import (
    CONTRACTS,
    ITEMS,
    REFUNDS,
    USERS,
    Desk,
    choose_reason,
    confirm_refund,
)
from tests.e2e.servers import Server, start_server, stop_server
from tests.e2e.slow_card import CARD, SlowCard, answering_slowly
from tests.e2e.waiting import expect
from tests.rows import make_item, make_order, make_transaction

SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)
PATIENCE_MS = 30_000
REPEATED_MS = 16_000  # after the rows came, the table tells the page its view for as long


class Restarted:
    """A server on one port and one database, which a test ends and starts again."""

    def __init__(self, database: str, folder: Path) -> None:
        self.folder = folder
        self.server = start_server(database, folder)
        self.server.wait_for_status(200)

    def start(self) -> None:
        """Start it again, after it has ended."""
        port = int(self.server.url.rsplit(":", 1)[1])
        self.server = start_server(self.server.database, self.folder, port)
        self.server.wait_for_status(200)

    def restart(self) -> None:
        """End it as an operator does, and start it again."""
        stop_server(self.server)
        self.start()


@pytest.fixture
def shop(make_database: Callable[[str], str], kind: str, data_dir: Path) -> Iterator[Restarted]:
    """Run a server with an order of one item that can be refunded."""
    yield from _running(make_database(kind), data_dir)


@pytest.fixture
def slow_card() -> Iterator[SlowCard]:
    """Let every process that the test starts use a card provider that takes its time."""
    with answering_slowly("OD-1") as card:
        yield card


@pytest.fixture
def card_shop(
    make_database: Callable[[str], str], kind: str, data_dir: Path, slow_card: SlowCard
) -> Iterator[Restarted]:
    """Run a server with the same order, paid by card."""
    yield from _running(make_database(kind), data_dir, **CARD)


def _running(url: str, folder: Path, **payment: str) -> Iterator[Restarted]:
    use_database(url)
    make_order("OD-1", contact_email="zoe@mail.example")
    make_item("OD-1", order_item_id="OD-1-1", refund_expire_at=SOON, valid_until=SOON)
    make_transaction(order_id="OD-1", **payment)
    running = Restarted(url, folder)
    yield running
    stop_server(running.server)


@pytest.fixture
def demo_desk(make_database: Callable[[str], str], data_dir: Path) -> Iterator[Restarted]:
    """Run a server with some demo orders."""
    url = make_database("sqlite")
    use_database(url)
    admin = access.find_local_actor()
    assert admin is not None
    fill(40, actor=admin, now=datetime.now(UTC))
    running = Restarted(url, data_dir)
    yield running
    stop_server(running.server)


def expect_said(desk: Desk) -> None:
    """Wait until the page is connected again and says so; close what it says."""
    said = desk.page.get_by_test_id("stToast").filter(has_text="The connection was lost")
    expect(said).to_be_visible(timeout=PATIENCE_MS)
    said.get_by_role("button", name="Close").click()
    expect(said).to_have_count(0)
    desk.wait_for_run()  # the tab asks for a run as well when it connects


def expect_closed(desk: Desk) -> None:
    """Wait until the page is connected again: the dialog is gone, and the page says why.

    A click beside a dialog dismisses it, so what is said is closed when the dialog is gone.
    """
    expect(desk.page.get_by_test_id("stToast").first).to_be_visible(timeout=PATIENCE_MS)
    expect(desk.page.get_by_role("dialog")).to_have_count(0)
    expect_said(desk)


def open_refund(desk: Desk) -> Locator:
    desk.page.get_by_role("button", name="Refund", exact=True).click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog.get_by_text("will be refunded.")).to_be_visible()
    return dialog


def tick_item(desk: Desk) -> Desk:
    desk.box_of(0).click()
    desk.expect_selected("1 selected")
    return desk


def test_refund_dialog_of_before_the_restart_closes_and_the_next_one_refunds(
    open_tab: OpenDesk, shop: Restarted
) -> None:
    desk = tick_item(open_tab(shop.server).open_order("OD-1"))
    open_refund(desk)
    shop.restart()
    expect_closed(desk)
    desk.expect_selected("1 selected")
    dialog = open_refund(desk)
    confirm_refund(dialog)
    expect(dialog.get_by_text("1 item refunded: 38.00 EUR")).to_be_visible()
    assert shop.server.query("SELECT status FROM refunds") == ["succeeded"]
    desk.page.close()


@contextmanager
def items_locked(server: Server) -> Iterator[None]:
    """Hold the rows of order items, so that a refund waits."""
    engine = create_engine(server.database, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    is_sqlite = engine.dialect.name == "sqlite"
    lock = "BEGIN IMMEDIATE" if is_sqlite else "BEGIN; LOCK TABLE order_items IN EXCLUSIVE MODE"
    with engine.connect() as connection:
        for statement in lock.split("; "):
            connection.exec_driver_sql(statement)
        yield
        connection.exec_driver_sql("ROLLBACK")


def test_refund_that_is_done_while_the_server_ends_is_not_done_again(
    open_tab: OpenDesk, slow_card: SlowCard, card_shop: Restarted
) -> None:
    desk = tick_item(open_tab(card_shop.server).open_order("OD-1"))
    confirm_refund(open_refund(desk))
    assert slow_card.is_asked.wait(15)
    card_shop.server.process.send_signal(signal.SIGTERM)
    card_shop.server.process.wait()
    assert card_shop.server.query("SELECT count(*) FROM refunds") == [1]
    card_shop.start()
    expect_closed(desk)
    dialog = open_refund(desk)
    expect(dialog.get_by_text("0 of 1 item will be refunded.")).to_be_visible()
    expect(dialog.get_by_role("button", name="Refund 0 items")).to_be_disabled()
    assert card_shop.server.query("SELECT count(*) FROM refunds") == [1]
    desk.page.close()


def test_refund_that_a_killed_server_has_not_done_is_done_once_by_the_next_dialog(
    open_tab: OpenDesk, shop: Restarted
) -> None:
    desk = tick_item(open_tab(shop.server).open_order("OD-1"))
    dialog = open_refund(desk)
    choose_reason(dialog)
    with items_locked(shop.server):
        dialog.get_by_role("button", name="Refund 1 item").click()
        app = desk.page.locator("[data-testid=stApp]")
        expect(app).to_have_attribute("data-test-script-state", "running")
        shop.server.process.send_signal(signal.SIGKILL)
        shop.server.process.wait()
    assert shop.server.query("SELECT count(*) FROM refunds") == [0]
    shop.start()
    expect_closed(desk)
    dialog = open_refund(desk)
    confirm_refund(dialog)
    expect(dialog.get_by_text("1 item refunded: 38.00 EUR")).to_be_visible()
    assert shop.server.query("SELECT status FROM refunds") == ["succeeded"]
    desk.page.close()


def _open_list(desk: Desk, name: str) -> None:
    desk.open_popover("Views").get_by_role("button", name=name).click()


def _press(name: str) -> Callable[[Desk], None]:
    return lambda desk: desk.page.get_by_role("button", name=name, exact=True).click()


DIALOGS = {
    "refund": (lambda desk: tick_item(desk.open(table=ITEMS)), _press("Refund")),
    "send": (lambda desk: tick_item(desk.open(table=ITEMS)), _press("Send Voucher")),
    "save view": (lambda desk: desk.open(), lambda desk: _open_list(desk, "Save this view")),
    "demo": (lambda desk: desk.open(), _press("Reset the demo")),
    "add user": (lambda desk: desk.open(table=USERS), _press("Add user")),
    "change user": (lambda desk: tick_item(desk.open(table=USERS)), _press("Change")),
    "change contract": (lambda desk: tick_item(desk.open(table=CONTRACTS)), _press("Change")),
    "approve": (lambda desk: tick_item(desk.open(table=REFUNDS)), _press("Approve")),
}


def test_every_dialog_closes_with_a_word_and_opens_again(
    open_tab: OpenDesk, demo_desk: Restarted
) -> None:
    desks = {}
    for name, (arrive, open_dialog) in DIALOGS.items():
        desks[name] = arrive(open_tab(demo_desk.server))
        open_dialog(desks[name])
        expect(desks[name].dialog).to_be_visible()
    demo_desk.restart()
    for name, desk in desks.items():
        expect_closed(desk)
        DIALOGS[name][1](desk)
        desk.close_dialog()
    for desk in desks.values():
        desk.page.close()


def test_dialog_that_is_opened_after_an_outage_stays_open(
    open_tab: OpenDesk, demo_desk: Restarted
) -> None:
    desk = open_tab(demo_desk.server).open(table=ITEMS)
    stop_server(demo_desk.server)
    desk.header("Price").click()  # the table asks a server that is gone
    notice = desk.grid.locator("#orderDeskNotice")
    expect(notice).to_have_text("The server cannot be reached. Retrying…")
    demo_desk.start()
    expect(notice).to_be_hidden(timeout=PATIENCE_MS)
    expect_said(desk)
    open_refund(tick_item(desk))
    desk.page.wait_for_timeout(REPEATED_MS)
    expect(desk.dialog).to_be_visible()
    desk.page.close()


def test_popover_of_before_the_restart_works(open_tab: OpenDesk, shop: Restarted) -> None:
    desk = open_tab(shop.server).open_order("OD-1")
    desk.open_popover("Columns")
    shop.restart()
    expect_said(desk)
    popover = desk.open_popover("Columns")
    popover.get_by_text("Airport", exact=True).click()
    expect(desk.header("Airport")).to_have_count(0)
    desk.page.close()


def test_a_tab_that_is_opened_after_the_restart_is_told_nothing(
    open_tab: OpenDesk, shop: Restarted
) -> None:
    shop.restart()
    desk = open_tab(shop.server).open_order("OD-1")
    desk.wait_for_run()
    expect(desk.page.get_by_test_id("stToast")).to_have_count(0)
    desk.page.close()
