"""The configurations of haproxy and nginx: each is read by its program, whole and under a path."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.e2e import nginx
from tests.team import haproxy


def read_by_haproxy(folder: Path, **given: str) -> "subprocess.CompletedProcess[str]":
    settings = haproxy.configure(folder, [8501, 8502], port=free_port()) | given
    command = [haproxy.find_haproxy(), "-c", "-f", str(folder / "haproxy.cfg")]
    return subprocess.run(
        command, env=os.environ | settings, capture_output=True, text=True, check=False
    )


def read_by_nginx(folder: Path, base: str = "") -> "subprocess.CompletedProcess[str]":
    command = nginx.configure(folder, [8501, 8502], port=free_port(), base=base)
    return subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("base", ["", "/desk"])
def test_haproxy_reads_its_configuration_without_a_warning(tmp_path: Path, base: str) -> None:
    done = read_by_haproxy(tmp_path, DESK_PATH=base)
    assert (done.returncode, re.findall("WARNING|ALERT", done.stderr)) == (0, []), done.stderr


def test_every_setting_of_the_tests_is_one_that_an_operator_can_set(tmp_path: Path) -> None:
    names = re.findall(r"presetenv ([A-Z_0-9]+) ", haproxy.CONFIGURATION.read_text())
    settings = haproxy.configure(tmp_path, [8501, 8502], port=free_port())
    assert set(settings) == set(names)


def test_haproxy_and_nginx_refuse_a_wrong_line(tmp_path: Path) -> None:
    text = haproxy.CONFIGURATION.read_text().replace("option redispatch", "option redispatches")
    (tmp_path / "wrong.cfg").write_text(text)
    command = [haproxy.find_haproxy(), "-c", "-f", str(tmp_path / "wrong.cfg")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "redispatches" in done.stderr
    command = nginx.configure(tmp_path, [8501], port=free_port())
    site = tmp_path / "site.conf"
    site.write_text(site.read_text().replace("proxy_read_timeout", "proxy_read_time"))
    done = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "proxy_read_time" in done.stderr


@pytest.mark.parametrize("base", ["", "/desk"])
def test_nginx_reads_its_configuration_without_a_warning(tmp_path: Path, base: str) -> None:
    done = read_by_nginx(tmp_path, base)
    assert (done.returncode, re.findall(r"\[(?:warn|emerg)\]", done.stderr)) == (0, []), done.stderr
