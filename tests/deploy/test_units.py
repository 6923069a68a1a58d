"""The units of systemd: systemd reads them without a complaint, and calls them well confined."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.servers import PROJECT

DEPLOY = PROJECT / "deploy"
UNITS = {"app@.service": "app@8501.service", "worker.service": "worker.service"}  # name: as started
INSTALLED = "/opt/order-desk/current"
# systemd's own scale from 0 to 10, times ten: 92 for a unit that confines nothing.
MOST_EXPOSED = 20
CONFINES_NOTHING = "[Service]\nExecStart=/bin/true\n"


@pytest.fixture(scope="module")
def analyze() -> str:
    """Return the program that reads units."""
    found = shutil.which("systemd-analyze")
    return found or pytest.fail("There is no systemd-analyze: units are checked on a Linux with it")


def place(unit: str, folder: Path) -> Path:
    """Write a unit to a folder as it is started, with this project as the one that is installed."""
    text = (DEPLOY / unit).read_text()
    assert text.count(INSTALLED) == 2
    path = folder / UNITS[unit]
    path.write_text(text.replace(INSTALLED, str(PROJECT)))
    return path


def complaints(analyze: str, unit: Path) -> str:
    """Return what systemd says of a unit, and not of others that it loads with it."""
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if unit.name in line or str(unit) in line]
    assert said or done.returncode == 0, done.stderr
    return "\n".join(said)


def exposure(analyze: str, unit: Path) -> int:
    """Return how exposed systemd takes a unit for, times ten."""
    command = [analyze, "security", "--offline=true", "--no-pager", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stderr
    return round(float(found[1]) * 10)


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_reads_a_unit_without_a_complaint(analyze: str, unit: str, tmp_path: Path) -> None:
    assert complaints(analyze, place(unit, tmp_path)) == ""


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_confines_the_process(analyze: str, unit: str, tmp_path: Path) -> None:
    text = (DEPLOY / unit).read_text()
    assert exposure(analyze, place(unit, tmp_path)) <= MOST_EXPOSED
    for line in ("User=order-desk", "ProtectSystem=strict", "TimeoutStopSec=15"):
        assert f"\n{line}\n" in text


def test_a_wrong_line_and_a_unit_that_confines_nothing_are_reported(
    analyze: str, tmp_path: Path
) -> None:
    unit = place("worker.service", tmp_path)
    unit.write_text(unit.read_text().replace("ProtectHome=yes", "ProtectHomes=yes"))
    assert "ProtectHomes" in complaints(analyze, unit)
    unit.write_text(unit.read_text().replace(str(PROJECT / ".venv"), "/nowhere"))
    assert "/nowhere" in complaints(analyze, unit)
    unit.write_text(CONFINES_NOTHING)
    assert exposure(analyze, unit) > MOST_EXPOSED


def test_both_units_confine_in_the_same_way() -> None:
    confined = {
        (DEPLOY / unit).read_text().partition("NoNewPrivileges")[2].partition("[Install]")[0]
        for unit in UNITS
    }
    assert len(confined) == 1
