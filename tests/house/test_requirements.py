"""Every environment is installed from a lock: each package with its version and its hashes."""

import re
from collections.abc import Iterator

import pytest

from tests.house.copied_project import PROJECT

LOCKS = {
    "app": PROJECT / "requirements.txt",
    "dev": PROJECT / "requirements/dev.txt",
    "bench": PROJECT / "requirements/bench.txt",
    "audit": PROJECT / "requirements/audit.txt",
    "fonts": PROJECT / "requirements/fonts.txt",
}
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==([^\s;]+)")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")


def _requirements(text: str) -> Iterator[str]:
    """Yield each requirement on one line, without comments."""
    for line in text.replace("\\\n", " ").splitlines():
        if requirement := line.partition("#")[0].strip():
            yield requirement


def _pins(text: str) -> dict[str, str]:
    found = [PIN.match(requirement) for requirement in _requirements(text)]
    return {re.sub(r"[-_.]+", "-", pin[1]).lower(): pin[2] for pin in found if pin}


def _faults(named: str, lock: str) -> list[str]:
    """List what is wrong with a lock, and what `named` pins and the lock does not."""
    loose = [
        f"{requirement[:40]} has no version or hash"
        for requirement in _requirements(lock)
        if not PIN.match(requirement) or not HASH.search(requirement)
    ]
    missing = _pins(named).items() - _pins(lock).items()
    return loose + [f"{name}=={version} is missing" for name, version in sorted(missing)]


@pytest.mark.parametrize("name", LOCKS)
def test_lock_pins_every_package_with_hashes(name: str) -> None:
    named = (PROJECT / f"requirements/{name}.in").read_text()
    lock = LOCKS[name].read_text()
    assert _faults(named, lock) == []
    assert "://" not in lock


def test_tests_run_with_the_versions_that_people_get() -> None:
    app, dev = (_pins(LOCKS[name].read_text()) for name in ("app", "dev"))
    assert app.items() - dev.items() == set()


HASHED = "click==8.5.1 \\\n    --hash=sha256:" + "0" * 64 + "\n    # via streamlit\n"


@pytest.mark.parametrize(
    ("named", "lock", "fault"),
    [
        ("click==8.5.1", HASHED, []),
        ("click==8.5.0", HASHED, ["click==8.5.0 is missing"]),
        ("", HASHED.replace("==8.5.1", ">=8"), ["click>=8      --hash=sha256:000000000000 has no"]),
        ("", "click==8.5.1\n", ["click==8.5.1 has no"]),
    ],
)
def test_a_faulty_lock_is_reported(named: str, lock: str, fault: list[str]) -> None:
    reported = _faults(named, lock)
    assert len(reported) == len(fault)
    assert all(one.startswith(start) for one, start in zip(reported, fault, strict=True))
