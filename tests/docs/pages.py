"""The pages of the documentation, and the generated blocks in them."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.docs import PROJECT

_BLOCK = re.compile(
    r"(<!-- generated: (?P<name>[a-z]+) -->\n)(?P<text>.*?)(<!-- end -->)", re.DOTALL
)


FOLDERS = ("docs", "core", "pages", "tests")


def find_pages(project: Path = PROJECT) -> list[Path]:
    """Find every page of the project: those at its top, and those in its folders."""
    below = (page for name in FOLDERS for page in sorted((project / name).rglob("*.md")))
    own = (page for page in below if "node_modules" not in page.parts)
    return [*sorted(project.glob("*.md")), *own]


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield each generated block of a page: its name and its text."""
    for found in _BLOCK.finditer(text):
        yield found["name"], found["text"]


def filled(text: str, made: Mapping[str, str]) -> str:
    """Return a page with the blocks that were made in the place of those it has."""
    return _BLOCK.sub(lambda found: f"{found[1]}{made[found['name']]}{found[4]}", text)
