"""All regular expressions of the product run in linear time, also on hostile texts."""

import ast
import re

import pytest

from tests.core.patterns import (
    Used,
    every_pattern,
    hostile,
    kept_in,
    slow_text,
    sources,
    written_out,
)

PATTERNS = every_pattern()
# Former patterns: each takes seconds for a text that fits into one request.
SLOW = {
    "quadratic, the password of an address": r"(://[^/\s:@]*:)\S+(?=@)",
    "quadratic, a block of PEM": r"(?s)-----BEGIN ([A-Z ]+)-----(.*?)-----END \1-----",
    "quadratic, blanks": r"\s*\(\d+\)$",
    "cubic, a header with its zone": r"(?s)(.*?)\s*\(([^()]*)\)\s*$",
    "exponential, words": r"(\w+\s?)+:",
}


@pytest.mark.parametrize("name", PATTERNS)
def test_the_time_of_a_pattern_grows_linearly(name: str) -> None:
    assert slow_text(PATTERNS[name]) is None


@pytest.mark.parametrize("name", SLOW)
def test_a_pattern_with_faster_growth_is_detected(name: str) -> None:
    assert slow_text(Used(re.compile(SLOW[name]))) is not None


@pytest.mark.parametrize("name", PATTERNS)
def test_there_are_hostile_texts_for_every_pattern(name: str) -> None:
    assert len(list(hostile(PATTERNS[name].pattern))) >= 3


def test_compiled_literal_and_built_patterns_are_found() -> None:
    source = (
        "import re\n"
        "KEPT = re.compile('a+', re.IGNORECASE)\n"
        "def find(text): return re.search(r'b', text) or KEPT.fullmatch(text)\n"
        "BUILT = [re.compile(one) for one in 'cd']\n"
    )
    found, built = written_out(source)
    assert sorted((one.pattern.pattern, one.methods) for one in found) == [
        ("a+", ("fullmatch",)),
        ("b", ("search",)),
    ]
    assert found[0].pattern.flags & re.IGNORECASE
    assert built == [4]
    namespace: dict[str, object] = {}
    exec(source, namespace)
    assert {one.pattern for one in kept_in(namespace["BUILT"])} == {"c", "d"}


def test_every_built_pattern_is_built_once() -> None:
    for file in sources():
        tree = ast.parse(file.read_text())
        _, built = written_out(file.read_text())
        inside = {
            line
            for one in ast.walk(tree)
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for line in range(one.lineno, (one.end_lineno or one.lineno) + 1)
        }
        assert inside.isdisjoint(built), file
        imported = [one.module for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)]
        assert "re" not in imported, file
