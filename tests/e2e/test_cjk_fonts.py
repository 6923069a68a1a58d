"""Chinese, Japanese and Korean show without a font of the system, from our own files."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.conftest import use_database
from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import Desk
from tests.e2e.servers import Server, serving
from tests.e2e.waiting import expect
from tests.rows import make_order
from tests.shop import make_shop

BASE = "/desk"
LATIN, EASTERN = "OD-LATIN", "OD-EAST"
NAME = "欧阳喆 佐々木さくら 김민준 𠮷野"
LOADED = """async () => {
  await document.fonts.ready;
  return [...document.fonts]
    .filter(face => face.family.includes("Desk CJK") && face.status === "loaded").length;
}"""


@pytest.fixture(scope="module")
def server(make_database: Callable[[str], str], kind: str, data_dir: Path) -> Iterator[Server]:
    """Run a server under a path, with an order whose author has a name of the Far East."""
    url = make_database(kind)
    use_database(url)
    make_shop(url)
    make_order(LATIN, author="Zoë Müller")
    make_order(EASTERN, author=NAME)
    with serving(url, data_dir, STREAMLIT_SERVER_BASE_URL_PATH=BASE) as server:
        yield server


@pytest.fixture
def desk(open_tab: OpenDesk, server: Server) -> Desk:
    return open_tab(server)


def asked_of(page: Page) -> list[str]:
    """Return what the page and its frames ask of the folder of these fonts, as it comes."""
    asked: list[str] = []
    page.on(
        "response",
        lambda answer: (
            asked.append(f"{answer.status} {answer.url.rpartition('.')[2]}")
            if "/fonts/cjk/" in answer.url
            else None
        ),
    )
    return asked


def loaded_in(desk: Desk) -> tuple[int, int]:
    """Return how many slices the page has loaded, and how many the grid's frame has."""
    frame = desk.frames.element_handle().content_frame()
    assert frame is not None
    return desk.page.evaluate(LOADED), frame.evaluate(LOADED)


def only(order_id: str) -> dict[str, object]:
    condition = {"filterType": "text", "type": "equals", "filter": order_id}
    return {"filters": {"order_id": condition}}


def test_a_page_without_these_characters_loads_no_slice(desk: Desk) -> None:
    asked = asked_of(desk.page)
    desk.open(view=only(LATIN))
    assert loaded_in(desk) == (0, 0)
    assert {*asked} == {"200 css"}


def test_the_grid_and_the_page_of_an_order_load_the_few_slices_that_they_need(desk: Desk) -> None:
    asked = asked_of(desk.page)
    desk.open(view=only(EASTERN))
    expect(desk.cell(0, "author")).to_have_text(NAME)
    _, in_grid = loaded_in(desk)
    assert 4 <= in_grid <= len(NAME)
    assert "200 woff2" in asked
    desk.page.goto(f"{desk.server}/order?order={EASTERN}")
    expect(desk.page.get_by_text(NAME)).to_be_visible()
    assert desk.page.evaluate(LOADED) == in_grid
