"""Packs files for browsers: at once, and large ones better some time later, once per content.

Brotli's best makes the grid's script an eighth smaller, but takes four seconds. Nobody waits for
it: a thread packs when the first pages are long open, and DATA_DIR keeps the result.
"""

import gzip
import hashlib
import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import brotli
from starlette.datastructures import Headers
from starlette.types import Scope

from core.ground import AppError, get_settings, make_private_folder, part_of

logger = logging.getLogger(__name__)
# These levels pack the grid's script in a fifth of a second.
CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: bytes(brotli.compress(body, quality=6)),
    "gzip": lambda body: gzip.compress(body, compresslevel=6, mtime=0),
}
BEST_QUALITY, BEST_WINDOW = 10, 24  # quality 11 takes twice as long for 1.5 % less
LARGE_BYTES = 50_000
LATER_SECONDS = 60.0
FOLDER = "packed"
_one_at_a_time = threading.Lock()


def coding_for(scope: Scope) -> str:
    """Return the best coding that a request accepts; empty for none."""
    accepted = Headers(scope=scope).get("accept-encoding", "")
    known = {one.partition(";")[0].strip() for one in accepted.split(",")}
    return next((one for one in CODINGS if one in known), "")


@lru_cache(maxsize=32)
def pack_page(page: bytes, coding: str) -> bytes:
    """Return a page packed as small as possible, once: few differ, and each opens a tab."""
    if coding == "br":
        return bytes(brotli.compress(page))  # its best, which takes 0.1 s
    return gzip.compress(page, mtime=0)


def pack(body: bytes, coding: str, replace: Callable[[bytes], None]) -> bytes:
    """Return the packed body; later, `replace` is called if a better one has been made.

    The better one comes at once if it has been kept.
    """
    if coding != "br" or len(body) < LARGE_BYTES:
        return CODINGS[coding](body)
    kept = get_settings().data_dir / FOLDER / f"{hashlib.sha256(body).hexdigest()}.br"
    with suppress(OSError, brotli.error):
        better = kept.read_bytes()
        if brotli.decompress(better) == body:
            return better
    later = threading.Timer(LATER_SECONDS, _pack_better, (body, kept, replace))
    later.daemon = True
    later.start()
    return CODINGS[coding](body)


def _pack_better(body: bytes, kept: Path, replace: Callable[[bytes], None]) -> None:
    with _one_at_a_time:
        if sys.platform == "linux":  # where a thread has a priority of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        better = bytes(brotli.compress(body, quality=BEST_QUALITY, lgwin=BEST_WINDOW))
        replace(better)
        try:
            make_private_folder(kept.parent)
            with part_of(kept) as part:
                part.write_bytes(better)
                part.replace(kept)
        except (OSError, AppError) as error:
            logger.warning("DATA_DIR cannot keep a packed file: %s", error)
