"""SMTP: hands one message for one recipient to the mail server. The one door to smtplib.

The server is asked outside any transaction, and what comes of it is one of four: sent; later, which
is tried again; rejected, where trying again changes nothing; unusable, when no message at all can
be sent now. SMTP has no exactly-once: who loses the last reply does not know.
"""

import logging
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

from core.mail.compose.message import Outgoing, Step
from core.mail.deliver.server import Later, Rejected, Result, Sent, Server, Unusable

logger = logging.getLogger(__name__)

MAX_MESSAGES, MAX_AGE_SECONDS = 100, 300.0  # of a connection, which is then renewed
QUIT_SECONDS = 1.0  # the most that a farewell is waited for
PIECE_BYTES = 65_536  # has the time of a reply to itself, so that a slow line can carry much
MAX_WORDS = 300
# RFC 4954, section 6: authentication is required, or of another kind, or not accepted.
_SIGN_IN_CODES = {530, 534, 535, 538}


class Post:
    """Connections to one server, opened when needed and kept for what comes next; thread-safe."""

    def __init__(self, server: Server) -> None:
        context = _trusting(server.ca_file)
        self._is_closed = False
        self._idle: LifoQueue[_Connection] = LifoQueue()  # the last one used is the first again
        for _ in range(server.connections):
            self._idle.put(_Connection(server, context))

    def send(
        self,
        message: EmailMessage,
        *,
        sender: str,
        recipient: str,
        may_hand_over: Callable[[], bool],
    ) -> Result:
        """Hand the message over; waits for a connection when all are in use.

        `may_hand_over` is asked just before DATA goes, maybe twice; when it says no, the message
        does not go. What it raises is raised here. Addresses are bare, without a name.
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
        """Take leave of the server; connections in use follow when they are done."""
        self._is_closed = True
        idle = []
        with suppress(Empty):
            while True:
                idle.append(self._idle.get_nowait())
        for connection in idle:
            connection.quit()
            self._idle.put(connection)


@dataclass(frozen=True)
class _Reply:
    code: int  # -1 for a line that is no reply
    words: bytes

    @property
    def is_yes(self) -> bool:
        return 200 <= self.code <= 299

    @property
    def is_goodbye(self) -> bool:
        return self.code == 421

    @property
    def is_no(self) -> bool:
        return 400 <= self.code <= 599


class _Dropped(Exception):
    """The connection ended, and the message was not handed over."""


class _Connection:
    """One connection to the server, of one thread at a time."""

    def __init__(self, server: Server, context: ssl.SSLContext) -> None:
        self._server, self._context = server, context
        self._smtp: smtplib.SMTP | None = None
        self._opened_at, self._messages = 0.0, 0

    def send(self, mail: Outgoing) -> Result:
        """Send on the open connection, or else on a new one.

        An open one may have been closed by the server while it lay idle, which says nothing about
        the message: it then goes on a new one at once.
        """
        age = time.monotonic() - self._opened_at
        if self._messages >= MAX_MESSAGES or age >= MAX_AGE_SECONDS:
            self.quit()
        was_kept = self._smtp is not None
        try:
            return self._attempt(mail)
        except _Dropped as drop:
            if was_kept:
                logger.info("A connection that was kept is opened anew: %s", drop)
                return self.send(mail)
            logger.warning("%s", drop, exc_info=drop)
            return Later(_cut(str(drop)))

    def quit(self) -> None:
        """Take leave, if it is open."""
        if self._smtp is not None and self._smtp.sock is not None:
            with suppress(OSError):
                self._smtp.sock.settimeout(min(QUIT_SECONDS, self._server.timeout))
                self._smtp.quit()
        self._drop()

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with suppress(OSError):
                smtp.close()

    def _attempt(self, mail: Outgoing) -> Result:
        try:
            if self._smtp is None:
                self._smtp = _connect(self._server, self._context)
                self._opened_at, self._messages = time.monotonic(), 0
        except (OSError, ValueError) as error:  # SMTPException is an OSError
            why = self._server.clean(_why_not_connected(self._server, error))
            logger.warning("%s (%s)", why, type(error).__name__)
            return Unusable(_cut(why))
        try:
            return self._transact(self._smtp, mail)
        except BaseException:  # whatever it was, the state of the connection is not known
            self._drop()
            raise

    def _transact(self, smtp: smtplib.SMTP, mail: Outgoing) -> Result:
        prepared = mail.prepare(smtp.esmtp_features)
        if isinstance(prepared, Rejected):
            return prepared
        # RFC 2920: where the server offers it, all goes at once and all replies come back at once.
        steps = prepared.steps
        flights = [steps] if smtp.has_extn("pipelining") else [(step,) for step in steps]
        for flight in flights:
            if flight[-1] is steps[-1] and not mail.may_hand_over():
                self._reset()
                return Later("It was held back just before it was handed to the mail server.")
            if refusal := self._announce(smtp, flight):
                return refusal
        with self._talking():
            for start in range(0, len(prepared.data), PIECE_BYTES):
                smtp.send(prepared.data[start : start + PIECE_BYTES])
        return self._outcome(smtp)

    def _announce(self, smtp: smtplib.SMTP, flight: Sequence[Step]) -> Result | None:
        """Send the commands, read their replies; return what the first refusal means, if any."""
        replies: list[_Reply] = []
        with self._talking():
            smtp.send("".join(f"{step.command}\r\n" for step in flight).encode())
            while len(replies) < len(flight) and not (replies and replies[-1].is_goodbye):
                replies.append(_Reply(*smtp.getreply()))
        for step, reply in zip(flight, replies, strict=False):
            if reply.code // 100 != step.needs:
                if replies[-1].code == 354:  # it waits for a message all the same
                    self._drop()
                return self._refused(step.what, reply)
        return None

    def _outcome(self, smtp: smtplib.SMTP) -> Result:
        """Read the reply to a message that was handed over."""
        try:
            with self._talking():
                reply = _Reply(*smtp.getreply())
                if reply.is_yes:
                    self._messages += 1
                    return Sent(_cut(self._server.clean(reply.words)))
                if not reply.is_no:
                    raise _Dropped(f"{self._server} answered what is no reply.")
        except _Dropped as drop:
            self._drop()
            why = f"{drop} All of the message had been handed over: it may have arrived."
            logger.warning("%s", why, exc_info=drop)
            return Later(why, may_have_arrived=True)
        if reply.is_goodbye:
            self._drop()
            return self._verdict("the message", reply)
        return self._refused("the message", reply)

    def _refused(self, what: str, reply: _Reply) -> Result:
        """Make ready for the next message; _Dropped when the server ends the connection."""
        verdict = self._verdict(what, reply)
        if reply.is_goodbye or not reply.is_no:
            self._drop()
            raise _Dropped(verdict.why)
        if isinstance(verdict, Unusable):
            self._drop()
        else:
            self._reset()
        return verdict

    def _verdict(self, what: str, reply: _Reply) -> Later | Rejected | Unusable:
        said = f"{reply.code} {self._server.clean(reply.words)}"
        if reply.code in _SIGN_IN_CODES:
            why = f"{self._server} asks for a sign-in: {said}"
            kind: type[Later | Rejected | Unusable] = Unusable
        elif reply.code >= 500:
            why, kind = f"The mail server refused {what}: {said}", Rejected
        else:
            why, kind = f"The mail server does not take {what} now: {said}", Later
        logger.warning("%s", why)
        return kind(_cut(why))

    def _reset(self) -> None:
        """Let the server forget what it was told of a message that is not sent."""
        with suppress(OSError):
            if self._smtp is not None and _Reply(*self._smtp.rset()).is_yes:
                return
        self._drop()

    @contextmanager
    def _talking(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._drop()
            raise _Dropped(_why_dropped(self._server, error)) from error


def _connect(server: Server, context: ssl.SSLContext) -> smtplib.SMTP:
    """Open a connection, encrypted and signed in as the server's settings ask."""
    given: Any = {"local_hostname": _own_name(), "timeout": server.timeout}
    if server.security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, context=context, **given)
    else:
        smtp = smtplib.SMTP(server.host, server.port, **given)
    try:
        assert smtp.sock is not None
        # smtplib leaves Nagle's algorithm on, which holds back the end of a message for 40 ms.
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        smtp.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            if not smtp.has_extn("starttls"):
                raise smtplib.SMTPException("offers no STARTTLS, and nothing goes unencrypted")
            smtp.starttls(context=context)
            smtp.ehlo_or_helo_if_needed()
        if server.user is not None and server.password is not None:
            if not smtp.has_extn("auth"):
                raise smtplib.SMTPException("offers no sign-in, though there is an SMTP_USER")
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


@cache
def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Return what checks certificates and host names, by the system's authorities or the file's."""
    return ssl.create_default_context(cafile=ca_file)


@cache
def _own_name() -> str:
    """Return the name to greet with, as smtplib finds it; once, for it may ask the DNS."""
    return smtplib.SMTP().local_hostname


def _why_not_connected(server: Server, error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"{server} has a certificate that is not accepted: {error.verify_message}."
        case ssl.SSLError():
            return f"{server} makes no encrypted connection: {error.reason or error}."
        case smtplib.SMTPAuthenticationError():
            said = server.clean(error.smtp_error)
            return f"{server} refuses the sign-in of {server.user}: {error.smtp_code} {said}"
        case smtplib.SMTPResponseException(smtp_code=-1):
            return f"{server} does not speak SMTP."
        case smtplib.SMTPResponseException():
            said = server.clean(error.smtp_error)
            return f"{server} refuses the connection: {error.smtp_code} {said}"
        case smtplib.SMTPServerDisconnected() | TimeoutError():
            return _why_dropped(server, error)
        case smtplib.SMTPException():
            return f"{server} {error}."
        case OSError():
            return f"{server} cannot be reached: {error.strerror or error}."
    return f"{server} cannot be reached: its name or the sign-in is not one that can be sent."


def _why_dropped(server: Server, error: Exception) -> str:
    # smtplib turns a time-out into SMTPServerDisconnected.
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return f"{server} did not answer within {server.timeout:g} s."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{server} answered what is no reply."
    return f"{server} closed the connection."


def _cut(words: str) -> str:
    return words if len(words) <= MAX_WORDS else f"{words[: MAX_WORDS - 1]}…"
