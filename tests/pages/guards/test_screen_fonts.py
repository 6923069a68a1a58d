"""The fonts of the screen: which are there, and how long a browser keeps them."""

import hashlib
import re
from collections.abc import Callable, Iterator

import httpx
import pytest

from core.vouchers.pdf.fonts import load_font
from pages.guards.static_files import FOR_EVER
from pages.web import CJK_SHEET
from tests.conftest import use_database
from tests.docs import PROJECT
from tests.pages.routes.whole import Whole, whole_application

FONTS = PROJECT / "pages/static/fonts"
FOLDER = FONTS / "cjk"
INTER = re.compile(r"inter-[\w-]+\.woff2")
FACE = re.compile(r"url\(([^)]+)\).*unicode-range:([^}]+)}")
VOUCHERS = ("DroidSansFallback", "OrderDeskHangul-Regular", "NotoSansCJK-Rare")


@pytest.fixture(scope="module")
def whole(make_database: Callable[[str], str]) -> Iterator[Whole]:
    use_database(make_database("sqlite"))
    with whole_application() as whole:
        yield whole


@pytest.fixture
def client(whole: Whole) -> Iterator[httpx.Client]:
    with whole.client() as client:
        yield client


def faces() -> dict[str, list[range]]:
    """Read the ranges of each file in the style sheet."""
    sheet = (PROJECT / "pages" / CJK_SHEET.removeprefix("app/")).read_text()
    return {
        name: [_range(one) for one in ranges.split(",")] for name, ranges in FACE.findall(sheet)
    }


def _range(written: str) -> range:
    first, _, last = written.removeprefix("U+").partition("-")
    return range(int(first, 16), int(last or first, 16) + 1)


def test_a_font_that_the_browser_has_is_not_sent_again(client: httpx.Client) -> None:
    file = next(FOLDER.glob("*.woff2"))
    for path in (f"cjk/{file.name}", next(FONTS.glob("inter-latin-*.woff2")).name):
        got = client.get(f"/app/static/fonts/{path}")
        assert got.status_code == 200
        assert got.headers["Content-Type"] == "font/woff2"
        assert got.headers["Cache-Control"] == FOR_EVER
        again = client.get(
            f"/app/static/fonts/{path}", headers={"If-None-Match": got.headers["ETag"]}
        )
        assert (again.status_code, again.content) == (304, b"")
    assert client.get(f"/{CJK_SHEET}").headers["Content-Type"].startswith("text/css")


def test_the_name_of_a_font_changes_with_its_content_and_is_the_name_that_pages_ask_for() -> None:
    for font in FONTS.rglob("*.woff2"):
        begins = hashlib.sha256(font.read_bytes()).hexdigest()[:8]
        assert font.stem.rpartition("-")[2] == begins, font.name
    there = {font.name for font in FONTS.glob("inter-*.woff2")}
    asking = ("pages/shell/js/page.js", "pages/grid/grid.css", "pages/web/page_parts.py")
    asked = [set(INTER.findall((PROJECT / path).read_text())) for path in asking]
    assert asked[0] == asked[1] == there
    assert asked[2] <= there


def test_no_other_file_is_served_below_the_fonts(client: httpx.Client) -> None:
    for path in ("none.woff2", "..%2f..%2fmain.py", "cjk"):
        assert client.get(f"/app/static/fonts/{path}").status_code in (400, 404)


def test_the_style_sheet_names_each_file_once() -> None:
    assert sorted(faces()) == sorted(path.name for path in FOLDER.glob("*.woff2"))
    assert [path.name for path in FOLDER.glob("*.css")] == [CJK_SHEET.rpartition("/")[2]]


def test_every_chinese_japanese_and_korean_character_of_a_voucher_is_on_the_screen_too() -> None:
    seen = {code for ranges in faces().values() for one in ranges for code in one}
    blocks = (range(0x3040, 0x30FF), range(0x3400, 0x9FFD), range(0xAC00, 0xD7A4))
    printed = {code for name in VOUCHERS for code in load_font(f"{name}.ttf").shaper.face.unicodes}
    wanted = {code for code in printed if any(code in one for one in blocks) or code >= 0x20000}
    assert len(wanted) > 38_000
    assert wanted <= seen
    # The negative control: a page without these characters loads no slice.
    assert not seen & set(range(0x1100))
