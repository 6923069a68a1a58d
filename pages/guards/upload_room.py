"""Limits for the memory of uploaded files: per person, and for the whole process."""

from dataclasses import dataclass
from typing import cast

import streamlit as st
from streamlit.runtime import get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from core.access import Actor
from core.ground import Refused, get_settings

MB = 1024 * 1024
FORM_BYTES = MB  # a form adds this much to its file at most; Streamlit has the same limit
MIN_BYTES = 10_000  # each file counts at least this much, to limit the number of empty files


class TooMuch(Refused):
    """A file is too large, or exceeds a limit together with the other files."""


@dataclass(eq=False)
class Upload:
    """An upload in progress: its declared size, or the received size if that is larger."""

    session_id: str
    user_id: str
    size: int


def uploaded_files() -> MemoryUploadedFileManager:
    """Return Streamlit's store of files; it keeps them until removal or the end of the session."""
    return cast(MemoryUploadedFileManager, get_instance().uploaded_file_mgr)


class Room:
    """Counts stored files and uploads in progress. Use it only on the event loop."""

    def __init__(self) -> None:
        self._in_progress: set[Upload] = set()
        self._owners: dict[str, str] = {}  # the user of each session that has uploaded a file

    def enter(self, session_id: str, actor: Actor, declared: int) -> Upload:
        """Count an upload from now on; raise TooMuch if its declared size exceeds a limit."""
        upload = Upload(session_id, actor.user_id, max(declared, MIN_BYTES))
        self._check(upload)
        self._in_progress.add(upload)
        self._owners[session_id] = actor.user_id
        return upload

    def grow(self, upload: Upload, received: int) -> None:
        """Count the received bytes of an upload; raise TooMuch if they exceed a limit."""
        if received > upload.size:
            upload.size = received
            self._check(upload)

    def leave(self, upload: Upload) -> None:
        """Stop counting an upload: its file is stored now, or the upload has failed."""
        self._in_progress.discard(upload)

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
                f"Your uploaded files would take more than {of_person:,} MB together. Remove some "
                "of them, or close other pages where you uploaded files."
            )
        if not _fits(everyones + upload.size, settings.uploads_max_mb):
            raise TooMuch("Other people are uploading large files. Try again in a few minutes.")

    def _held_beside(self, upload: Upload) -> list[tuple[str, int]]:
        """List user and bytes of every other upload, and of the stored files of every session."""
        held = [(one.user_id, one.size) for one in self._in_progress if one is not upload]
        sessions = {one.session_id for one in self._in_progress}
        kept = uploaded_files().file_storage.copy()  # copied: other threads remove files from it
        self._owners = {
            session_id: user_id
            for session_id, user_id in self._owners.items()
            if session_id in kept or session_id in sessions
        }
        for session_id, files in kept.items():
            size = sum(max(len(one.data), MIN_BYTES) for one in files.copy().values())
            held.append((self._owners.get(session_id, ""), size))
        return held


def _fits(size: int, limit_mb: int) -> bool:
    return size <= limit_mb * MB + FORM_BYTES
