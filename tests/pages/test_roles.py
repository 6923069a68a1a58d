"""Every role on every page, run without a browser."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, select, update
from streamlit.testing.v1 import AppTest

from core import access, storage
from core.access import Actor, Rights
from core.access.actors import LOCAL_USER_ID
from core.ground import Role
from core.storage import AuditEvent, User
from tests.conftest import NOW
from tests.core.access.test_people import SIGN_IN
from tests.core.refunds.refund_rows import settings
from tests.pages.opened import grid_says, open_page, texts
from tests.rows import make_contract, make_item, make_order, make_transaction

EVERYONE = set(Role)
OPENS: dict[str, tuple[str, set[Role]]] = {
    "overview": ("Overview", EVERYONE),
    "orders": ("Orders", EVERYONE),
    "order_items": ("Order Items", EVERYONE),
    "transactions": ("Transactions", {Role.ACCOUNTANT, Role.ADMIN}),
    "refunds": ("Refunds", EVERYONE),
    "emails": ("E-mails", {Role.AGENT, Role.ADMIN}),
    "verify": ("Verify", EVERYONE),
    "imports": ("Import", {Role.ADMIN}),
    "users": ("Users", {Role.ADMIN}),
    "contracts": ("Contracts", {Role.ADMIN}),
    "audit_trail": ("Audit Trail", {Role.ADMIN}),
}
SECRETS = ("OD-1", "TX-1", "ana@helios.example", "Aspire", "new@helios.example")


@pytest.fixture
def shop(sqlite_database: str, admin: Actor) -> None:
    """Store a row of every table."""
    make_order("OD-1")
    make_item("OD-1")
    make_transaction(transaction_id="TX-1", order_id="OD-1")
    access.add_user("new@helios.example", rights=Rights(), actor=admin, now=NOW)


def become(role: Role) -> None:
    """Give the local user a role."""
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).role = role


@contextmanager
def deactivated_after_the_header() -> Iterator[None]:
    """Deactivate the local user as soon as the run of a page has found them once."""
    engine = storage.get_engine()
    left = [update(User).where(User.user_id == LOCAL_USER_ID).values(is_active=False)]

    def deactivate(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM users" in statement and left:
            with engine.begin() as connection:  # of its own: the run is still reading
                connection.execute(left.pop())

    event.listen(engine, "after_cursor_execute", deactivate)
    yield
    event.remove(engine, "after_cursor_execute", deactivate)


def refused() -> list[str]:
    actions = select(AuditEvent.action).where(AuditEvent.action.endswith(".refused"))
    with storage.reading() as session:
        return list(session.scalars(actions))


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", OPENS)
def test_every_role_opens_its_pages_and_no_other(role: Role, name: str) -> None:
    become(role)
    title, roles = OPENS[name]
    page = open_page(name)
    assert not page.exception
    shown = [one for one, (_, allowed) in OPENS.items() if role in allowed]
    assert [link.proto.label for link in page.get("page_link")] == [OPENS[one][0] for one in shown]
    if role in roles:
        assert page.title[0].value == title
        assert refused() == []
        return
    assert [error.value for error in page.error] == [
        f"Your role, {role.capitalize()}, cannot {_ACTIONS[name]}."
    ]
    assert refused() == [f"{_NEEDS.get(name, name)}.refused"]
    assert not page.title
    for kind in ("component_instance", "link_button", "text_input", "popover", "file_uploader"):
        assert not page.get(kind)
    assert not any(secret in texts(page) for secret in SECRETS)


@pytest.mark.usefixtures("shop")
def test_whoever_loses_access_while_a_page_is_drawn_sees_nothing_but_why() -> None:
    with deactivated_after_the_header():
        page = open_page("orders")
    assert texts(page) == (
        "Order Desk\nYou are not signed in. Ask an admin of Order Desk to give you access."
    )
    assert not page.exception
    for kind in ("page_link", "component_instance", "link_button", "text_input", "popover"):
        assert not page.get(kind)


_NEEDS = {"imports": "import"}  # the permission, if its name differs from the page's
_ACTIONS = {
    "transactions": "see the transactions of all orders",
    "emails": "see or send e-mails",
    "imports": "import or dump orders, or manage sample data",
    "users": "manage users",
    "contracts": "manage contracts",
    "audit_trail": "see the audit trail",
}


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("tab", ["Products", "Transactions", "Refunds", "History"])
def test_every_role_sees_every_tab_of_an_order(role: Role, tab: str) -> None:
    become(role)
    page = open_page("order", order="OD-1", tab=tab)
    assert not page.exception
    assert not page.error
    assert page.title[0].value == "Order OD-1"
    mails = {"E-mails"} if role in (Role.AGENT, Role.ADMIN) else set()
    always = {"Products", "Transactions", "Refunds", "History"}
    assert {one.label for one in page.tabs} == always | mails


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("role", Role)
def test_refund_and_vouchers_are_offered_to_agents_and_admins(role: Role) -> None:
    become(role)
    page = open_page("order_items")
    labels = {button.label for button in page.button}
    actions = {"Refund", "Download Voucher", "Send Voucher"}
    assert labels & actions == (actions if role in (Role.AGENT, Role.ADMIN) else set())


@pytest.mark.usefixtures("shop")
def test_a_change_of_role_applies_in_the_next_run() -> None:
    page = open_page("users")
    assert page.title[0].value == "Users"
    become(Role.VIEWER)
    page.run()
    assert "cannot manage users" in texts(page)
    assert not page.get("component_instance")


# Users.


def _user(page: AppTest, user_id: str) -> AppTest:
    page = grid_says(page, place="users", view={}, selected=[user_id])
    return page.button(key="change_user").click().run()


@pytest.mark.usefixtures("shop")
def test_a_person_is_added_by_e_mail(admin: Actor) -> None:
    make_contract("CT-2")
    page = open_page("users")
    assert page.button(key="change_user").disabled
    page.button(key="add_user").click().run()
    page.text_input(key="user_email").input("ana")
    page.button(key="user_confirm").click().run()
    assert "is not a valid e-mail address" in texts(page)
    page.text_input(key="user_email").input("Ana@Helios.example")
    page.text_input(key="user_name").input("Ana Díaz")
    page.segmented_control(key="user_role_new").set_value("agent")
    page.multiselect(key="user_contracts_new").select("CT-2")
    page.button(key="user_confirm").click().run()
    assert not page.exception
    with storage.reading() as session:
        user = session.scalars(select(User).where(User.email == "ana@helios.example")).one()
    person = access.get_person(user.user_id, actor=admin)
    assert person.name == "Ana Díaz"
    assert person.rights == Rights(Role.AGENT, contracts=frozenset({"CT-2"}))


@pytest.mark.usefixtures("shop")
def test_a_selected_person_is_changed(admin: Actor) -> None:
    with storage.reading() as session:
        user_id = session.scalars(
            select(User.user_id).where(User.email == "new@helios.example")
        ).one()
    page = _user(open_page("users"), user_id)
    assert "new@helios.example" in texts(page).replace("\\", "")
    page.checkbox(key=f"user_all_{user_id}").check()
    page.checkbox(key=f"user_active_{user_id}").uncheck()
    page.button(key="user_confirm").click().run()
    assert not page.exception
    rights = access.get_person(user_id, actor=admin).rights
    assert (rights.sees_all_contracts, rights.is_active) == (True, False)


@pytest.mark.usefixtures("shop")
def test_ones_own_rights_are_not_offered_for_change() -> None:
    page = _user(open_page("users"), LOCAL_USER_ID)
    assert "You cannot change your own rights" in texts(page)
    assert not [button for button in page.button if button.key == "user_confirm"]


# Signed in by a provider.


@pytest.fixture
def signing_in(shop: None) -> Iterator[None]:
    with settings(**SIGN_IN):
        yield


@pytest.mark.usefixtures("signing_in")
@pytest.mark.parametrize("name", [*OPENS, "order", ""])
def test_without_a_sign_in_every_page_shows_only_the_form(name: str) -> None:
    page = open_page(name, order="OD-1")
    assert not page.exception
    assert page.title[0].value == "Order Desk"
    assert [button.label for button in page.button] == ["Sign in"]
    for kind in (
        "component_instance", "link_button", "text_input", "page_link", "popover", "file_uploader",
    ):  # fmt: skip
        assert not page.get(kind)
    assert not any(secret in texts(page) for secret in SECRETS)
