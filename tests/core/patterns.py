"""All regular expressions of the product, and hostile texts that are built from their parts.

The patterns are found automatically: literals in the source, and built ones in the namespaces of
their modules.
"""

import ast
import importlib
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
SHORT, LONG = 4_000, 32_000  # characters: eight times as long
MOST_GROWTH = 24  # times: linear work grows by 8, quadratic by 64
ROUNDS = 3  # measurements that all must show the growth
FEW_SECONDS = 0.02  # CPU time that is ignored: shorter times cannot be measured reliably
PATIENCE = 3.0  # seconds of CPU time before it is aborted
MOST_PIECES = 160
TAILS = ("", "\x00", "\n!")
METHODS = ("search", "match", "fullmatch")
CALLS = {"compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
# The characters tried for a set: one of each sort.
SIGNS = "a0 -_.:/@=?*(\"'\n,;\\A\x00é"

Pattern = re.Pattern[Any]


class TooSlow(Exception):
    """A pattern takes too long on a text."""


def sources() -> list[Path]:
    """Return all Python files of the product."""
    files = [PROJECT / "app.py", *PROJECT.glob("core/**/*.py"), *PROJECT.glob("pages/**/*.py")]
    return sorted(file for file in files if "migrations" not in file.parts)


@dataclass(frozen=True)
class Used:
    """A pattern, and the methods that it is used with; `search` stands for all that scan."""

    pattern: Pattern
    methods: tuple[str, ...] = METHODS


def written_out(source: str) -> tuple[list[Used], list[int]]:
    """Return the literal patterns of a source, and the lines where it builds patterns."""
    tree = ast.parse(source)
    names = _names(tree)
    found, built = [], []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and _is_of_re(node.func)):
            continue
        assert isinstance(node.func, ast.Attribute)
        try:
            text = ast.literal_eval(node.args[0])
        except ValueError:
            built.append(node.lineno)
            continue
        name = names.get(id(node), "")
        is_kept = node.func.attr == "compile"
        methods = _methods_of(source, name) if is_kept else _as_methods({node.func.attr})
        found.append(Used(re.compile(text, _flags(node, node.func.attr)), methods))
    return found, built


def _is_of_re(called: ast.expr) -> bool:
    match called:
        case ast.Attribute(value=ast.Name(id="re"), attr=name):
            return name in CALLS
    return False


def _names(tree: ast.Module) -> dict[int, str]:
    """Return the values that a module assigns to plain names."""
    return {
        id(one.value): one.targets[0].id
        for one in tree.body
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name)
    }


def _methods_of(source: str, name: str) -> tuple[str, ...]:
    """Return the methods that a source uses on a named pattern; all methods if unclear."""
    asked = re.findall(rf"\b{re.escape(name)}\.(\w+)\(", source) if name else []
    is_plain = asked and len(re.findall(rf"\b{re.escape(name)}\b", source)) == len(asked) + 1
    return _as_methods(set(asked)) if is_plain else METHODS


def _as_methods(asked: set[str]) -> tuple[str, ...]:
    return tuple({one if one in ("match", "fullmatch") else "search" for one in asked})


def _flags(node: ast.Call, name: str) -> int:
    given = [one.value for one in node.keywords if one.arg == "flags"]
    if name == "compile":
        given += node.args[1:2]
    whole = [eval(compile(ast.Expression(one), "flags", "eval"), {"re": re}) for one in given]
    return int(sum(whole))


def kept_in(value: Any, depth: int = 3) -> Iterator[Pattern]:
    """Find the patterns in a value."""
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, dict):
        for one in value.values():
            yield from kept_in(one, depth - 1)
    elif depth and isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from kept_in(one, depth - 1)
    elif depth and isinstance(value, type) and value.__module__.startswith(("core", "pages")):
        yield from kept_in(dict(vars(value)), depth - 1)


def every_pattern() -> dict[str, Used]:
    """Return all patterns of the product, named by file and text."""
    found: dict[str, Used] = {}
    for file in sources():
        place = str(file.relative_to(PROJECT))
        patterns, built = written_out(file.read_text())
        if built:
            module = importlib.import_module(place.removesuffix(".py").replace("/", "."))
            known = {one.pattern for one in patterns}
            patterns += [Used(one) for one in kept_in(vars(module)) if one not in known]
        found |= {f"{place} {one.pattern.pattern!r}": one for one in patterns}
    return found


def slow_text(used: Used) -> str | None:
    """Return a text on which the pattern's time grows faster than linearly, if there is one."""
    pattern = used.pattern
    works: list[Callable[[Any], object]] = [getattr(pattern, one) for one in used.methods]
    if "search" in used.methods:
        works.append(lambda text: pattern.sub(_nothing, text))
    for head, piece, tail in hostile(pattern):
        for work in works:
            if _grows(work, pattern, head, piece, tail):
                return f"{head!r} + {piece!r} * n + {tail!r}"
    return None


def _nothing(found: "re.Match[Any]") -> Any:
    return found[0][:0]


def _grows(
    work: Callable[[Any], object], pattern: Pattern, head: str, piece: str, tail: str
) -> bool:
    """Return whether eight times the text takes far more than eight times the time."""

    def seconds(length: int) -> float:
        text: str | bytes = head + piece * (length // len(piece)) + tail
        if isinstance(pattern.pattern, bytes):
            assert isinstance(text, str)
            text = text.encode("latin-1", "replace")
        begin = time.process_time()
        work(text)
        return time.process_time() - begin

    def grows() -> bool:
        most = min(seconds(LONG) for _ in range(3))
        least = min(seconds(SHORT) for _ in range(3))
        return most > FEW_SECONDS and most > MOST_GROWTH * least

    try:
        with given_up_after(PATIENCE):
            if seconds(LONG) < FEW_SECONDS:
                return False
            # A busy machine makes a measurement longer, but not each of them.
            return all(grows() for _ in range(ROUNDS))
    except TooSlow:
        return True


@contextmanager
def given_up_after(seconds: float) -> Iterator[None]:
    """Abort a match that takes too much CPU time; Python handles signals during a match too."""

    def give_up(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def hostile(pattern: Pattern) -> Iterator[tuple[str, str, str]]:
    """Build texts from a pattern's parts: one part repeated, alone or after the text before it."""
    text = pattern.pattern
    assert isinstance(text, str | bytes)
    tree = list(_parser.parse(text, pattern.flags & ~re.UNICODE if _is(text) else pattern.flags))
    seen = set()
    for head, piece in _pieces(tree):
        for start in {"", head}:
            for tail in TAILS:
                if piece and (start, piece, tail) not in seen:
                    seen.add((start, piece, tail))
                    yield start, piece, tail


def _is(text: str | bytes) -> bool:
    return isinstance(text, bytes)


def _pieces(tree: list[Any]) -> list[tuple[str, str]]:
    """Return a text for each sequence of a pattern's parts, with the text before it."""
    found: dict[tuple[str, str], None] = {}
    for choice in range(3):
        for parts in _sequences(tree):
            texts = [one for part in parts if (one := _sample(part, choice))]
            texts = _joined(texts, parts)
            for start in range(len(texts)):
                for end in range(start + 1, len(texts) + 1):
                    found["".join(texts[:start]), "".join(texts[start:end])] = None
    return sorted(found, key=lambda one: len(one[1]))[:MOST_PIECES]


def _joined(texts: list[str], parts: list[Any]) -> list[str]:
    """Join consecutive letters into words, unless too few parts remain."""
    if len(texts) <= 12:
        return texts
    joined: list[str] = []
    was_letter = False
    for part, text in zip([one for one in parts if _sample(one, 0)], texts, strict=False):
        is_letter = part[0] is code.LITERAL
        if is_letter and was_letter:
            joined[-1] += text
        else:
            joined.append(text)
        was_letter = is_letter
    return joined


def _sequences(tree: list[Any]) -> Iterator[list[Any]]:
    """Return the parts of a pattern, also of its groups, branches and repetitions."""
    yield tree
    for kind, given in tree:
        if kind is code.BRANCH:
            for branch in given[1]:
                yield from _sequences(list(branch))
        elif kind in (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT):
            yield from _sequences(list(given[2]))
        elif kind is code.SUBPATTERN:
            yield from _sequences(list(given[3]))
        elif kind in (code.ASSERT, code.ASSERT_NOT):
            yield from _sequences(list(given[1]))
        elif kind is code.ATOMIC_GROUP:
            yield from _sequences(list(given))


def _sample(part: Any, choice: int) -> str:
    """Return a text that a part of a pattern matches, a different one for each choice."""
    kind, given = part
    if kind is code.LITERAL:
        return chr(given)
    if kind is code.NOT_LITERAL:
        return next(sign for sign in SIGNS[choice:] if sign != chr(given))
    if kind is code.ANY:
        return "a0 "[choice]
    if kind is code.IN:
        fitting = [sign for sign in _members(given) if _is_in(sign, given)] or ["a"]
        return fitting[(0, -1, len(fitting) // 2)[choice]]
    if kind in (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT):
        return _text(given[2], choice) * max(1, given[0])
    if kind is code.SUBPATTERN:
        return _text(given[3], choice)
    if kind is code.BRANCH:
        return _text(given[1][choice % len(given[1])], choice)
    if kind is code.ATOMIC_GROUP:
        return _text(given, choice)
    return ""  # an anchor, a lookaround or a backreference


def _text(parts: Any, choice: int) -> str:
    return "".join(_sample(part, choice) for part in parts)


def _members(given: list[Any]) -> list[str]:
    named = [chr(value) for kind, value in given if kind is code.LITERAL]
    named += [chr(value[0]) for kind, value in given if kind is code.RANGE]
    return [*named, *SIGNS]


def _is_in(sign: str, given: list[Any]) -> bool:
    is_negated = any(kind is code.NEGATE for kind, _ in given)
    return any(_fits(sign, kind, value) for kind, value in given) != is_negated


def _fits(sign: str, kind: Any, value: Any) -> bool:
    if kind is code.LITERAL:
        return ord(sign) == value
    if kind is code.RANGE:
        return bool(value[0] <= ord(sign) <= value[1])
    if kind is not code.CATEGORY:
        return False
    is_so = {
        code.CATEGORY_DIGIT: sign.isdigit(),
        code.CATEGORY_SPACE: sign.isspace(),
        code.CATEGORY_WORD: sign.isalnum() or sign == "_",
    }
    negated = {
        code.CATEGORY_NOT_DIGIT: not sign.isdigit(),
        code.CATEGORY_NOT_SPACE: not sign.isspace(),
        code.CATEGORY_NOT_WORD: not (sign.isalnum() or sign == "_"),
    }
    return bool((is_so | negated)[value])
