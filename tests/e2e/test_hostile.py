"""Texts that would be code, markup or formulas elsewhere stay texts here."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import use_database
from tests.e2e.conftest import POLICY, OpenDesk, Watch
from tests.e2e.desk import Desk
from tests.e2e.servers import Server, serving
from tests.e2e.waiting import expect
from tests.rows import CREATED, make_order

CODE = "::JSCODE::(window.parent.hacked=1)::JSCODE::"
MARKUP = "<img src=x onerror='window.hacked=1;parent.hacked=1'>"
VALUES = [
    "=1+1",
    "<b>x</b>",
    "😀 Zoë 王伟",
    CODE,
    MARKUP,
    "--x_x--::JSCODE::--x_x--(window.parent.hacked=1)--x_x--::JSCODE::--x_x--",
    "@SUM(A1)",
]
MARKDOWN = [
    "**bold** _it_ `code` $x^2$ # ~~x~~",
    "[a](http://evil.example/) http://evil.example/ www.evil.example a@evil.example",
    ":material/home:",
    ":smile: :red[x] :streamlit:",
    "a -> b <- c -- d >= e <= f ~= g",
]
TURNED = "OD-\u202e1"  # the ID of the oldest order
IS_HACKED = "() => Boolean(window.hacked || document.querySelector('iframe')?.contentWindow.hacked)"


# What injected markup would try, and the directive that blocks it on a page and in the grid.
ATTACKS = {
    "fetch('http://localhost:9/')": "connect-src",
    "new WebSocket('ws://localhost:9/')": "connect-src",
    "new Image().src = 'http://localhost:9/'": "img-src",
    "add('img', 'src', 'data:,').setAttribute('onerror', 'window.hacked=1')": "script-src-attr",
    "add('script', 'textContent', 'window.hacked=1')": "script-src-elem",
    "add('script', 'src', 'http://localhost:9/')": "script-src-elem",
    "add('link', 'rel', 'stylesheet').href = 'http://localhost:9/'": "style-src-elem",
    "add('iframe', 'src', 'http://localhost:9/')": "frame-src",
    "add('object', 'data', 'http://localhost:9/')": "object-src",
    "add('video', 'src', 'http://localhost:9/')": "media-src",
    "add('base', 'href', 'http://localhost:9/')": "base-uri",
    "add('form', 'action', 'http://localhost:9/', '_blank').submit()": "form-action",
    "new Worker('/app/static/logo.svg')": "worker-src",
    "new FontFace('x', 'url(http://localhost:9/)').load()": "font-src",
}
ATTACK = """attack => new Promise(done => {
  const blocked = event => done(event.effectiveDirective);
  addEventListener("securitypolicyviolation", blocked, {once: true});
  const add = (tag, name, value, target) => {
    const made = document.createElement(tag);
    Object.assign(made, {[name]: value, target});
    return document.body.appendChild(made);
  };
  setTimeout(() => done("nothing"), 2000);
  try { Promise.resolve(eval(attack)).catch(() => {}) } catch {}
})"""
LATER = """() => new Promise(done => setTimeout(() => {
  try { done(Function("return 'ran'")()) } catch { done("blocked") }
}))"""


@pytest.fixture(scope="module")
def hostile(make_database: Callable[[str], str], kind: str, data_dir: Path) -> Iterator[Server]:
    """Run a server whose orders have hostile authors, widgets and contracts."""
    url = make_database(kind)
    use_database(url)
    for no, value in enumerate(VALUES):
        made = CREATED - timedelta(days=no)
        ids = {"order_id": TURNED} if value == VALUES[-1] else {}
        make_order(author=value, widget_id=value, contract_id=value, created_at=made, **ids)
    with serving(url, data_dir) as server:
        yield server


def test_hostile_rows_are_shown_and_exported_as_text(
    open_tab: OpenDesk, hostile: Server, tmp_path: Path
) -> None:
    desk = open_tab(hostile).open()
    desk.expect_count(len(VALUES), len(VALUES))
    for name in ("author", "widget_id", "contract_id"):
        desk.expect_column(name, VALUES)
    desk.header("Author").hover()
    file = desk.download(tmp_path)
    for header in ("Author", "Widget ID", "Contract ID"):
        assert file.column(header) == VALUES
    assert {cell.data_type for row in file.cells for cell in row} <= {"s", "n", "d"}
    assert not desk.page.evaluate(IS_HACKED)


def test_an_id_that_turns_the_text_shows_what_it_has_and_still_opens_its_order(
    open_tab: OpenDesk, hostile: Server
) -> None:
    desk = open_tab(hostile).open()
    shown = desk.cell(len(VALUES) - 1, "order_id")
    expect(shown).to_have_text("OD-⟨U+202E⟩1")
    desk.box_of(len(VALUES) - 1).click()
    desk.expect_selected("1 selected")
    shown.get_by_role("link").click()
    expect(desk.page.get_by_role("heading", name="Order OD-⟨U+202E⟩1")).to_be_visible()


def test_hostile_values_in_the_list_are_text_and_can_be_chosen(
    open_tab: OpenDesk, hostile: Server, tmp_path: Path
) -> None:
    desk = open_tab(hostile).open()
    rows = desk.open_list("Widget ID")
    expect(rows.locator(".deskSetValue")).to_have_text(sorted(VALUES))
    desk.tick(CODE)
    desk.tick(MARKUP)
    desk.expect_words(f"Widget ID is {CODE} or {MARKUP}")
    desk.expect_column("widget_id", [CODE, MARKUP])
    assert desk.download(tmp_path).column("Widget ID") == [CODE, MARKUP]
    assert not desk.page.evaluate(IS_HACKED)


def test_hostile_link_runs_nothing_and_is_shown_as_text(
    open_tab: OpenDesk, hostile: Server
) -> None:
    contains = {"filterType": "text", "type": "contains", "filter": CODE}
    chosen = {"filterType": "set", "values": [CODE, MARKUP]}
    desk = open_tab(hostile).open(view={"filters": {"author": contains, "widget_id": chosen}})
    desk.expect_words(f"Author contains “{CODE}”", f"Widget ID is {CODE} or {MARKUP}")
    desk.expect_count(1, len(VALUES))
    desk.expect_column("author", [CODE])
    expect(desk.box("Author")).to_have_value(CODE)
    assert not desk.page.evaluate(IS_HACKED)


def test_hostile_text_typed_into_a_filter_runs_nothing(open_tab: OpenDesk, hostile: Server) -> None:
    desk = open_tab(hostile).open()
    for value in (CODE, MARKUP):
        desk.box("Author").fill(value)
        desk.expect_words(f"Author contains “{value}”")
        desk.expect_column("author", [value])
    desk.page.go_back()
    desk.expect_words(f"Author contains “{CODE}”")
    desk.expect_column("author", [CODE])
    assert not desk.page.evaluate(IS_HACKED)


@pytest.mark.parametrize("typed", MARKDOWN)
def test_markdown_typed_into_a_filter_is_shown_as_typed(desk: Desk, typed: str) -> None:
    desk.box("Author").fill(typed)
    chip = desk.words.get_by_role("button").first.locator("p")
    # A sign without width may stand between any two characters.
    shown = "[\u200b\u2060]*".join(map(re.escape, f"Author contains “{typed}”"))
    expect(chip).to_have_text(re.compile(shown))
    expect(desk.words.get_by_role("link")).to_have_count(0)


def test_markup_that_got_into_page_or_grid_could_reach_no_other_machine(
    open_tab: OpenDesk, watch: Watch
) -> None:
    """The watch notes each attack: so its silence elsewhere means that nothing was blocked."""
    desk = open_tab().open()
    grid = desk.frames.element_handle().content_frame()
    for frame in (desk.page.main_frame, grid):
        assert frame is not None
        for attack, directive in ATTACKS.items():
            with desk.page.expect_console_message(lambda said: POLICY in said.text):
                assert frame.evaluate(ATTACK, attack) == directive, attack
    assert len(watch.errors) >= 2 * len(ATTACKS)
    watch.errors.clear()
    assert not desk.page.evaluate(IS_HACKED)


def test_only_the_frame_of_the_grid_turns_texts_into_code(desk: Desk, watch: Watch) -> None:
    grid = desk.frames.element_handle().content_frame()
    assert grid is not None
    assert (desk.page.evaluate(LATER), grid.evaluate(LATER)) == ("blocked", "ran")
    assert "script-src eval" in watch.errors[0]
    watch.errors.clear()
