"""The outbox on disk, used without a mail server: a Maildir that mail programs can read."""

import mailbox
import threading
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

from core.ground import Channel, make_private_folder
from core.mail.deliver.server import Later, Result, Sent

OUTBOX_FOLDER = "outbox"  # in DATA_DIR
NO_LONGER = "It must not be sent any more."


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
        """Store the message in the folder, completely or not at all; it names both addresses."""
        if not may_hand_over():
            return Later(NO_LONGER)
        try:
            with self._lock:
                make_private_folder(self._folder.parent)
                mailbox.Maildir(self._folder).add(message.as_bytes())
        except OSError as error:
            return Later(f"Cannot write to the outbox {self._folder}: {error.strerror}.")
        return Sent(channel=Channel.OUTBOX)

    def close(self) -> None:
        """Do nothing: there is no connection."""
