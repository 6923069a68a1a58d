"""Every link of the documentation leads somewhere."""

from pathlib import Path

from tests.docs import PROJECT
from tests.docs.links import anchors, find_dead, linked
from tests.docs.pages import find_pages


def test_every_link_and_anchor_resolves() -> None:
    pages = find_pages()
    assert PROJECT / "README.md" in pages
    assert PROJECT / "docs/guide/refunds.md" in pages
    assert find_dead(pages, PROJECT) == []


def test_a_dead_link_is_reported(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Your own orders\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md) [b](other.md#your-own-orders) [c](none.md) [d](other.md#own) "
        '[e](#here) ![f](none.png) <img src="none.svg"> [g](https://example.com/none)\n\n'
        "[h]: gone.md\n\n# Here\n\n`[i](code.md)`\n\n```\n[j](fence.md)\n```\n"
    )
    assert find_dead([page], tmp_path) == [
        "page.md: none.md leads to no file",
        "page.md: other.md#own leads to no heading",
        "page.md: none.png leads to no file",
        "page.md: none.svg leads to no file",
        "page.md: gone.md leads to no file",
    ]


def test_anchors_are_those_of_github(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Once, and never twice\n## `make check`\n## Is it ready?\n## Is it ready?\n"
        "## [Docs](x.md): 2 & more\n```\n# no heading\n```\n"
    )
    assert anchors(page) == {
        "once-and-never-twice", "make-check", "is-it-ready", "is-it-ready-1", "docs-2--more",
    }  # fmt: skip


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [PROJECT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += [one for one in linked(page) if one.suffix == ".md" and one.exists()]
    assert [str(page.relative_to(PROJECT)) for page in find_pages() if page not in reached] == []
