"""Who imports whom, read from the source: the parts of Order Desk and the arrows between them."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

ROOTS = ("core", "pages")
SCRIPTS = "pages"  # the page scripts together: none imports another
APP = "app"


@dataclass(frozen=True)
class Part:
    """A package of core or pages, a loose module, or the page scripts together."""

    name: str
    says: str  # the first sentence of its docstring
    imports: frozenset[str]


class Circle(Exception):
    """Parts import each other in a circle."""


def read_parts(project: Path) -> dict[str, Part]:
    """Read the parts of the project, each with what it imports."""
    files = dict(_modules(project))
    says: dict[str, str] = {}
    imports: dict[str, set[str]] = {}
    for module, path in files.items():
        part = part_of(module, files)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imports.setdefault(part, set()).update(
            part_of(one, files) for one in _imported(tree, module, path, files)
        )
        if module == part:
            says[part] = _first_sentence(ast.get_docstring(tree) or "")
    return {
        name: Part(name, says.get(name, ""), frozenset(imports[name] - {name, "core"}))
        for name in sorted(imports)
        if name != "core"  # its __init__ holds nothing
    }


def _modules(project: Path) -> Iterator[tuple[str, Path]]:
    for root in ROOTS:
        for path in sorted((project / root).rglob("*.py")):
            names = path.relative_to(project).with_suffix("").parts
            yield ".".join(names[:-1] if names[-1] == "__init__" else names), path
    if (project / "app.py").exists():
        yield APP, project / "app.py"


def part_of(module: str, files: dict[str, Path]) -> str:
    """Name the part that a module belongs to."""
    names = module.split(".")
    part = ".".join(names[:2])
    is_package = part in files and files[part].name == "__init__.py"
    if names[0] == "pages" and not is_package and part != "pages.main":
        return SCRIPTS
    return part


def _imported(tree: ast.Module, module: str, path: Path, files: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = _source(node, module, path)
            both = [(f"{source}.{alias.name}", source) for alias in node.names]
            named = [one if one in files else other for one, other in both]
        else:
            continue
        yield from (one for one in named if one in files)


def _source(node: ast.ImportFrom, module: str, path: Path) -> str:
    """Name the module that a statement imports from, also where it is relative."""
    if not node.level:
        return node.module or ""
    up = node.level - (path.name == "__init__.py")
    package = module.split(".")[: -up or None]
    return ".".join([*package, *filter(None, [node.module])])


def _first_sentence(text: str) -> str:
    words = " ".join(text.split("\n\n")[0].split())
    end = words.find(". ")
    return words if end < 0 else words[: end + 1]


def floors(parts: dict[str, Part]) -> dict[str, int]:
    """Return how high each part stands: above everything that it imports; raises Circle."""
    heights: dict[str, int] = {}

    def height(name: str, above: tuple[str, ...]) -> int:
        if name in above:
            raise Circle(" -> ".join([*above[above.index(name) :], name]))
        if name not in heights:
            below = sorted(parts[name].imports)
            heights[name] = 1 + max((height(one, (*above, name)) for one in below), default=-1)
        return heights[name]

    for name in parts:
        height(name, ())
    return heights


def within(parts: Mapping[str, Part], *, is_core: bool) -> dict[str, Part]:
    """Return the parts of core, or those of pages, with what they import of each other."""
    names = {name for name in parts if name.startswith("core.") == is_core}
    return {
        name: replace(parts[name], imports=parts[name].imports & names) for name in sorted(names)
    }


def arrows(parts: dict[str, Part]) -> list[tuple[str, str]]:
    """Return the imports that no other import implies: who imports a part has what is below it."""
    reached: dict[str, set[str]] = {}
    for name in sorted(parts, key=floors(parts).__getitem__):
        direct = parts[name].imports
        reached[name] = set(direct).union(*(reached[one] for one in direct))
    return [
        (name, one)
        for name, part in parts.items()
        for one in sorted(part.imports)
        if not any(one in reached[other] for other in part.imports)
    ]
