"""The outbox on disk, where no mail server is set: a Maildir, which mail programs read."""

import mailbox
import threading
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

from core.ground import make_private_folder
from core.mail.deliver.server import Later, Result, Sent

OUTBOX_FOLDER = "outbox"  # in DATA_DIR
NO_LONGER = "It was no longer to be sent."


class Outbox:
    """Keeps mail in a folder instead of sending it; thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def send(
        self,
        message: EmailMessage,
        *,
        sender: str,
        recipient: str,
        may_hand_over: Callable[[], bool],
    ) -> Result:
        """Put a message, which names both, into the folder: whole, or not at all."""
        if not may_hand_over():
            return Later(NO_LONGER)
        try:
            with self._lock:
                make_private_folder(self._folder.parent)
                mailbox.Maildir(self._folder).add(message.as_bytes())
        except OSError as error:
            return Later(f"The outbox {self._folder} cannot be written: {error.strerror}.")
        return Sent()

    def close(self) -> None:
        """Do nothing: there is no connection."""
