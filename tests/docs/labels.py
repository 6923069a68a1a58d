"""Labels that the guide names in bold or italics: which of them no text of the code has."""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

FOLDERS = ("core", "pages")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
# What begins with a capital and does not end a sentence: **Refund**, *Refund N items*. Bold words
# that end with a mark lead into a paragraph.
_LABEL = re.compile(
    r"(?<![\w*])(\*\*?)(?P<words>[A-Z](?:[^*]|\n(?!\n)){0,80}?[^*.:?\s])\1(?![\w*])"
)
_ANY = "N"  # stands for a number, in a label and in the code


def find_unknown(pages: Sequence[Path], project: Path) -> list[str]:
    """Find each label that a page names and no text of the code has, as a sentence."""
    texts = [_plain(text) for text in _texts(project)]
    return [
        f"{page.relative_to(project)}: no text has “{label}”"
        for page in pages
        for label in _labels(page)
        if not any(_plain(label) in text for text in texts)
    ]


def _labels(page: Path) -> Iterator[str]:
    for found in _LABEL.finditer(_FENCE.sub("", page.read_text())):
        yield " ".join(found["words"].split())


def _plain(text: str) -> str:
    """Return a text as it is compared: not_used is shown as “Not used”."""
    return " ".join(text.replace("_", " ").casefold().split())


def _texts(project: Path) -> Iterator[str]:
    for folder in FOLDERS:
        for path in sorted((project / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
                elif isinstance(node, ast.JoinedStr):
                    yield "".join(
                        str(part.value) if isinstance(part, ast.Constant) else _ANY
                        for part in node.values
                    )
