"""The image and the team of containers: checked by a linter, and against Compose's reference."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.ground.settings import Settings
from tests.e2e.servers import PROJECT
from tests.team.haproxy import CONFIGURATION

DEPLOY = PROJECT / "deploy"
HADOLINT = Path(sys.executable).with_name("hadolint")
# The keys that we use, of Compose's reference.
TOP = {"name", "services", "networks", "volumes"}
SERVICE = {
    *("image", "build", "command", "entrypoint", "environment", "env_file", "user", "init"),
    *("networks", "ports", "volumes", "tmpfs", "read_only", "cap_drop", "security_opt"),
    *("depends_on", "healthcheck", "restart", "stop_grace_period", "shm_size"),
}
HEALTHCHECK = {"test", "interval", "timeout", "retries", "disable"}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}


def lint(dockerfile: Path) -> list[str]:
    """Return what hadolint says of a Dockerfile."""
    done = subprocess.run(
        [HADOLINT, "--no-color", dockerfile], capture_output=True, text=True, check=False
    )
    return done.stdout.splitlines()


def faults_of(team: dict[str, Any], folder: Path) -> list[str]:
    """Return what is wrong with a Compose file: keys, and names that lead nowhere."""
    faults = [f"{key}: not a key" for key in team if key not in TOP and not key.startswith("x-")]
    for name, service in team["services"].items():
        faults += [f"{name}: {key} is not a key" for key in service.keys() - SERVICE]
        checks = service.get("healthcheck", {})
        faults += [f"{name}: {key} is not a key" for key in checks.keys() - HEALTHCHECK]
        for other, how in service.get("depends_on", {}).items():
            if other not in team["services"] or how.get("condition") not in CONDITIONS:
                faults.append(f"{name}: cannot depend on {other}")
        for kind in ("networks", "volumes"):
            faults += [
                f"{name}: {one} leads nowhere"
                for one in service.get(kind, [])
                if not _is_there(one, team[kind], folder)
            ]
    return faults


def _is_there(named: str, known: dict[str, Any], folder: Path) -> bool:
    """Return whether a network, a volume or a file is there; an operator writes desk.pem."""
    name = named.partition(":")[0]
    return name in known or name == "./desk.pem" or (folder / name).is_file()


@pytest.fixture(scope="module")
def team() -> dict[str, Any]:
    """Return the Compose file as it is read."""
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return read


def test_the_linter_has_nothing_to_say_of_the_image() -> None:
    assert lint(DEPLOY / "Dockerfile") == []


def test_the_linter_reports_an_image_that_runs_as_root_from_the_newest(tmp_path: Path) -> None:
    wrong = tmp_path / "Dockerfile"
    wrong.write_text("FROM python:latest\nUSER root\n")
    assert {"DL3007", "DL3002"} <= {line.split()[1] for line in lint(wrong)}


def copied_to_the_image() -> list[str]:
    """Return the files and folders of the project that the image takes."""
    text = (DEPLOY / "Dockerfile").read_text()
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    return [one for line in lines for one in line.split()]


def start_with(parts: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Load the application in a folder that has these parts of the project alone."""
    for one in parts:
        (folder / one).symlink_to(PROJECT / one)
    given = os.environ | {"DATA_DIR": str(folder / "data")}
    command = [sys.executable, "-c", "import app"]
    return subprocess.run(
        command, cwd=folder, env=given, capture_output=True, text=True, check=False
    )


def test_the_image_has_what_the_application_needs_to_start(tmp_path: Path) -> None:
    copied = copied_to_the_image()
    kept = (DEPLOY / "Dockerfile.dockerignore").read_text()
    assert {f"!{one}" for one in copied} <= set(kept.splitlines())
    done = start_with(copied, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("missing", ["core", "pages", "pyproject.toml"])
def test_an_image_without_a_part_does_not_start(missing: str, tmp_path: Path) -> None:
    done = start_with([one for one in copied_to_the_image() if one != missing], tmp_path)
    assert done.returncode == 1
    assert missing in done.stderr


def test_the_image_has_a_person_of_its_own_and_a_health_check() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    for line in ("USER 10001", "HEALTHCHECK ", "--require-hashes"):
        assert line in text


def test_the_team_of_containers_is_whole(team: dict[str, Any]) -> None:
    assert faults_of(team, DEPLOY) == []
    services = team["services"]
    assert {"app1", "app2", "worker1", "worker2", "haproxy", "primary", "standby"} <= set(services)
    ours = [one for one in services.values() if "postgres" not in one["image"]]
    assert len(ours) == 6
    assert all(one["read_only"] and one["cap_drop"] == ["ALL"] for one in ours)
    # The database is on a network that leads nowhere.
    assert services["primary"]["networks"] == ["inside"]
    assert team["networks"]["inside"]["internal"] is True


def test_a_wrong_team_of_containers_is_reported(team: dict[str, Any]) -> None:
    wrong = json.loads(json.dumps(team))  # a copy in which nothing is shared
    wrong["services"]["app1"]["cap_drops"] = ["ALL"]
    wrong["services"]["app2"]["depends_on"] = {"nobody": {"condition": "service_started"}}
    wrong["services"]["primary"]["volumes"] = ["./gone.sh:/gone.sh"]
    assert set(faults_of(wrong, DEPLOY)) == {
        "primary: ./gone.sh:/gone.sh leads nowhere",
        "app1: cap_drops is not a key",
        "app2: cannot depend on nobody",
    }


def test_the_containers_are_given_settings_that_are_read(team: dict[str, Any]) -> None:
    known = {name.upper() for name in Settings.model_fields}
    assert set(team["services"]["app1"]["environment"]) <= known
    given = set(team["services"]["haproxy"]["environment"])
    assert given <= set(re.findall(r"presetenv ([A-Z_0-9]+) ", CONFIGURATION.read_text()))


def test_the_example_of_settings_names_settings() -> None:
    text = (DEPLOY / "desk.env").read_text()
    names = set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE))
    assert {"DATABASE_URL", "SIGNING_SECRET", "VOUCHER_PRIVATE_KEY"} <= names
    assert names <= {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("script", ["primary.sh", "standby.sh"])
def test_a_shell_reads_the_scripts(script: str) -> None:
    done = subprocess.run(["sh", "-n", DEPLOY / script], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
