"""Large files are packed better later, once per content; what is kept is never believed blindly."""

import logging
import threading
from pathlib import Path

import brotli
import pytest

from core.ground import get_settings
from pages.guards import packing
from pages.guards.packing import CODINGS, pack

PATIENCE_SECONDS = 30
BODY = b"".join(b"const order%d = %d;\n" % (one, one * one) for one in range(4_000))


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep packed files in a folder of this test, and pack better at once."""
    monkeypatch.setattr(get_settings(), "data_dir", tmp_path)
    monkeypatch.setattr(packing, "LATER_SECONDS", 0.0)
    return tmp_path


def pack_and_wait(body: bytes, coding: str = "br") -> tuple[bytes, bytes | None]:
    """Return what is packed at once, and the better one, if one is made."""
    made: list[bytes] = []
    before = set(threading.enumerate())
    first = pack(body, coding, made.append)
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE_SECONDS)
    return first, made[0] if made else None


def test_first_answer_is_packed_quickly_and_later_ones_better(data_dir: Path) -> None:
    first, better = pack_and_wait(BODY)
    assert first == CODINGS["br"](BODY)
    assert better is not None
    assert len(better) < len(first)
    assert brotli.decompress(better) == BODY
    assert pack_and_wait(BODY) == (better, None)  # after a restart
    (kept,) = (data_dir / packing.FOLDER).iterdir()
    assert kept.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("spoiled", [b"", b"no brotli", brotli.compress(b"another script")])
def test_kept_file_that_is_spoiled_is_made_again(data_dir: Path, spoiled: bytes) -> None:
    _, better = pack_and_wait(BODY)
    (kept,) = (data_dir / packing.FOLDER).iterdir()
    kept.write_bytes(spoiled)
    assert pack_and_wait(BODY) == (CODINGS["br"](BODY), better)
    assert kept.read_bytes() == better


@pytest.mark.parametrize(("body", "coding"), [(BODY, "gzip"), (BODY[:1_000], "br")])
def test_other_codings_and_small_files_are_packed_once(body: bytes, coding: str) -> None:
    assert pack_and_wait(body, coding) == (CODINGS[coding](body), None)


def test_folder_that_cannot_be_written_is_logged(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (data_dir / packing.FOLDER).write_text("a file in place of the folder")
    with caplog.at_level(logging.WARNING):
        _, better = pack_and_wait(BODY)
    assert better is not None
    assert "cannot keep a packed file" in caplog.text
