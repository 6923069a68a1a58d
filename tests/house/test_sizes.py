"""No module or script is too long to be read at once: 300 lines, and 80 of a page."""

from collections.abc import Iterator
from pathlib import Path

from tests.house.copied_project import PROJECT

MOST_LINES, MOST_LINES_OF_A_PAGE = 300, 80


def too_long(project: Path) -> Iterator[str]:
    """Yield each module and script of the product that is too long, with its lines."""
    pages = set((project / "pages").glob("*.py"))
    written = ("core/**/*.py", "pages/**/*.py", "pages/**/*.js", "pages/**/*.ts")
    for module in [one for kind in written for one in project.glob(kind)]:
        lines = len(module.read_text().splitlines())
        if lines > (MOST_LINES_OF_A_PAGE if module in pages else MOST_LINES):
            yield f"{module.relative_to(project)}: {lines}"


def test_no_module_is_too_long() -> None:
    assert list(too_long(PROJECT)) == []


def test_a_module_that_is_too_long_is_found(tmp_path: Path) -> None:
    made = {"core/a/b.py": 301, "core/c.py": 300, "pages/d.py": 81, "pages/e/f.js": 301}
    for module, lines in made.items():
        (tmp_path / module).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / module).write_text("pass\n" * lines)
    assert sorted(too_long(tmp_path)) == [
        "core/a/b.py: 301",
        "pages/d.py: 81",
        "pages/e/f.js: 301",
    ]
