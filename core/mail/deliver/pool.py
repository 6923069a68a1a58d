"""Connections to the mail server, shared by threads."""

import ssl
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from queue import Empty, LifoQueue

from core.mail.compose.message import Outgoing
from core.mail.deliver.server import Result, Server
from core.mail.deliver.smtp import Connection


class SmtpPool:
    """Connections to one server, opened when needed and reused. Thread-safe."""

    def __init__(self, server: Server) -> None:
        context = _trusting(server.ca_file)
        self._is_closed = False
        self._idle: LifoQueue[Connection] = LifoQueue()  # the last one used is used first
        for _ in range(server.connections):
            self._idle.put(Connection(server, context))

    def send(
        self,
        message: EmailMessage,
        *,
        sender: str,
        recipient: str,
        may_hand_over: Callable[[], bool],
    ) -> Result:
        """Send the message; wait for a connection if all are in use.

        `may_hand_over` is called just before DATA is sent, sometimes twice; if it returns False,
        the message is not sent. Its exceptions are raised here. Addresses are bare, without a name.
        """
        mail = Outgoing(message, sender, recipient, may_hand_over)
        if fault := mail.find_fault():
            return fault
        connection = self._idle.get()
        try:
            return connection.send(mail)
        finally:
            self._idle.put(connection)
            if self._is_closed:
                self.close()

    def close(self) -> None:
        """Close idle connections now, and those in use when they are done."""
        self._is_closed = True
        idle = []
        with suppress(Empty):
            while True:
                idle.append(self._idle.get_nowait())
        for connection in idle:
            connection.quit()
            self._idle.put(connection)


@cache
def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Return the TLS context; it trusts the system's authorities, or those in the file."""
    return ssl.create_default_context(cafile=ca_file)
