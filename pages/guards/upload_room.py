"""How much memory files that are uploaded may take: of each person, and in this process."""

from dataclasses import dataclass
from typing import cast

import streamlit as st
from streamlit.runtime import get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from core.access import Actor
from core.ground import Refused, get_settings

MB = 1024 * 1024
FORM_BYTES = MB  # what a form may add to its file; Streamlit allows as much
LEAST_BYTES = 10_000  # each file counts as much at least, or many empty ones would have no bound


class TooMuch(Refused):
    """A file is too large, or there is no room for it beside the others."""


@dataclass(eq=False)
class Upload:
    """A file on its way: its size as declared, or what has come of it when that is more."""

    session_id: str
    user_id: str
    size: int


def uploaded_files() -> MemoryUploadedFileManager:
    """Return where Streamlit keeps files, until they are removed or their session ends."""
    return cast(MemoryUploadedFileManager, get_instance().uploaded_file_mgr)


class Room:
    """Counts what Streamlit keeps, and what is on its way. For the event loop alone."""

    def __init__(self) -> None:
        self._on_their_way: set[Upload] = set()
        self._owners: dict[str, str] = {}  # the user of each session that has sent a file

    def enter(self, session_id: str, actor: Actor, declared: int) -> Upload:
        """Count a file from now on; raises TooMuch when there is no room for what it declares."""
        upload = Upload(session_id, actor.user_id, max(declared, LEAST_BYTES))
        self._check(upload)
        self._on_their_way.add(upload)
        self._owners[session_id] = actor.user_id
        return upload

    def grow(self, upload: Upload, received: int) -> None:
        """Count what has come of a file; raises TooMuch when there is no room for more."""
        if received > upload.size:
            upload.size = received
            self._check(upload)

    def leave(self, upload: Upload) -> None:
        """Count a file no longer: it is kept now, or gone."""
        self._on_their_way.discard(upload)

    def _check(self, upload: Upload) -> None:
        settings = get_settings()
        of_file = min(settings.import_max_mb, int(st.get_option("server.maxUploadSize")))
        of_person = settings.uploads_max_mb_per_person
        held = self._held_beside(upload)
        own = sum(size for user_id, size in held if user_id == upload.user_id)
        everyones = sum(size for _user_id, size in held)
        if not _fits(upload.size, of_file):
            raise TooMuch(f"The file is larger than {of_file:,} MB.")
        if not _fits(own + upload.size, of_person):
            raise TooMuch(
                f"Your uploaded files would take more than {of_person:,} MB together. Remove some, "
                "or close the pages that have them."
            )
        if not _fits(everyones + upload.size, settings.uploads_max_mb):
            raise TooMuch("Other people are uploading large files. Try again in a few minutes.")

    def _held_beside(self, upload: Upload) -> list[tuple[str, int]]:
        """List the user and the bytes of every other upload and of every session's files."""
        held = [(one.user_id, one.size) for one in self._on_their_way if one is not upload]
        sessions = {one.session_id for one in self._on_their_way}
        kept = uploaded_files().file_storage.copy()  # copied: other threads remove files from it
        self._owners = {
            session_id: user_id
            for session_id, user_id in self._owners.items()
            if session_id in kept or session_id in sessions
        }
        for session_id, files in kept.items():
            size = sum(max(len(one.data), LEAST_BYTES) for one in files.copy().values())
            held.append((self._owners.get(session_id, ""), size))
        return held


def _fits(size: int, limit_mb: int) -> bool:
    return size <= limit_mb * MB + FORM_BYTES
