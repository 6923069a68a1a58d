"""The checker of the scripts in pages/ finds faults, which are planted in a copy."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.copied_project import PROJECT

CHECKER = PROJECT / "tests/javascript"
NODE = Path(sys.executable).parent / "node"
TSC = CHECKER / "node_modules/typescript/bin/tsc"
FAULTS = [
    ("const base = here", "const base = heer", "Cannot find name 'heer'"),
    ("api.getFilterModel()", "api.getFilterModl()", "'getFilterModl' does not exist"),
    ("desk.config = ", "desk.konfig = ", "'konfig' does not exist"),
    ("const here = ", "const spare = 1;\n  const here = ", "'spare' is declared but"),
    ("setRowCount(count, true)", 'setRowCount("1", true)', "'string' is not assignable"),
]


def _check(folder: Path) -> str:
    """Check the scripts in `folder` as `make check` does; returns what the checker prints."""
    project = folder / "tsconfig.json"
    configuration = {"extends": str(CHECKER / "tsconfig.json"), "include": [str(folder)]}
    project.write_text(json.dumps(configuration))
    command = [str(NODE), str(TSC), "--project", str(project)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.stdout + run.stderr


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """Copy the scripts and their types into one folder."""
    for kind in ("*.js", "*.ts"):
        for script in (PROJECT / "pages").rglob(kind):
            shutil.copy(script, tmp_path)
    return tmp_path


def test_a_faultless_copy_is_accepted(copies: Path) -> None:
    assert _check(copies) == ""


def test_planted_faults_are_reported(copies: Path) -> None:
    script = copies / "grid.js"
    text = script.read_text()
    for before, after, _ in FAULTS:
        assert before in text
        text = text.replace(before, after)
    script.write_text(text)
    report = _check(copies)
    assert [fault for _, _, fault in FAULTS if fault not in report] == []
