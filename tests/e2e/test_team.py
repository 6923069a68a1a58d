"""A team in the browser: what people see when a process, the standby or the primary is gone.

Two processes under a path behind haproxy, with folders of their own as on two machines, on a
primary and a synchronous standby. People sign in.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator

from core import startup, storage
from core.ground import private_pem
from tests.conftest import free_port, use_database
from tests.core.books import check_books
from tests.databases import close_connections
from tests.e2e.conftest import ZONE, Watch, new_context
from tests.e2e.desk import Desk, choose_reason
from tests.e2e.provider import expect_form, providing, sign_in
from tests.e2e.servers import Server, start_server, stop_server
from tests.e2e.test_base_path import ANA, check_upload, count_voucher_pages
from tests.e2e.test_refunds import make_paid_order, open_dialog
from tests.e2e.waiting import expect
from tests.rows import make_transaction
from tests.team.haproxy import Balancer, balancing
from tests.team.replicas import Replicas, replicating, wait_until
from tests.vouchers import KEY

BASE = "/desk"
PATIENCE_MS = 40_000
ORDERS = ("OD-STANDBY", "OD-BEFORE", "OD-AFTER")


@dataclass
class Team:
    """The processes, their proxy and their databases."""

    servers: list[Server]
    balancer: Balancer
    replicas: Replicas
    settings: dict[str, Any]
    folder: Path

    def restart(self, number: int, status: str = "ready") -> None:
        """End a process, counted from 1, and start it again; wait for its status."""
        old = self.servers[number - 1]
        stop_server(old)
        self.servers[number - 1] = _start(old.database, self.folder, old.port, self.settings)
        wait_until(lambda: self.balancer.count_up() == 2)
        wait_until(lambda: self.statuses()[number - 1] == status)

    def stop(self) -> None:
        """End every process."""
        for one in self.servers:
            stop_server(one)

    def statuses(self) -> list[str]:
        """Return what each process says of itself."""
        found = []
        for one in self.servers:
            try:
                answer = httpx.get(f"http://localhost:{one.port}{BASE}/readyz")
                found.append(str(answer.json()["status"]))
            except httpx.TransportError:
                found.append("away")
        return found

    def query(self, sql: str) -> list[Any]:
        """Ask the primary."""
        return self.replicas.primary.ask(sql, "orders")


def _start(url: str, folder: Path, port: int, settings: dict[str, Any]) -> Server:
    own = folder / f"machine-{port}"
    own.mkdir(mode=0o700, exist_ok=True)
    return start_server(url, own, port, **settings, DATA_DIR=str(own))


@pytest.fixture(scope="module")
def replicas() -> Iterator[Replicas]:
    """Run a primary and a standby with three orders that can be refunded."""
    with replicating() as replicas:
        replicas.primary.ask("CREATE DATABASE orders TEMPLATE template0 ENCODING 'UTF8'")
        use_database(replicas.url("orders"))
        startup.prepare(datetime.now(UTC), may_fill=False)
        for order_id in ORDERS:
            make_paid_order(order_id, {})
            make_transaction(type="top_up", contract_id="CT-9", amount_minor=3800)
        close_connections(storage.get_engine())
        yield replicas


@pytest.fixture(scope="module")
def team(replicas: Replicas, data_dir: Path) -> Iterator[Team]:
    """Run the team."""
    with ExitStack() as stack:
        provider = stack.enter_context(providing(data_dir))
        provider.knows("Ana", **ANA)
        port, folder = free_port(), data_dir / "team"
        folder.mkdir()
        settings = provider.settings | {
            "PUBLIC_URL": f"https://localhost:{port}",
            "STREAMLIT_SERVER_BASE_URL_PATH": BASE,
            "FIRST_ADMIN_EMAIL": ANA["email"],
            "SIGNING_SECRET": "known-to-both-processes-4711",
            "VOUCHER_PRIVATE_KEY": private_pem(KEY),
        }
        url = replicas.url("orders")
        servers = [_start(url, folder, free_port(), settings) for _ in range(2)]
        balancer = stack.enter_context(
            balancing(folder, [one.port for one in servers], port=port, base=BASE)
        )
        team = Team(servers, balancer, replicas, settings, folder)
        stack.callback(team.stop)
        for one in servers:
            one.wait_for_status(200)
        wait_until(lambda: balancer.count_up() == 2)
        yield team


@pytest.fixture(scope="module")
def trusting(browser: Browser, watch: Watch) -> Iterator[BrowserContext]:
    """Keep a browser that takes the proxy's certificate, for a person who stays signed in."""
    context = new_context(browser, ZONE, ignore_https_errors=True)
    watch.follow_console(context)
    yield context
    context.close()


def process_of(context: BrowserContext) -> int:
    """Return the number of the process that haproxy has chosen for a browser."""
    (name,) = [one["value"] for one in context.cookies() if one["name"] == "desk_process"]
    return int(name.removeprefix("app"))


@pytest.fixture
def desk(team: Team, trusting: BrowserContext) -> Iterator[Desk]:
    """Open a tab, signed in; the form comes from one process, the provider leads to the other."""
    page = trusting.new_page()
    if not trusting.cookies():
        page.goto(f"{team.balancer.url}/orders?search=OD", wait_until="commit")
        expect_form(page, "Sign in to see your orders.")
        left = process_of(trusting)
        team.balancer.set_state(left, "maint")
        sign_in(page, "Ana")
        expect(page.locator(".st-key-account")).to_contain_text(ANA["email"], timeout=20_000)
        assert page.url == f"{team.balancer.url}/orders?search=OD"  # where they wanted to go
        team.balancer.set_state(left, "ready")
        assert process_of(trusting) != left
    yield Desk(page, team.balancer.url)
    page.close()


def test_rows_files_vouchers_uploads_and_links_work_at_any_of_two_processes(
    desk: Desk, team: Team, trusting: BrowserContext, tmp_path: Path
) -> None:
    desk.open()
    desk.box("Order ID").fill("OD-BEFORE")
    desk.expect_column("order_id", ["OD-BEFORE"])
    desk.wait_for_run()
    team.balancer.set_state(process_of(trusting), "maint")  # the link leads to the other one
    assert desk.download(tmp_path).column("Order ID") == ["OD-BEFORE"]
    for number in (1, 2):
        team.balancer.set_state(number, "ready")
    assert count_voucher_pages(desk, "OD-AFTER-1", tmp_path) == 1
    check_upload(desk, tmp_path)
    desk.open_order("OD-AFTER")
    desk.expect_column("order_item_id", ["OD-AFTER-1"])


def test_page_of_a_killed_process_goes_on_at_the_other_one_still_signed_in(
    desk: Desk, team: Team, trusting: BrowserContext
) -> None:
    desk.open()
    desk.box("Order ID").fill("OD-")
    desk.expect_words("Order ID contains “OD-”")
    killed = process_of(trusting)
    team.servers[killed - 1].process.kill()
    desk.box("Author").fill("ana")
    said = desk.page.get_by_test_id("stToast").filter(has_text="The connection was lost")
    expect(said).to_be_visible(timeout=PATIENCE_MS)
    desk.expect_words("Order ID contains “OD-”", "Author contains “ana”")
    desk.expect_column("order_id", sorted(ORDERS, reverse=True))
    expect(desk.page.locator(".st-key-account")).to_contain_text(ANA["email"])
    assert process_of(trusting) != killed
    team.restart(killed)


def confirm(dialog: Locator) -> Locator:
    """Confirm the refund of the one item; return the sentence that says that it is done."""
    choose_reason(dialog).get_by_role("button", name="Refund 1 item").click()
    return dialog.get_by_text("1 item refunded: 38.00 EUR")


def test_writing_waits_for_a_standby_that_is_gone_and_reading_does_not(
    desk: Desk, team: Team
) -> None:
    desk.open_order("OD-STANDBY")
    dialog = open_dialog(desk, 0)
    # The next request of this person will write down that they were seen.
    team.query("UPDATE sign_ins SET seen_at = seen_at - interval '2 minutes'")
    team.replicas.standby.kill()
    try:
        done = confirm(dialog)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        wait_until(lambda: team.query(waiting) != [0])
        assert team.query("SELECT count(*) FROM refunds") == [0]  # nobody is told of it yet
        expect(done).to_have_count(0)
        assert httpx.get(f"{team.balancer.url}/_stcore/health", verify=False).text == "ok"
        other = Desk(desk.page.context.new_page(), desk.server).open()
        other.expect_count(len(ORDERS), len(ORDERS))
        other.page.close()
        said = "writing waits for the standby"
        wait_until(lambda: team.statuses() == [said, said])
        # Reading goes on at a process that starts now, too.
        team.restart(3 - process_of(desk.page.context), said)
        team.replicas.wait_for_standby(synchronous=False)
        wait_until(lambda: team.statuses() == ["ready", "ready"])
        expect(done).to_be_visible(timeout=PATIENCE_MS)
        assert team.query("SELECT status FROM refunds") == ["succeeded"]
    finally:
        team.replicas.follow()


def test_primary_that_is_gone_is_said_and_the_promoted_standby_has_what_was_acknowledged(
    desk: Desk, team: Team
) -> None:
    desk.open_order("OD-BEFORE")
    expect(confirm(open_dialog(desk, 0))).to_be_visible()
    desk.page.get_by_role("dialog").get_by_role("button", name="Done").click()
    desk.open()
    desk.box("Order ID").fill("OD-")
    desk.expect_words("Order ID contains “OD-”")
    team.replicas.primary.kill()
    try:
        desk.header("Total").click()
        said = desk.page.get_by_text("The database cannot be reached.")
        expect(said).to_be_visible(timeout=PATIENCE_MS)
        # Both processes stay in the proxy: the page itself says what is wrong.
        assert team.balancer.count_up() == 2
        team.replicas.promote()
        expect(said).to_have_count(0, timeout=PATIENCE_MS)
        desk.wait_for_rows()
        desk.expect_words("Order ID contains “OD-”")
        done = "SELECT order_item_id FROM refunds WHERE status = 'succeeded'"
        assert "OD-BEFORE-1" in team.query(done)
    finally:
        team.replicas.follow()
    desk.open_order("OD-AFTER")
    expect(confirm(open_dialog(desk, 0))).to_be_visible(timeout=PATIENCE_MS)
    assert team.query(f"{done} AND order_item_id = 'OD-AFTER-1'") == ["OD-AFTER-1"]
    use_database(team.replicas.url("orders"))
    check_books()
    close_connections(storage.get_engine())


def test_signing_out_holds_at_every_process(desk: Desk, team: Team) -> None:
    desk.open()
    desk.page.locator(".st-key-account").get_by_role("button").click()
    desk.page.get_by_role("button", name="Sign out").click()
    desk.page.get_by_role("button", name="End session").click()
    expect_form(desk.page, "Sign in to see your orders.")
    for number in (1, 2):
        team.balancer.set_state(number, "maint")
        desk.page.goto(f"{desk.server}/orders", wait_until="commit")
        expect_form(desk.page, "Sign in to see your orders.")
        team.balancer.set_state(number, "ready")
