"""The alerts are rules that Prometheus can read. The tests of routes look up their metrics."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.copied_project import PROJECT

RULES = PROJECT / "deploy/prometheus/alerts.yml"


def check(rules: Path) -> subprocess.CompletedProcess[str]:
    """Let Prometheus's own tool check a file of rules."""
    program = shutil.which("promtool")
    if program is None:
        pytest.fail("There is no promtool: run sh tests/install_system_packages.sh")
    command = [program, "check", "rules", str(rules)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_ten_alerts_are_rules_of_prometheus() -> None:
    checked = check(RULES)
    assert (checked.returncode, "SUCCESS: 10 rules found" in checked.stdout) == (0, True)


def test_a_rule_that_prometheus_cannot_read_is_found(tmp_path: Path) -> None:
    spoiled = tmp_path / "alerts.yml"
    spoiled.write_text(RULES.read_text().replace("order_desk_ready == 0", "order_desk_ready === 0"))
    checked = check(spoiled)
    assert checked.returncode != 0
    assert "OrderDeskNotReady" in checked.stdout + checked.stderr
