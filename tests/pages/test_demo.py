"""The strip of a demo database and its dialogs, run without a browser."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from streamlit.testing.v1 import AppTest

from core import demo, storage
from core.access import Actor
from core.access.actors import LOCAL_USER_ID
from core.ground import Role
from core.storage import Order, User
from tests.conftest import NOW, Fill
from tests.pages.opened import grid_says, open_page, texts
from tests.pages.test_roles import OPENS
from tests.rows import make_order

BUTTONS = ["Start with my own orders", "Reset the demo"]


@pytest.fixture
def filled(sqlite_database: str, admin: Actor, filled_once: Fill) -> None:
    filled_once(_fill, admin)


def _fill(admin: Actor) -> None:
    """Fill in 40 demo orders."""
    demo.fill(40, actor=admin, now=NOW)


def buttons(page: AppTest) -> list[str]:
    return [button.label for button in page.button if button.label in BUTTONS]


def count() -> int:
    with storage.reading() as session:
        return session.scalar(select(func.count()).select_from(Order)) or 0


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("name", OPENS)
def test_every_page_of_a_demo_says_so(name: str) -> None:
    page = open_page(name)
    assert not page.exception
    assert "40 sample orders" in texts(page)
    assert buttons(page) == BUTTONS


def test_a_database_of_real_orders_says_nothing_of_a_demo(sqlite_database: str) -> None:
    make_order("OD-1")
    page = open_page("orders")
    assert "sample orders" not in texts(page)
    assert buttons(page) == []


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT, Role.ACCOUNTANT])
def test_a_role_that_cannot_import_sees_the_strip_without_buttons(role: Role) -> None:
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).role = role
    page = open_page("orders")
    assert "40 sample orders" in texts(page)
    assert buttons(page) == []


@pytest.mark.usefixtures("filled")
def test_the_dialog_says_what_is_deleted_before_own_orders_begin() -> None:
    page = open_page("transactions")
    page.button(key="demo_clear").click().run()
    assert count() == 40
    said = texts(page)
    for words in (
        "cannot be undone",
        "Orders",
        "Refunds",
        "E-mails",
        "Saved views",
        "Users and their roles stay (1)",
    ):
        assert words in said
    assert "40" in [one.value for one in page.text]
    page.button(key="demo_confirm").click().run()
    assert not page.exception
    assert count() == 0
    assert page.title[0].value == "Orders"
    assert "There are no orders yet." in texts(page)
    assert "Demo data deleted." in texts(page)
    assert buttons(page) == []


@pytest.mark.usefixtures("filled")
def test_a_reset_shows_new_orders_and_nothing_ticked() -> None:
    with storage.reading() as session:
        order_id = session.scalars(select(Order.order_id)).first()
    page = grid_says(open_page("orders"), view={}, selected=[order_id])
    assert "**1 selected**" in texts(page)
    page.button(key="demo_reset").click().run()
    page.button(key="demo_confirm").click().run()
    assert not page.exception
    assert "**40** orders" in texts(page)
    assert "selected" not in texts(page)


@pytest.mark.usefixtures("filled")
def test_cancel_changes_nothing() -> None:
    page = open_page("orders")
    page.button(key="demo_reset").click().run()
    page.button(key="demo_cancel").click().run()
    assert not [button for button in page.button if button.key == "demo_confirm"]
    assert demo.count_orders() == 40


@pytest.mark.usefixtures("filled")
def test_a_dialog_of_a_demo_that_is_gone_says_so(admin: Actor) -> None:
    page = open_page("orders")
    page.button(key="demo_clear").click().run()
    demo.clear(actor=admin, now=NOW)
    page.button(key="demo_confirm").click().run()
    assert not page.exception
    assert "There are no orders yet." in texts(page)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("act", ["clear", "reset"])
@pytest.mark.parametrize("name", ["orders", "order_items", "emails", "users", "order"])
def test_another_tab_shows_a_message_and_no_failure(admin: Actor, act: str, name: str) -> None:
    """Its view, selection and order name rows that are deleted."""
    with storage.reading() as session:
        order_id = session.scalars(select(Order.order_id)).first() or ""
    place = f"order_items_{order_id}" if name == "order" else name
    page = open_page(name, **({"order": order_id} if name == "order" else {}))
    page = grid_says(page, place=place, view={}, selected=["gone-1", "gone-2"])
    {"clear": demo.clear, "reset": demo.reset}[act](actor=admin, now=NOW + timedelta(days=40))
    page.run()
    refund = [button for button in page.button if button.key == f"refund_{place}"]
    if refund:
        page = refund[0].click().run()
    assert not page.exception
    assert "is logged as" not in texts(page)
    gone = {"order": f"Order “{order_id}” was not found", "order_items": "There are no order items"}
    if act == "clear" and name in gone:
        assert gone[name] in texts(page).replace("\\", "")
    elif name == "order_items":
        assert "0 of 2 items will be refunded." in texts(page)
