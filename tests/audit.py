"""`make audit`: say what is known of vulnerabilities in the pinned packages and in this Python.

Runs in an environment of its own, which has pip-audit and nothing of Order Desk.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

ASK = [
    *(sys.executable, "-m", "pip_audit", "--requirement", "requirements.txt"),
    *("--disable-pip", "--require-hashes", "--progress-spinner", "off", "--timeout", "30"),
    *("--format", "json"),
]
# The first releases without what is known of 3.11.7: cookies that take long to read
# (CVE-2024-7592), mail headers that are split (CVE-2024-6923), zip files that never end
# (CVE-2024-8088) or overlap (CVE-2024-0450).
SOUND_PYTHON = {(3, 11): 10, (3, 12): 6}
FOUND, NOT_ASKED = 1, 2  # exit codes


def main(ask: Sequence[str] = ASK, python: tuple[int, int, int] = sys.version_info[:3]) -> int:
    """Print what was found and what could not be asked; return 0 if all is asked and sound."""
    said = subprocess.run(ask, capture_output=True, text=True, check=False)
    is_sound = _check_python(python)
    packages = _packages_in(said.stdout)
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    if len(skipped) == len(packages):
        if not packages:
            print(said.stderr.strip()[-2_000:])  # why it gave no answer
        print("make audit: the advisory service did not answer. No package was checked.")
        return NOT_ASKED
    found = [
        f"{_named(package)}: {_described(one)}" for package in packages for one in _of(package)
    ]
    for line in found:
        print(line)
    if skipped:
        print(f"Not checked, because the service does not know them: {', '.join(skipped)}")
    checked = f"{len(packages) - len(skipped)} of {len(packages)} packages"
    print(f"make audit: {len(found)} known vulnerabilities in {checked}.")
    if found or not is_sound:
        return FOUND
    return NOT_ASKED if skipped else 0


def _of(package: dict[str, Any]) -> list[dict[str, Any]]:
    vulnerabilities: list[dict[str, Any]] = package.get("vulns", [])
    return vulnerabilities


def _named(package: dict[str, Any]) -> str:
    return f"{package['name']} {package['version']}"


def _described(one: dict[str, Any]) -> str:
    return f"{one['id']}, fixed in {', '.join(one['fix_versions']) or 'no version yet'}"


def _check_python(version: tuple[int, int, int]) -> bool:
    """Print a warning if this Python has vulnerabilities that a newer one has not."""
    least = SOUND_PYTHON.get(version[:2], 0)
    if version[2] >= least:
        return True
    own, better = ".".join(map(str, version)), ".".join(map(str, (*version[:2], least)))
    print(f"Python {own} has known vulnerabilities. Use Python {better} or newer.")
    return False


def _packages_in(text: str) -> list[dict[str, Any]]:
    """Return the packages of pip-audit's answer; none if it has given no answer."""
    try:
        packages: list[dict[str, Any]] = json.loads(text)["dependencies"]
    except (ValueError, KeyError, TypeError):  # it is no JSON, or another one
        return []
    return packages


if __name__ == "__main__":
    sys.exit(main())
