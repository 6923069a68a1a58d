"""People at once, run in a process of their own: tests/soak/people.py."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from core import access, storage
from core.storage import User
from tests.e2e.servers import PROJECT
from tests.soak.people import Outcome, Person, Sample
from tests.team.members import ending_with_us

AT_MOST_SECONDS = 3_600.0  # the people are told earlier
ISSUER = "https://accounts.helios.example"
LATEST_SECONDS = 150


def sign_in(count: int) -> list[Person]:
    """Store agents, and sign each of them in."""
    names = [f"person{number}" for number in range(count)]
    with storage.writing() as session:
        session.add_all(
            User(
                user_id=one,
                email=f"{one}@helios.example",
                name=one,
                role="agent",
                sees_all_contracts=True,
            )
            for one in names
        )
    return [_sign_in(one) for one in names]


def _sign_in(name: str) -> Person:
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER,
        "sub": name,
        "email": f"{name}@helios.example",
        "email_verified": True,
        "name": name,
        "iat": now.timestamp(),
        "exp": (now + timedelta(hours=8)).timestamp(),
    }
    actor = access.accept_sign_in(claims, now=now)
    browser = f"the-browser-of-{name}"
    rows, export = (
        access.issue_token(purpose, table="orders", actor=actor, browser=browser)
        for purpose in ("rows", "export")
    )
    return Person(browser, rows, export)


class Crowd:
    """The people while they are at it; their outcome is there at the end."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.outcome = Outcome()

    def tell(self) -> None:
        """Tell them that it is over, and wait until each action has its answer."""
        said, _ = self._process.communicate(timeout=LATEST_SECONDS)
        assert self._process.returncode == 0, "The people failed"
        read = json.loads(said)
        samples = [Sample(**one) for one in read.pop("samples")]
        self.outcome = Outcome(samples, **read)


@contextmanager
def crowding(
    address: str, people: Sequence[Person], *, items: Sequence[str] = (), mailed: Sequence[str] = ()
) -> Iterator[Crowd]:
    """Let people use an address beside the block; at its end they are told to stop.

    They refund and mail if there are items for it.
    """
    asked = {
        "address": address,
        "people": [asdict(one) for one in people],
        "items": list(items),
        "mailed": list(mailed),
        "acts": bool(items),
        "seconds": AT_MOST_SECONDS,
    }
    process = subprocess.Popen(
        ending_with_us([sys.executable, "-m", "tests.soak.people"]),
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        crowd = Crowd(process)
        yield crowd
        crowd.tell()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
