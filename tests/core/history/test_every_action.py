"""Every action that the source records has its sentence."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from core.history import ACTIONS, find_action

CORE = Path(__file__).resolve().parents[3] / "core"
RECORDERS = {"record", "_record", "record_event", "record_export"}
ANYTHING = "…"  # in the place of what only a run knows


def recorded_in(sources: Iterable[str]) -> set[str]:
    """Return the actions that the calls of recorders in some sources name."""
    trees = [ast.parse(source) for source in sources]
    named = {name: value for tree in trees for name, value in _assigned(tree.body)}
    return {
        action
        for tree in trees
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and _name_of(call.func) in RECORDERS
        for argument in [*call.args, *(one.value for one in call.keywords if one.arg == "action")]
        for action in _texts(argument, named | dict(_assigned(ast.walk(function))))
        if "." in action
    }


def _assigned(body: Iterable[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    for one in body:
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
            yield one.targets[0].id, one.value


def _name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _texts(node: ast.expr, named: dict[str, ast.expr]) -> Iterator[str]:
    """Yield what an expression can be, as far as it is written in the source."""
    match node:
        case ast.Constant(str() as text):
            yield text
        case ast.IfExp():
            yield from _texts(node.body, named)
            yield from _texts(node.orelse, named)
        case ast.JoinedStr():
            parts = [getattr(one, "value", None) for one in node.values]
            yield "".join(one if isinstance(one, str) else ANYTHING for one in parts)
        case ast.Subscript(value=ast.Name(id=table)) if table in named:
            values = getattr(named[table], "values", [])
            for one in values:
                yield from _texts(one, named)
        case ast.Name() if node.id in named and not isinstance(named[node.id], ast.Name):
            yield from _texts(named[node.id], named)


def untold(actions: Iterable[str]) -> list[str]:
    """Return the actions without a sentence; of one that a run completes, some end must be told."""
    return sorted(
        one
        for one in actions
        if find_action(one) is None
        and not (one.endswith(ANYTHING) and any(name.startswith(one[:-1]) for name in ACTIONS))
    )


def test_every_recorded_action_is_told() -> None:
    found = recorded_in(path.read_text() for path in CORE.rglob("*.py"))
    assert untold(found) == []
    expected = {"voucher.downloaded", "void_notice.sent", "user.reactivated", "figures.rebuilt"}
    expected |= {"voucher.saved_to_outbox", "void_notice.saved_to_outbox"}
    assert found >= expected | {"….exported", "refund.…", "….refused"}
    assert len(found) > 30


@pytest.mark.parametrize(
    "call",
    [
        "record_event(session, 'order.painted', actor=actor)",
        "access.record_event(session, action='order.painted')",
        "_record(session, 'order.painted' if is_red else 'user.added')",
        "events.record(session, f'paint.{colour}')",
    ],
)
def test_an_action_without_a_sentence_is_found(call: str) -> None:
    for source in (
        f"def paint():\n    {call}\n",
        "def paint():\n    action = 'a.b'\n    record(s, action)\n",
        "A = 'a.b'\ndef paint():\n    record(s, A)\n",
        "A = {1: 'a.b'}\ndef paint():\n    action = A[1]\n    record(s, action)\n",
    ):
        assert untold(recorded_in([source])) != []
