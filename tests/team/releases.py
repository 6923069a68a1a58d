"""Copies of the application in folders of their own, as an operator installs releases."""

import re
import shutil
from pathlib import Path

from tests.e2e.servers import PROJECT

LINKED = ("core", "pages", "tests", ".streamlit", "pyproject.toml")
ROUTES = "    routes=[\n"
DOOR = '        own_route("/door", answer_door, refuse_json, method="POST"),\n'
IMPORT = "from pages.web import "
# A column that may be empty, as every new one: the version before goes on without it.
NEWER = '''"""A column of a newer version."""

import sqlalchemy as sa
from alembic import op

revision = "9000"
down_revision = "{before}"


def upgrade() -> None:
    """Add a column that may be empty."""
    op.add_column("orders", sa.Column("of_a_newer_version", sa.Text(), nullable=True))
'''


def make_release(folder: Path) -> Path:
    """Make a release of this version, with the tests' door; return its folder."""
    folder.mkdir()
    for name in LINKED:
        (folder / name).symlink_to(PROJECT / name)
    text = (PROJECT / "app.py").read_text()
    for place in (ROUTES, IMPORT):
        assert text.count(place) == 1, "app.py has its routes in another way now"
    text = text.replace(ROUTES, ROUTES + DOOR)
    (folder / "app.py").write_text(
        text.replace(IMPORT, f"from tests.team.door import answer_door\n{IMPORT}")
    )
    return folder


def make_newer_release(folder: Path) -> Path:
    """Make a release whose schema is newer by a column; return its folder."""
    make_release(folder)
    (folder / "core").unlink()
    shutil.copytree(PROJECT / "core", folder / "core", ignore=shutil.ignore_patterns("__pycache__"))
    versions = folder / "core/storage/migrations/versions"
    (versions / "9000_newer.py").write_text(NEWER.format(before=_newest(versions)))
    return folder


def _newest(versions: Path) -> str:
    """Return the newest revision: the one that no other comes after."""
    texts = [path.read_text() for path in versions.glob("*.py")]
    found = {
        name: {match for text in texts for match in re.findall(rf'^{name} = "(\w+)"', text, re.M)}
        for name in ("revision", "down_revision")
    }
    (newest,) = found["revision"] - found["down_revision"]
    return newest
