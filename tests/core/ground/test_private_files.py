"""Files with data or secrets are private; those that are not are logged at start."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from core import access, startup, storage, vouchers
from core.__main__ import main
from core.ground import make_private_file, make_private_folder, warn_if_open
from core.mail import OUTBOX_FOLDER
from core.mail.deliver.outbox import Outbox
from tests.conftest import NOW, use_database
from tests.core.refunds.refund_rows import settings
from tests.rows import make_order

FILE, FOLDER = 0o600, 0o700


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=["umask 000", "umask 022", "umask 077"])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Set the umask of a process that creates open files, or private ones."""
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def first_start(umask: None, tmp_path: Path) -> Iterator[Path]:
    """Prepare a new database in a new DATA_DIR; yields that folder."""
    before = os.environ.get("DATABASE_URL", "")
    folder = tmp_path / "srv" / "desk"
    with settings(data_dir=folder):
        use_database(f"sqlite:///{folder / 'orders.db'}")
        startup.check_vouchers()
        startup.prepare(NOW, may_fill=False)
        yield folder
        storage.get_engine().dispose()
    use_database(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_first_start_creates_only_private_files(first_start: Path) -> None:
    make_order("OD-1")  # leaves the files that SQLite keeps beside an open database
    names = ["", "orders.db", "orders.db-wal", "orders.db-shm"]
    names += [access.SIGNING_SECRET_FILE, vouchers.KEY_FILE]
    modes = {name: mode(first_start / name) for name in names}
    assert modes == {name: FILE if name else FOLDER for name in names}
    assert mode(first_start.parent) == FOLDER


def test_the_outbox_is_private(umask: None, tmp_path: Path) -> None:
    folder = tmp_path / "data" / OUTBOX_FOLDER
    message = EmailMessage()
    message.set_content("Your voucher")
    outbox = Outbox(folder)
    outbox.send(
        message, sender="a@helios.example", recipient="b@helios.example", may_hand_over=lambda: True
    )
    assert list((folder / "new").iterdir())
    places = [folder.parent, folder, *(folder / name for name in ("new", "cur", "tmp"))]
    assert [mode(place) for place in places] == [FOLDER] * 5


@pytest.mark.parametrize("command", ["dump", "backup"])
def test_the_command_line_writes_private_files(
    first_start: Path, tmp_path: Path, command: str
) -> None:
    file = tmp_path / ("orders.xlsx" if command == "dump" else "orders.bak")
    assert main([command, str(file)]) == 0
    assert mode(file) == FILE


def test_a_restored_database_is_private(first_start: Path, tmp_path: Path) -> None:
    copy = tmp_path / "orders.bak"
    assert main(["backup", str(copy)]) == 0
    storage.get_engine().dispose()
    copy.chmod(0o644)
    assert main(["restore", str(copy), "--replace"]) == 0
    assert mode(first_start / "orders.db") == FILE


def test_existing_files_keep_their_mode(umask: None, tmp_path: Path) -> None:
    folder, file = tmp_path / "shared", tmp_path / "shared" / "orders.db"
    folder.mkdir()
    folder.chmod(0o750)
    file.write_text("data")
    file.chmod(0o640)
    make_private_folder(folder)
    make_private_file(file)
    assert (mode(folder), mode(file), file.read_text()) == (0o750, 0o640, "data")


def test_without_a_mode_others_could_open_a_new_file(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        (tmp_path / "orders.db").touch()
    finally:
        os.umask(before)
    assert mode(tmp_path / "orders.db") == 0o644


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Collect the warnings."""
    caplog.set_level(logging.WARNING)
    return caplog


def test_files_that_others_can_open_are_logged_with_the_fix(
    first_start: Path, said: pytest.LogCaptureFixture
) -> None:
    make_order("OD-1")
    startup.warn_of_open_files()
    assert said.messages == []
    opened = {
        "": 0o755,
        "orders.db": 0o644,
        "orders.db-wal": 0o640,
        access.SIGNING_SECRET_FILE: 0o604,
    }
    for name, how in opened.items():
        (first_start / name).chmod(how)
    startup.warn_of_open_files()
    assert len(said.messages) == len(opened)
    for name, how in opened.items():
        path = first_start / name
        right = "600" if name else "700"
        assert f"Other users of this machine can open {path}. " in said.text
        assert f"Fix: chmod {right} {path}" in said.text
        assert mode(path) == how  # it is only logged, not changed


def test_the_logged_fix_can_be_pasted_into_a_shell(
    tmp_path: Path, said: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "it's; mine"
    file.touch(0o644)
    file.chmod(0o644)
    warn_if_open([file, tmp_path / "absent"])
    (message,) = said.messages
    subprocess.run(["sh", "-c", message.partition("Fix: ")[2]], check=True)
    assert mode(file) == FILE


def test_without_file_modes_nothing_is_logged(
    tmp_path: Path, said: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "orders.db"
    file.touch()
    file.chmod(0o644)
    monkeypatch.setattr("core.ground.private_files.os.name", "nt")
    warn_if_open([file])
    monkeypatch.undo()
    assert said.messages == []


def test_the_server_starts_and_warns_of_a_database_that_others_can_open(
    sqlite_database: str, tmp_path: Path
) -> None:
    database = Path(sqlite_database.removeprefix("sqlite:///"))
    database.chmod(0o644)
    command = [sys.executable, "-c", "import app"]
    environment = os.environ | {"DATABASE_URL": sqlite_database, "DATA_DIR": str(tmp_path / "data")}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0
    assert f"chmod 600 {database}" in run.stderr
