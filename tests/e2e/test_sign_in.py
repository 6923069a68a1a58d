"""Signing in with a provider: who comes in, where they get to, and how it ends."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError

from tests.e2e.axe import expect_no_fault
from tests.e2e.desk import Desk, address_of
from tests.e2e.provider import Provider, expect_form, expect_nothing_else, providing, sign_in
from tests.e2e.servers import Server, serving, start_server, stop_server
from tests.e2e.waiting import expect
from tests.shop import make_shop

ANA, BOB, EVE, UNA = (
    {"email": f"{name}@helios.example", "email_verified": name != "una", "name": name.title()}
    for name in ("ana", "bob", "eve", "una")
)
A_DAY = 86_400  # seconds
OPENED = '[data-testid="stApp"][data-test-script-state="notRunning"]'
NewTab = Callable[[], Page]


@pytest.fixture(scope="module")
def provider(data_dir: Path) -> Iterator[Provider]:
    """Run a provider that knows four people."""
    with providing(data_dir) as provider:
        for claims in (ANA, BOB, EVE, UNA):
            provider.knows(str(claims["name"]), **claims)
        yield provider


@pytest.fixture(scope="module")
def server(
    make_database: Callable[[str], str], kind: str, data_dir: Path, provider: Provider
) -> Iterator[Server]:
    """Run a server with the small shop, whose first admin is Ana; Bob is an agent."""
    url = make_shop(make_database(kind))
    given = provider.settings | {"FIRST_ADMIN_EMAIL": "Ana@Helios.example"}
    with serving(url, data_dir, **given) as server:
        server.execute(
            "INSERT INTO users (user_id, email, name, name_folded, role, sees_all_contracts,"
            " only_own_orders, is_active) VALUES "
            "('bob', 'bob@helios.example', 'Bob', 'bob', 'agent', true, false, true),"
            "('una', 'una@helios.example', 'Una', 'una', 'admin', true, false, true)"
        )
        yield server


def open_tab(person: BrowserContext, address: str) -> Page:
    page = person.new_page()
    page.goto(address, wait_until="commit")
    return page


def come_in(person: BrowserContext, server: Server, who: str, path: str = "/orders") -> Page:
    """Sign in on the way to a page, and wait until the header says who it is."""
    page = open_tab(person, f"{server.url}{path}")
    sign_in(page, who)
    expect_who(page, who)
    return page


def expect_who(page: Page, who: str) -> None:
    account = page.locator(".st-key-account")
    expect(account).to_contain_text(f"{who.lower()}@helios.example", timeout=20_000)


def ask_for_rows(desk: Desk) -> None:
    """Type into a filter, unless the page is gone already: a grid speaks up by itself, too."""
    with suppress(PlaywrightError):
        desk.box("Author").fill("ana", timeout=3_000)


def navigation(page: Page) -> list[str]:
    return page.locator(".st-key-navigation").get_by_role("link").all_inner_texts()


@pytest.mark.parametrize(
    "path",
    [
        "/order?order=OD-ONE&tab=Transactions",
        f"/orders?view={address_of({'search': 'ÖD-ONE; two, three'})}",
        "/users",
        "/verify",
    ],
)
def test_whoever_had_to_sign_in_gets_to_where_they_wanted(
    person: BrowserContext, server: Server, path: str
) -> None:
    page = open_tab(person, f"{server.url}{path}")
    expect_form(page, "Sign in to see your orders.")
    assert "OD-ONE-" not in page.content()
    expect_no_fault(page)
    sign_in(page, "Ana")
    expect_who(page, "Ana")
    assert page.url == f"{server.url}{path}"
    expect(page.locator(OPENED)).to_be_visible()
    expect(page.get_by_text("Page not found")).to_have_count(0)
    assert "order_desk_address" not in {one["name"] for one in person.cookies()}


def test_a_kept_address_never_leads_to_another_site(person: BrowserContext, server: Server) -> None:
    for evil in ("//evil.example/", "https://evil.example/"):
        page = open_tab(person, f"{server.url}/verify")
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_placeholder("sub").fill("Ana")
        cookie = {"name": "order_desk_address", "value": evil, "url": server.url}
        person.add_cookies([cookie])  # type: ignore[list-item]
        page.get_by_role("button", name="Authorize").click()
        expect_who(page, "Ana")
        page.wait_for_url(f"{server.url}/overview")
        person.clear_cookies()
        page.close()


def test_signing_out_ends_it_in_every_tab(person: BrowserContext, server: Server) -> None:
    page = come_in(person, server, "Ana")
    other = Desk(open_tab(person, f"{server.url}/orders"), server.url)
    other.wait_for_rows()
    page.locator(".st-key-account").get_by_role("button").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click()
    expect_form(page, "Sign in to see your orders.")
    # What the other tab asks for is refused, and then the page is gone.
    ask_for_rows(other)
    expect_form(other.page, "You have signed out.")
    page.goto(f"{server.url}/orders")
    expect_form(page, "Sign in to see your orders.")


def test_whoever_is_no_user_is_told_to_ask_an_admin_and_sees_nothing_else(
    person: BrowserContext, server: Server
) -> None:
    for path in ("/orders", "/users"):
        page = open_tab(person, f"{server.url}{path}")
        if path == "/orders":
            sign_in(page, "Eve")
        words = page.get_by_text("You do not have access yet. Ask an admin of Order Desk")
        expect(words).to_be_visible(timeout=20_000)
        expect(page.get_by_text("Signed in as eve@helios.example")).to_be_visible()
        expect_nothing_else(page)
    said = "SELECT actor FROM audit_events WHERE action = 'sign_in.refused'"
    expect_no_fault(page)
    page.emulate_media(color_scheme="light")
    assert server.query(f"{said} AND actor = 'eve@helios.example'") == ["eve@helios.example"]
    page.get_by_role("button", name="Sign in with another account").click()
    page.get_by_role("button", name="End session").click()
    sign_in(page, "Ana")
    expect_who(page, "Ana")


def test_an_address_that_is_not_verified_lets_nobody_in(
    person: BrowserContext, server: Server
) -> None:
    page = open_tab(person, f"{server.url}/orders")
    sign_in(page, "Una")  # who is an admin, if it is her
    expect(page.get_by_text("has not verified your e-mail address")).to_be_visible(timeout=20_000)
    expect_nothing_else(page)
    assert server.query("SELECT issuer FROM users WHERE user_id = 'una'") == [None]


def test_whoever_was_away_signs_in_again(person: BrowserContext, server: Server) -> None:
    desk = Desk(come_in(person, server, "Ana"), server.url)
    desk.wait_for_rows()
    yesterday = server.sql_of(time.time() - A_DAY)
    server.execute(f"UPDATE sign_ins SET seen_at = {yesterday}, began_at = {yesterday}")
    ask_for_rows(desk)
    expect_form(desk.page, "You were inactive for more than 60 minutes")
    sign_in(desk.page, "Ana")
    expect_who(desk.page, "Ana")
    desk.wait_for_rows()


def test_whoever_is_deactivated_is_out_at_once(person: BrowserContext, server: Server) -> None:
    desk = Desk(come_in(person, server, "Bob"), server.url)
    desk.wait_for_rows()
    server.execute("UPDATE users SET is_active = false WHERE user_id = 'bob'")
    try:
        ask_for_rows(desk)
        words = desk.page.get_by_text("You no longer have access").first
        expect(words).to_be_visible()
        expect_nothing_else(desk.page)
    finally:
        server.execute("UPDATE users SET is_active = true WHERE user_id = 'bob'")


def test_another_role_acts_at_once(person: BrowserContext, server: Server) -> None:
    page = come_in(person, server, "Bob", "/order_items")
    refund = page.get_by_role("button", name="Refund", exact=True)
    expect(refund).to_be_visible()
    assert "Transactions" not in navigation(page)
    server.execute("UPDATE users SET role = 'accountant' WHERE user_id = 'bob'")
    try:
        # Whatever is clicked: the page runs again.
        page.get_by_role("button", name=re.compile(r"Columns$")).click()
        expect(refund).to_have_count(0)
        assert "Transactions" in navigation(page)
        assert "Users" not in navigation(page)
        page.goto(f"{server.url}/users")
        refused = page.get_by_text("Your role, Accountant, cannot manage users.")
        expect(refused).to_be_visible(timeout=20_000)
        expect(page.locator("iframe")).to_have_count(0)
    finally:
        server.execute("UPDATE users SET role = 'agent' WHERE user_id = 'bob'")


def test_a_sign_in_lasts_as_long_as_the_providers_token(
    person: BrowserContext, make_database: Callable[[str], str], kind: str, data_dir: Path
) -> None:
    with ExitStack() as stack:
        provider = stack.enter_context(providing(data_dir, seconds=12))
        provider.knows("Ana", **ANA)
        given = provider.settings | {"FIRST_ADMIN_EMAIL": "ana@helios.example"}
        server = stack.enter_context(serving(make_shop(make_database(kind)), data_dir, **given))
        desk = Desk(come_in(person, server, "Ana"), server.url)
        desk.wait_for_rows()
        (expires,) = server.instants("SELECT expires_at FROM sign_ins")
        desk.page.wait_for_function("at => Date.now() > at", arg=(expires.timestamp() + 1) * 1000)
        ask_for_rows(desk)
        expect_form(desk.page, "Your sign-in has expired")


def test_where_people_sign_in_any_name_and_proxy_is_answered(server: Server) -> None:
    for headers in ({"Host": "desk.helios.example"}, {"X-Forwarded-For": "203.0.113.7"}):
        assert httpx.get(f"{server.url}/readyz", headers=headers).status_code == 200
    rows = httpx.post(f"{server.url}/rows/orders", json={"view": {}, "start": 0, "end": 5})
    assert rows.status_code == 401


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_without_signing_in_no_other_machine_is_served(
    make_database: Callable[[str], str], kind: str, data_dir: Path, address: str
) -> None:
    server = start_server(make_database(kind), data_dir, STREAMLIT_SERVER_ADDRESS=address)
    try:
        assert server.process.wait(60) == 1
    finally:
        stop_server(server)
    said = server.log.read_text()
    assert "Order Desk cannot start." in said
    for name in ("127.0.0.1", "OIDC_METADATA_URL", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"):
        assert re.search(re.escape(name), said)


def test_where_people_sign_in_other_machines_are_served(
    make_database: Callable[[str], str], kind: str, data_dir: Path, provider: Provider
) -> None:
    given = provider.settings | {"STREAMLIT_SERVER_ADDRESS": "0.0.0.0"}
    with serving(make_database(kind), data_dir, **given) as server:
        assert server.url
