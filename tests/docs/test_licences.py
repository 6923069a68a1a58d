"""Every font that is shipped is named with its licence, whose text is shipped too."""

import re
from pathlib import Path

from tests.docs import PROJECT

PAGE = "THIRD_PARTY_LICENSES.md"
FONTS = {".ttf", ".otf", ".woff", ".woff2"}


def find_faults(project: Path) -> list[str]:
    """Find fonts without a licence on the page, and licences that are not the fonts' own."""
    shipped = {
        str(path.relative_to(project))
        for folder in ("core", "pages")
        for path in (project / folder).rglob("*")
        if path.suffix in FONTS
    }
    licences: dict[str, Path] = {}
    for line in (project / PAGE).read_text().splitlines():
        text = re.search(r"\[[^\]]+\]\(([^)]+)\) \|$", line)
        if text:
            for name in re.findall(r"`([^`]+)`", line):
                licences |= dict.fromkeys(_files(project, name), project / text[1])
    named = {name for name in licences if Path(name).suffix in FONTS}
    faults = [f"{name} has no licence" for name in sorted(shipped - named)]
    faults += [f"{name} is not shipped" for name in sorted(named - shipped)]
    texts = {path: path.read_text() if path.exists() else "" for path in licences.values()}
    faults += [
        f"{name}: {licences[name].name} is no licence"
        for name in sorted(shipped & named)
        if not re.search(r"SIL OPEN FONT LICENSE|Apache License", texts[licences[name]])
        or licences[name].parent != (project / name).parent
    ]
    return faults


def _files(project: Path, name: str) -> list[str]:
    """Return the files that a name with * stands for; without one, the name itself."""
    return [str(one.relative_to(project)) for one in project.glob(name)] if "*" in name else [name]


def test_every_font_has_its_licence_beside_it() -> None:
    assert find_faults(PROJECT) == []


def test_a_font_without_a_licence_is_reported(tmp_path: Path) -> None:
    for name in ("core/a.ttf", "core/b.ttf", "core/c.ttf", "pages/x/d.woff2"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "core/OFL.txt").write_text("SIL OPEN FONT LICENSE Version 1.1")
    (tmp_path / "core/other.txt").write_text("Anything")
    lines = [("core/a.ttf", "OFL"), ("core/b.ttf", "other"), ("pages/x/d.woff2", "OFL")]
    lines += [("core/e.ttf", "OFL"), ("pages/y/*.woff2", "OFL")]
    (tmp_path / "pages/y").mkdir()
    (tmp_path / "pages/y/f.woff2").touch()
    rows = [f"| `{font}` | x | [{text}](core/{text}.txt) |\n" for font, text in lines]
    (tmp_path / PAGE).write_text("".join(rows))
    assert find_faults(tmp_path) == [
        "core/c.ttf has no licence",
        "core/e.ttf is not shipped",
        "core/b.ttf: other.txt is no licence",
        "pages/x/d.woff2: OFL.txt is no licence",
        "pages/y/f.woff2: OFL.txt is no licence",
    ]
