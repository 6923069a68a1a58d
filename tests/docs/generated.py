"""What the documentation says of the code, made from the code: the generated blocks."""

import argparse
import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from pydantic.fields import FieldInfo

from core.__main__ import make_parser
from core.access.permissions import ACTIONS, ROLES
from core.ground import Permission, Role
from core.ground.settings import Settings
from core.history import ACTIONS as TOLD
from core.history import ANY, Event, Subject, sentence_of
from tests.docs import PROJECT
from tests.docs.imports import Part, floors, read_parts, within

SETTINGS = PROJECT / "core/ground/settings.py"
_TARGET = re.compile(r"^(?P<name>[a-z-]+):.*?## (?P<words>.+)$", re.MULTILINE)


def make_blocks() -> dict[str, str]:
    """Make every block, by its name."""
    return {
        "settings": settings_block(SETTINGS.read_text(), Settings.model_fields),
        "commands": commands_block(make_parser()),
        "targets": targets_block((PROJECT / "Makefile").read_text()),
        "roles": roles_block(),
        "events": events_block(),
        "parts": parts_block(project_parts()),
    }


@cache
def project_parts() -> dict[str, Part]:
    """Read the parts of the project, once."""
    return read_parts(PROJECT)


def table(head: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    """Write a table in Markdown."""
    heads = list(head)
    rows = [heads, ["---"] * len(heads), *map(list, lines)]
    return "".join(
        f"| {' | '.join(one.replace('|', chr(92) + '|') for one in row)} |\n" for row in rows
    )


def settings_block(source: str, fields: Mapping[str, FieldInfo]) -> str:
    """Write a table for each group of settings: variable, default, and what its docstring says."""
    groups: dict[str, list[tuple[str, ...]]] = {}
    for group, name, words in _described(source):
        line = f"`{name.upper()}`", _default(fields[name]), words
        groups.setdefault(group, []).append(line)
    head = ("variable", "default", "what it is")
    parts = [f"\n## {group}\n\n{table(head, lines)}" for group, lines in groups.items()]
    return "".join(parts) + "\n"


def _described(source: str) -> Iterator[tuple[str, str, str]]:
    """Yield each setting: the comment that begins its group, its name, its docstring."""
    (found,) = (
        one
        for one in ast.parse(source).body
        if isinstance(one, ast.ClassDef) and one.name == "Settings"
    )
    lines, group = source.splitlines(), ""
    previous = found.lineno
    for statement, following in zip(found.body, [*found.body[1:], None], strict=True):
        comments = [
            one for one in lines[previous : statement.lineno - 1] if one.startswith("    # ")
        ]
        group = comments[-1].removeprefix("    # ") if comments else group
        previous = statement.end_lineno or statement.lineno
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield group, statement.target.id, _docstring(following)


def _docstring(statement: ast.stmt | None) -> str:
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return " ".join(str(statement.value.value).split()) if is_text else ""  # type: ignore[union-attr]


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if field.default_factory is not None or value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    text = str(value).replace(f"{PROJECT}/", "")
    return "<br>".join(f"`{line}`" for line in text.splitlines())


def commands_block(parser: argparse.ArgumentParser) -> str:
    """Write a section for each command: what it does, how it is written, its arguments."""
    (commands,) = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    helps = {one.dest: one.help or "" for one in commands._choices_actions}
    parts = [
        f"\n### {name}\n\n{_sentence(helps[name])}\n\n{_usage(parser.prog, name, command)}"
        f"{_arguments(command)}"
        for name, command in commands.choices.items()
    ]
    return "".join(parts) + "\n"


def _own_actions(command: argparse.ArgumentParser) -> list[argparse.Action]:
    return [one for one in command._actions if not isinstance(one, argparse._HelpAction)]


def _usage(program: str, name: str, command: argparse.ArgumentParser) -> str:
    words = [program, name, *(_written(one) for one in _own_actions(command))]
    return f"```sh\n{' '.join(words)}\n```\n"


def _written(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
    if not action.option_strings:
        return f"{value}…" if action.nargs == "+" else value
    option = f"{action.option_strings[0]} {value}".rstrip()
    return option if action.required else f"[{option}]"


def _arguments(command: argparse.ArgumentParser) -> str:
    lines = []
    for one in _own_actions(command):
        choices = (
            f"One of {', '.join(f'`{choice}`' for choice in one.choices)}." if one.choices else ""
        )
        has_default = one.option_strings and one.nargs != 0 and one.default is not None
        default = f"Default: {one.default}." if has_default else ""
        said = " ".join(filter(None, [_sentence(one.help or ""), choices, default]))
        if said:
            lines.append((f"`{_written(one).strip('[]')}`", said))
    return f"\n{table(('argument', 'what it is'), lines)}" if lines else ""


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith('.') else '.'}" if words else ""


def targets_block(makefile: str) -> str:
    """Write a table of what make offers."""
    found = _TARGET.findall(makefile)
    lines = [(f"`make {name}`", _sentence(words)) for name, words in found]
    return table(("command", "what it does"), lines)


def roles_block() -> str:
    """Write the table of what each role may do."""
    lines = [
        [ACTIONS[one].capitalize(), *("Yes" if role in ROLES[one] else "" for role in Role)]
        for one in Permission
    ]
    return table(["", *(role.capitalize() for role in Role)], lines)


def events_block() -> str:
    """Write a table of the audit actions: what each is about, and its sentence without facts."""
    order = list(Subject)
    lines = [
        (
            one.subject.capitalize(),
            f"`{name}`",
            sentence_of(Event(name.replace(ANY, "rows."), "Ana Ruiz")),
        )
        for name, one in sorted(TOLD.items(), key=lambda told: order.index(told[1].subject))
    ]
    return table(("about", "action", "sentence"), lines)


def parts_block(parts: Mapping[str, Part]) -> str:
    """Write a table of the parts, from the top down: what each is for, and what it imports."""
    lines = []
    for is_core in (False, True):
        heights = floors(within(parts, is_core=is_core))
        for name in sorted(heights, key=lambda one: (-heights[one], one)):
            imports = ", ".join(sorted(map(_short, parts[name].imports)))
            lines.append((f"`{_path(name)}`", parts[name].says, imports))
    return table(("part", "what it is for", "imports"), lines)


def _path(name: str) -> str:
    path = name.replace(".", "/")
    return f"{path}/" if (PROJECT / path).is_dir() else f"{path}.py"


def _short(name: str) -> str:
    return name.removeprefix("core.")
