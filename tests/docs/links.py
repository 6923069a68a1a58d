"""Links of the pages: which of them lead nowhere."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

_CODE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`+[^`\n]+`+")
# [words](target), an image alike; href, src and srcset of HTML; [name]: target.
_LINK = re.compile(
    r"\]\(\s*<?(?P<inline>[^)\s>]+)"
    r"|(?:href|src|srcset)=\"(?P<html>[^\"\s]+)"
    r"|^\[[^\]]+\]:\s+(?P<named>\S+)",
    re.MULTILINE,
)
_HEADING = re.compile(r"^#{1,6} +(?P<words>.+?) *#*$", re.MULTILINE)
_OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def find_dead(pages: Sequence[Path], project: Path) -> list[str]:
    """Find each link within the project that leads to no file or no heading, as a sentence."""
    return [
        f"{page.relative_to(project)}: {target} {fault}"
        for page in pages
        for target in _targets(page)
        if (fault := _fault(page, target, project))
    ]


def linked(page: Path) -> set[Path]:
    """Return the files that a page links to."""
    paths = (target.partition("#")[0] for target in _targets(page))
    return {(page.parent / unquote(path)).resolve() for path in paths if path}


def _targets(page: Path) -> Iterator[str]:
    text = _SPAN.sub("", _CODE.sub("", page.read_text()))
    for found in _LINK.finditer(text):
        target = found["inline"] or found["html"] or found["named"]
        if not _OUTSIDE.match(target):
            yield target


def _fault(page: Path, target: str, project: Path) -> str | None:
    path, _, anchor = target.partition("#")
    file = (page.parent / unquote(path)).resolve() if path else page
    if not file.exists():
        return "leads to no file"
    if not file.is_relative_to(project.resolve()):
        return "leads out of the project"
    if anchor and anchor not in anchors(file):
        return "leads to no heading"
    return None


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in _HEADING.finditer(_CODE.sub("", page.read_text())):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading["words"])
        name = re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")
        count = 0
        while (again := f"{name}-{count}" if count else name) in found:
            count += 1
        found.add(again)
    return found
