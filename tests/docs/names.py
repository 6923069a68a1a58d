"""Names in code spans of the pages: paths that are not there, variables that nothing reads."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

_SPAN = re.compile(r"`([^`\n]+)`")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
# A path of the source, such as core/refunds/request.py or pages/grid/.
_FOLDER = "(?:core|pages|tests|docs|deploy)"
_PATH = re.compile(rf"{_FOLDER}(?:/[\w.-]+)+/?|(?:app|core|deploy|pages|tests)(?:\.py|/)")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_CONSTANT = re.compile(r"^([A-Z][A-Z0-9_]+)\b[^=\n]*=", re.MULTILINE)
_READ = re.compile(r"(?:environ(?:\.get)?|getenv)\s*[\[(]\s*[\"'](\w+)")
_OPTION = re.compile(r"get_option\(\s*[\"']server\.(\w+)")


def find_missing_paths(pages: Sequence[Path], project: Path) -> list[str]:
    """Find each path that a page names and the project has not, as a sentence."""
    return [
        f"{page.relative_to(project)}: {path} is not there"
        for page in pages
        for path in sorted(_all(page, _PATH))
        if not (project / path).exists()
    ]


def find_unknown_variables(pages: Sequence[Path], known: Iterable[str], project: Path) -> list[str]:
    """Find each variable that a page names and nothing reads, as a sentence."""
    names = set(known)
    return [
        f"{page.relative_to(project)}: nothing reads {name}"
        for page in pages
        for name in sorted(_all(page, _VARIABLE) - names)
    ]


def _all(page: Path, pattern: re.Pattern[str]) -> set[str]:
    """Return what whole words of code spans match."""
    spans = _SPAN.findall(_FENCE.sub("", page.read_text()))
    words = (word.strip(",.;:") for span in spans for word in re.split(r"[\s=]", span))
    return {word for word in words if pattern.fullmatch(word)}


def find_constants(source: str) -> list[str]:
    """Find the constants of a module."""
    return _CONSTANT.findall(source)


def read_variables(source: str) -> Iterator[str]:
    """Yield the environment variables that a source reads besides the settings."""
    yield from _READ.findall(source)
    for option in _OPTION.findall(source):
        yield "STREAMLIT_SERVER_" + re.sub(r"(?=[A-Z])", "_", option).upper()
