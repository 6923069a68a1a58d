"""A part of a file: moved to its place whole, or gone, and after a kill gone at the next start."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from core import startup
from core.ground import InvalidInput, get_settings, part_files, part_of, remove_left_parts
from core.ground.part_files import FOLLOWERS, NOTES
from tests.conftest import NOW

PROJECT = Path(__file__).parents[3]
WRITES = """
import sys, time
from pathlib import Path
from core.ground import part_of
with part_of(Path(sys.argv[1])) as part:
    part.write_text("half")
    Path(f"{part}-journal").write_text("of SQLite")
    print(part, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def notes(sqlite_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a DATA_DIR of its own, and return the folder of its notes."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    get_settings.cache_clear()
    yield tmp_path / "data" / NOTES
    get_settings.cache_clear()


@contextmanager
def writing(path: Path) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """Run a process that writes a part, and return both; it ends with the block."""
    command = [sys.executable, "-c", WRITES, str(path)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def test_a_part_becomes_the_file_and_leaves_nothing(notes: Path, tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    with part_of(path) as part:
        assert part.stat().st_mode & 0o777 == 0o600
        assert not path.exists()
        part.write_text("whole")
        assert len(list(notes.iterdir())) == 1
        part.replace(path)
    assert path.read_text() == "whole"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["data", "orders.xlsx"]
    assert list(notes.iterdir()) == []


def test_a_part_that_fails_is_gone_at_once(notes: Path, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"), part_of(tmp_path / "orders.xlsx"):
        raise OSError("full")
    assert [one.name for one in tmp_path.iterdir()] == ["data"]
    assert list(notes.iterdir()) == []


def test_a_killed_process_leaves_a_part_that_the_next_start_removes(
    notes: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / ".mine.1.part").write_text("of another program")
    with writing(folder / "orders.xlsx") as (process, part):
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert part.read_text() == "half"
    startup.prepare(NOW)
    assert [one.name for one in folder.iterdir()] == [".mine.1.part"]
    assert f"Removed {part}" in caplog.text
    assert list(notes.iterdir()) == []


def test_a_part_that_is_being_written_stays(notes: Path, tmp_path: Path) -> None:
    with writing(tmp_path / "orders.xlsx") as (_process, theirs), part_of(tmp_path / "own") as own:
        remove_left_parts()
        assert theirs.exists()
        assert own.exists()
        assert len(list(notes.iterdir())) == 2


@pytest.mark.parametrize("said", ["", "/", "{folder}/orders.xlsx", "\x00", "{folder}/gone.part"])
def test_a_note_names_nothing_but_a_part(notes: Path, tmp_path: Path, said: str) -> None:
    kept = tmp_path / "orders.xlsx"
    kept.write_text("whole")
    notes.mkdir(parents=True)
    (notes / "1").write_text(said.format(folder=tmp_path))
    remove_left_parts()
    assert kept.read_text() == "whole"


def test_a_note_is_seen_by_others_only_once_it_is_locked(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, seen = part_files._lock, list[str]()

    def start_meanwhile(file: IO[str]) -> bool:
        monkeypatch.setattr(part_files, "_lock", lock)
        remove_left_parts()  # by a process that starts at this moment
        seen.extend(one.suffix for one in notes.iterdir())
        return lock(file)

    monkeypatch.setattr(part_files, "_lock", start_meanwhile)
    with part_of(tmp_path / "orders.xlsx") as part:
        assert seen == [part_files.UNLOCKED]
        remove_left_parts()
        assert part.exists()
        assert len(list(notes.iterdir())) == 1


def test_a_note_of_another_machine_stays_until_that_machine_starts(
    notes: Path, tmp_path: Path
) -> None:
    notes.mkdir(parents=True)
    (notes / "1").write_text(f"{tmp_path}/.there.1.part\nanother-machine")
    (notes / "2").write_text(f"{tmp_path}/.here.1.part\n{socket.gethostname()}")
    (tmp_path / ".shared.1.part").touch()
    (notes / "3").write_text(f"{tmp_path}/.shared.1.part\nanother-machine")
    remove_left_parts()
    assert [one.name for one in notes.iterdir()] == ["1"]
    assert not (tmp_path / ".shared.1.part").exists()


def test_a_folder_that_is_missing_is_named(notes: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(InvalidInput, match="missing was not found"),
        part_of(tmp_path / "missing/x"),
    ):
        pass


def test_without_a_data_dir_the_file_is_written_all_the_same(
    sqlite_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").write_text("a file")
    monkeypatch.setattr(get_settings(), "data_dir", tmp_path / "data")
    with part_of(tmp_path / "own") as part:
        part.replace(tmp_path / "own")
    assert (tmp_path / "own").exists()


def test_what_sqlite_keeps_beside_a_part_is_removed_too(notes: Path, tmp_path: Path) -> None:
    with part_of(tmp_path / "backup.db") as part:
        for ending in FOLLOWERS:
            Path(f"{part}{ending}").touch()
    assert [one.name for one in tmp_path.iterdir()] == ["data"]
