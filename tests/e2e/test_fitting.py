"""Dialogs and popovers fit every window: nothing is cut, and the buttons are in reach."""

from collections.abc import Callable

import pytest
from playwright.sync_api import ViewportSize

from tests.e2e.conftest import WINDOW, OpenDesk
from tests.e2e.desk import ITEMS, USERS, Desk
from tests.e2e.waiting import expect

SIZES: dict[str, ViewportSize] = {
    "phone": {"width": 390, "height": 844},
    "tablet": {"width": 768, "height": 1024},
    "laptop": {"width": 1280, "height": 720},
}
# What stands out of a dialog or popover to the right, and what of it cannot be scrolled to.
STANDS_OUT = """one => {
  const {left, right, top, bottom} = one.getBoundingClientRect();
  const kinds = ":is(a, button, input, textarea, p, h2, td, th, code, label)";
  const parts = [...one.querySelectorAll(kinds)];
  const isIn = part => part.closest("[style*='overflow'], .stTable, [data-testid=stTable], pre");
  const out = parts.filter(part => part.clientWidth > 1 && !isIn(part))
    .filter(part => part.getBoundingClientRect().right > right + 1).map(part => part.textContent);
  if (left < 0 || top < 0 || right > innerWidth + 1 || bottom > innerHeight + 1) out.push("itself");
  return out;
}"""


def show_refund(desk: Desk) -> None:
    """Tick so many that both tables of the dialog scroll."""
    desk.open(view={"search": "lounge"}, table=ITEMS)
    for row in range(14):
        desk.box_of(row).click()
    desk.expect_selected("14 selected")
    desk.page.get_by_role("button", name="Refund", exact=True).click()
    expect(desk.dialog.get_by_text("of 14 items will be refunded.")).to_be_visible()


def show_send(desk: Desk) -> None:
    desk.open(view={"search": "executive"}, table=ITEMS)
    desk.box_of(0).click()
    desk.expect_selected("1 selected")
    desk.page.get_by_role("button", name="Send Voucher", exact=True).click()


def show_save(desk: Desk) -> None:
    desk.open().open_popover("Views").get_by_role("button", name="Save this view…").click()


def show_user(desk: Desk) -> None:
    desk.open(table=USERS).page.get_by_role("button", name="Add user").click()


def show_reset(desk: Desk) -> None:
    desk.open().page.get_by_role("button", name="Reset the demo").click()


@pytest.mark.parametrize("show", [show_refund, show_send, show_save, show_user, show_reset])
def test_a_dialog_fits_every_window_with_its_buttons_in_sight(
    open_tab: OpenDesk, show: Callable[[Desk], None]
) -> None:
    desk = open_tab(fresh=True)
    page = desk.page
    show(desk)
    expect(desk.dialog).to_be_visible()
    desk.wait_for_run()
    for name, size in SIZES.items():
        page.set_viewport_size(size)
        expect(desk.dialog.locator("button[kind^=primary]").last).to_be_in_viewport(ratio=1)
        expect(desk.dialog.get_by_role("button", name="Close", exact=True)).to_be_in_viewport(
            ratio=1
        )
        assert desk.dialog.evaluate(STANDS_OUT) == [], name
    page.set_viewport_size(WINDOW)


POPOVERS = ["Views", "Paste IDs", "Columns", "More downloads", "Columns and refunds explained"]


@pytest.mark.parametrize("size", SIZES)
def test_a_popover_fits_every_window(open_tab: OpenDesk, size: str) -> None:
    desk = open_tab(fresh=True)
    page = desk.page
    page.set_viewport_size(SIZES[size])
    desk.open(table=ITEMS)
    for name in POPOVERS:
        fold = page.get_by_role("button", name="Tools", exact=True)
        if fold.is_visible() and fold.get_attribute("aria-expanded") != "true":
            fold.click()
        popover = desk.open_popover(name)
        assert popover.evaluate(STANDS_OUT) == [], name
        page.keyboard.press("Escape")
        expect(popover).to_have_count(0)
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    assert keys.evaluate(STANDS_OUT) == []
    expect(keys.get_by_role("heading", level=2)).to_be_in_viewport(ratio=1)
    page.set_viewport_size(WINDOW)
