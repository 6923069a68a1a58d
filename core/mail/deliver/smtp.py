"""One connection to a mail server, and a message on it. The only module that imports smtplib.

It runs outside any transaction. There are four outcomes: Sent; Later (try again); Rejected (trying
again does not help); Unusable (no message can be sent now). SMTP cannot deliver exactly once: if
the last reply is lost, nobody knows whether the message arrived.
"""

import logging
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from core.mail.compose.message import Outgoing, Step
from core.mail.deliver.server import Later, Rejected, Result, Sent, Server, Unusable

logger = logging.getLogger(__name__)

MAX_MESSAGES, MAX_AGE_SECONDS = 100, 300.0  # per connection; then a new one is opened
QUIT_SECONDS = 1.0  # to wait for the reply to QUIT
PIECE_BYTES = 65_536  # the timeout is per piece, so a slow line can send a large message
MAX_WORDS = 300
# RFC 4954, section 6: authentication is required, too weak, or not accepted.
_SIGN_IN_CODES = {530, 534, 535, 538}


@dataclass(frozen=True)
class _Reply:
    code: int  # -1 for a line that is not a reply
    words: bytes

    @property
    def is_accepted(self) -> bool:
        return 200 <= self.code <= 299

    @property
    def is_closing(self) -> bool:
        return self.code == 421

    @property
    def is_refusal(self) -> bool:
        return 400 <= self.code <= 599


class _Dropped(Exception):
    """The connection ended before the message was handed over."""


class Connection:
    """One connection to the server, used by one thread at a time."""

    def __init__(self, server: Server, context: ssl.SSLContext) -> None:
        self._server, self._context = server, context
        self._smtp: smtplib.SMTP | None = None
        self._opened_at, self._messages = 0.0, 0

    def send(self, mail: Outgoing) -> Result:
        """Send on the open connection, or on a new one.

        The server may have closed an idle connection. That says nothing about the message, so it
        is sent on a new connection at once.
        """
        age = time.monotonic() - self._opened_at
        if self._messages >= MAX_MESSAGES or age >= MAX_AGE_SECONDS:
            self.quit()
        was_open = self._smtp is not None
        try:
            return self._attempt(mail)
        except _Dropped as drop:
            if was_open:
                logger.info("Reconnecting, because an idle connection was closed: %s", drop)
                return self.send(mail)
            logger.warning("%s", drop, exc_info=drop)
            return Later(_cut(str(drop)))

    def quit(self) -> None:
        """Send QUIT and close the connection, if it is open."""
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
        except BaseException:  # the state of the connection is unknown
            self._drop()
            raise

    def _transact(self, smtp: smtplib.SMTP, mail: Outgoing) -> Result:
        prepared = mail.prepare(smtp.esmtp_features)
        if isinstance(prepared, Rejected):
            return prepared
        # RFC 2920: if the server offers it, all commands are sent at once, then all replies read.
        steps = prepared.steps
        flights = [steps] if smtp.has_extn("pipelining") else [(step,) for step in steps]
        for flight in flights:
            if flight[-1] is steps[-1] and not mail.may_hand_over():
                self._reset()
                return Later("It was stopped just before it was handed to the mail server.")
            if refusal := self._announce(smtp, flight):
                return refusal
        with self._talking():
            for start in range(0, len(prepared.data), PIECE_BYTES):
                smtp.send(prepared.data[start : start + PIECE_BYTES])
        return self._outcome(smtp)

    def _announce(self, smtp: smtplib.SMTP, flight: Sequence[Step]) -> Result | None:
        """Send the commands and read the replies; return the result of the first refusal."""
        replies: list[_Reply] = []
        with self._talking():
            smtp.send("".join(f"{step.command}\r\n" for step in flight).encode())
            while len(replies) < len(flight) and not (replies and replies[-1].is_closing):
                replies.append(_Reply(*smtp.getreply()))
        for step, reply in zip(flight, replies, strict=False):
            if reply.code // 100 != step.needs:
                if replies[-1].code == 354:  # the server waits for a message anyway
                    self._drop()
                return self._refused(step.what, reply)
        return None

    def _outcome(self, smtp: smtplib.SMTP) -> Result:
        """Read the reply to the message."""
        try:
            with self._talking():
                reply = _Reply(*smtp.getreply())
                if reply.is_accepted:
                    self._messages += 1
                    return Sent(_cut(self._server.clean(reply.words)))
                if not reply.is_refusal:
                    raise _Dropped(f"{self._server} sent an invalid reply.")
        except _Dropped as drop:
            self._drop()
            why = f"{drop} The whole message was handed over: it may have arrived."
            logger.warning("%s", why, exc_info=drop)
            return Later(why, may_have_arrived=True)
        if reply.is_closing:
            self._drop()
            return self._verdict("the message", reply)
        return self._refused("the message", reply)

    def _refused(self, what: str, reply: _Reply) -> Result:
        """Prepare for the next message; raises _Dropped if the server closes the connection."""
        verdict = self._verdict(what, reply)
        if reply.is_closing or not reply.is_refusal:
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
            why = f"{self._server} requires a sign-in: {said}"
            kind: type[Later | Rejected | Unusable] = Unusable
        elif reply.code >= 500:
            why, kind = f"The mail server refused {what}: {said}", Rejected
        else:
            why, kind = f"The mail server does not accept {what} now: {said}", Later
        logger.warning("%s", why)
        return kind(_cut(why))

    def _reset(self) -> None:
        """Reset the mail transaction of a message that is not sent."""
        with suppress(OSError):
            if self._smtp is not None and _Reply(*self._smtp.rset()).is_accepted:
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
    """Open a connection; encrypt it and sign in as configured."""
    given: Any = {"local_hostname": _own_name(), "timeout": server.timeout}
    if server.security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, context=context, **given)
    else:
        smtp = smtplib.SMTP(server.host, server.port, **given)
    try:
        assert smtp.sock is not None
        # smtplib leaves Nagle's algorithm on, which delays the end of a message by 40 ms.
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        smtp.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            if not smtp.has_extn("starttls"):
                raise smtplib.SMTPException("offers no STARTTLS, and mail must be encrypted")
            smtp.starttls(context=context)
            smtp.ehlo_or_helo_if_needed()
        if server.user is not None and server.password is not None:
            if not smtp.has_extn("auth"):
                raise smtplib.SMTPException("offers no sign-in, but SMTP_USER is set")
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


@cache
def _own_name() -> str:
    """Return the host name for EHLO as smtplib finds it; cached, because it may ask the DNS."""
    return smtplib.SMTP().local_hostname


def _why_not_connected(server: Server, error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"{server} has an invalid certificate: {error.verify_message}."
        case ssl.SSLError():
            return f"{server} failed to set up encryption: {error.reason or error}."
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
    return f"{server} cannot be used: its name, or the sign-in, has invalid characters."


def _why_dropped(server: Server, error: Exception) -> str:
    # smtplib turns a time-out into SMTPServerDisconnected.
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return f"{server} did not answer within {server.timeout:g} s."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{server} sent an invalid reply."
    return f"{server} closed the connection."


def _cut(words: str) -> str:
    return words if len(words) <= MAX_WORDS else f"{words[: MAX_WORDS - 1]}…"
