"""What the documentation says of settings, commands, roles and layers is what the code says."""

import argparse
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from core.__main__ import make_parser
from core.ground.settings import Settings
from tests.docs.__main__ import PICTURE
from tests.docs.generated import (
    SETTINGS,
    commands_block,
    make_blocks,
    project_parts,
    settings_block,
    targets_block,
)
from tests.docs.imports import Circle, Part, arrows, floors, read_parts
from tests.docs.pages import blocks, filled, find_pages
from tests.docs.picture import draw

AGAIN = "run make docs"


def test_every_generated_block_is_on_a_page_and_as_the_code_makes_it() -> None:
    made = make_blocks()
    found = [(name, text) for page in find_pages() for name, text in blocks(page.read_text())]
    assert sorted(name for name, _ in found) == sorted(made)
    assert [name for name, text in found if text != made[name]] == [], AGAIN


def test_the_picture_of_the_layers_is_what_the_imports_make() -> None:
    assert PICTURE.read_text() == draw(project_parts()), AGAIN


def test_every_setting_has_words() -> None:
    text = settings_block(SETTINGS.read_text(), Settings.model_fields)
    lines = [line.split(" | ") for line in text.splitlines() if line.startswith("| `")]
    assert {line[0] for line in lines} == {f"| `{name.upper()}`" for name in Settings.model_fields}
    assert [line[0] for line in lines if line[2].strip(" |") == ""] == []


def test_a_new_setting_changes_the_page() -> None:
    fields = dict(Settings.model_fields) | {"planted": FieldInfo(annotation=int, default=7)}
    source = SETTINGS.read_text().replace(
        "    data_dir:", '    planted: int = 7\n    """What it is."""\n\n    data_dir:'
    )
    text = settings_block(source, fields)
    assert "| `PLANTED` | `7` | What it is. |" in text
    assert text != settings_block(SETTINGS.read_text(), Settings.model_fields)


def test_a_new_option_and_a_new_command_change_the_page() -> None:
    parser = make_parser()
    (commands,) = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    commands.choices["dump"].add_argument("--planted", default=3, help="how many")
    commands.add_parser("planted", help="do something")
    text = commands_block(parser)
    assert "python -m core dump FILE.xlsx [--planted PLANTED]" in text
    assert "| `--planted PLANTED` | How many. Default: 3. |" in text
    assert "### planted\n\nDo something.\n" in text


def test_a_new_target_of_make_changes_the_page() -> None:
    makefile = "help: ## list these\n\t@true\n\nplanted: one two ## do it: N=1\n\t@true\n"
    assert "| `make planted` | Do it: N=1. |" in targets_block(makefile)


def test_a_block_that_was_edited_by_hand_is_written_again() -> None:
    page = "# A\n<!-- generated: roles -->\nby hand\n<!-- end -->\nB\n"
    made = filled(page, {"roles": "as the code says\n"})
    assert made == page.replace("by hand", "as the code says")
    assert list(blocks(made)) == [("roles", "as the code says\n")]


def test_a_new_import_changes_the_picture(tmp_path: Path) -> None:
    for name, text in (
        ("a", "from core import b"),
        ("b", "import os"),
        ("c", "from core.b.x import y"),
    ):
        _write(tmp_path, f"core/{name}/__init__.py", text)
    _write(tmp_path, "core/b/x.py", "y = 1")
    before = read_parts(tmp_path)
    assert floors(before) == {"core.a": 1, "core.b": 0, "core.c": 1}
    assert arrows(before) == [("core.a", "core.b"), ("core.c", "core.b")]
    _write(tmp_path, "core/c/z.py", "def f():\n    from core.a import g")
    after = read_parts(tmp_path)
    assert floors(after) == {"core.a": 1, "core.b": 0, "core.c": 2}
    assert arrows(after) == [("core.a", "core.b"), ("core.c", "core.a")]
    assert draw(before) != draw(after)


def test_relative_imports_and_page_scripts_are_read(tmp_path: Path) -> None:
    _write(tmp_path, "core/__init__.py", "")
    _write(tmp_path, "core/a/__init__.py", "from .x import y")
    _write(tmp_path, "core/a/x.py", "from ..b import z")
    _write(tmp_path, "core/b.py", '"""Something. More of it."""')
    _write(tmp_path, "pages/orders.py", "from core import a")
    _write(tmp_path, "pages/main.py", "from pages.shell import s")
    _write(tmp_path, "pages/shell/__init__.py", "")
    assert read_parts(tmp_path) == {
        "core.a": Part("core.a", "", frozenset({"core.b"})),
        "core.b": Part("core.b", "Something.", frozenset()),
        "pages": Part("pages", "", frozenset({"core.a"})),
        "pages.main": Part("pages.main", "", frozenset({"pages.shell"})),
        "pages.shell": Part("pages.shell", "", frozenset()),
    }


def test_a_circle_is_named() -> None:
    parts = {
        "core.a": Part("core.a", "", frozenset({"core.b"})),
        "core.b": Part("core.b", "", frozenset({"core.a"})),
    }
    with pytest.raises(Circle, match=r"core\.a -> core\.b -> core\.a"):
        floors(parts)


def _write(project: Path, name: str, text: str) -> None:
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
