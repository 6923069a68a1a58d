"""What a browser does with an address that is refused."""

from tests.e2e.conftest import OpenDesk
from tests.e2e.servers import Server
from tests.e2e.waiting import expect


def test_another_page_cannot_show_order_desk_in_a_frame(open_tab: OpenDesk, shop: Server) -> None:
    page = open_tab(shop).page
    page.goto(f"data:text/html,<iframe src='{shop.url}/orders'></iframe>")
    (frame,) = page.main_frame.child_frames
    assert "chrome-error" in frame.url
    assert "Order Desk" not in frame.content()


def test_forged_export_link_shows_a_page_with_a_way_back(open_tab: OpenDesk, shop: Server) -> None:
    desk = open_tab(shop)
    answer = desk.page.goto(f"{shop.url}/export/orders?token=forged")
    assert answer is not None
    assert answer.status == 401
    expect(desk.page.get_by_role("heading", name="Not downloaded")).to_be_visible()
    desk.page.get_by_role("link", name="Back to Order Desk").click()
    expect(desk.page.get_by_role("heading", name="Overview")).to_be_visible()
