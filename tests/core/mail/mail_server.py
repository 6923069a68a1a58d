"""A mail server for tests, on loopback; tests switch its failures on and off while it runs.

Run alone, it is a process: `python -m tests.core.mail.mail_server DELAY CERTIFICATE`, with
the seconds before each reply; it prints its port and serves until its input ends.
"""

import asyncio
import ssl
import sys
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from core.mail.deliver.server import Server

HOST, USER, PASSWORD = "127.0.0.1", "desk", "s3cret-pa55word"
# Failures of a stage, besides a reply such as "450 busy".
DROP, HANG, CUT = "(drop)", "(hang)", "(cut)"  # CUT: dropped in the middle of the content
# Stages: BANNER, each command (EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, RSET, QUIT), CONTENT (after
# the last dot, before the message is accepted), END (after accepting it, before the reply).
ALWAYS = 1_000_000


@dataclass(frozen=True)
class Received:
    """An accepted message with its envelope."""

    sender: str
    recipient: str
    content: bytes
    options: tuple[str, ...]  # of MAIL, in capitals
    connection: int  # number of the connection, from 1
    is_encrypted: bool
    is_signed_in: bool

    @property
    def message(self) -> EmailMessage:
        """Return the message as a mailbox stores it."""
        lines = self.content.replace(b"\r\n", b"\n")
        return message_from_bytes(lines, policy=policy.default)


def _context_of(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class MailServer:
    """The server, its switches, and the accepted messages."""

    def __init__(
        self,
        certificate: Path | None = None,  # for STARTTLS
        *,
        is_tls: bool = False,  # from the first byte, instead of STARTTLS
        wants_sign_in: bool = False,  # needs a certificate
        **given: Any,  # of aiosmtpd: data_size_limit, enable_SMTPUTF8
    ) -> None:
        self.received: list[Received] = []
        self.commands: Counter[str] = Counter()
        self.refused: dict[str, str] = {}  # recipient: reply, such as "550 no such user"
        self.without: set[str] = set()  # the extensions that it does not offer
        self.delay = 0.0  # seconds before each reply
        self.connections = self.most_at_once = self.port = 0
        self._certificate, self._is_tls, self._wants_sign_in = certificate, is_tls, wants_sign_in
        self._context = _context_of(certificate) if certificate else None
        self._given, self._faults = given, dict[str, tuple[str, int]]()
        self._sessions: set[_Session] = set()
        self._loop = asyncio.new_event_loop()
        self._listening: asyncio.Server | None = None

    def fail(self, stage: str, how: str, *, times: int = ALWAYS) -> None:
        """Fail at a stage: DROP, HANG, CUT (for DATA), or a reply."""
        self._faults[stage] = (how, times)

    def recover(self) -> None:
        """Stop failing."""
        self._faults.clear()
        self.refused.clear()

    def close_connections(self, last_words: bytes = b"") -> None:
        """Close every connection, as servers do with idle ones."""
        self._run(self._close_connections(last_words))

    def stop(self) -> None:
        """Stop: close all connections and accept none."""
        self._run(self._stop())

    def start(self) -> None:
        """Start again at the same port."""
        self._run(self._start())

    def describe(self, **changes: Any) -> Server:
        """Return it as a Server; plain if it has no certificate."""
        security = "tls" if self._is_tls else "starttls" if self._certificate else "plain"
        given: dict[str, Any] = {"security": security, "timeout": 5}
        if self._certificate:
            given["ca_file"] = self._certificate
        if self._wants_sign_in:
            given |= {"user": USER, "password": PASSWORD}
        return Server(host=HOST, port=self.port, **(given | changes))

    def take_fault(self, stage: str) -> str | None:
        how, times = self._faults.get(stage, ("", 0))
        if times > 0:
            self._faults[stage] = (how, times - 1)
        return how if times > 0 else None

    def make_session(self) -> "_Session":
        return _Session(
            self,
            hostname="mail.example.com",
            tls_context=None if self._is_tls else self._context,
            auth_required=self._wants_sign_in,
            authenticator=_authenticate,
            **({"enable_SMTPUTF8": True} | self._given),
        )

    def opened(self, session: "_Session") -> int:
        self._sessions.add(session)
        self.connections += 1
        self.most_at_once = max(self.most_at_once, len(self._sessions))
        return self.connections

    def closed(self, session: "_Session") -> None:
        self._sessions.discard(session)

    def take(self, connection: int, session: Session, envelope: Envelope) -> int:
        (recipient,) = envelope.rcpt_tos
        assert isinstance(envelope.original_content, bytes)
        taken = Received(
            sender=str(envelope.mail_from),
            recipient=recipient,
            content=envelope.original_content,
            options=tuple(envelope.mail_options),
            connection=connection,
            is_encrypted=self._is_tls or session.ssl is not None,
            is_signed_in=bool(session.authenticated),
        )
        self.received.append(taken)
        return len(self.received)

    def serve(self) -> None:
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def end(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    async def _start(self) -> None:
        self._listening = await self._loop.create_server(
            self.make_session, HOST, self.port, ssl=self._context if self._is_tls else None
        )
        self.port = self._listening.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        if self._listening is not None:
            self._listening.close()
            await self._listening.wait_closed()
        self._listening = None
        await self._close_connections(b"")

    async def _close_connections(self, last_words: bytes) -> None:
        ended = [session.end(last_words) for session in list(self._sessions)]
        await asyncio.gather(*ended, return_exceptions=True)


class _Session(SMTP):
    """One connection: aiosmtpd with failures at each stage."""

    def __init__(self, server: MailServer, **given: Any) -> None:
        super().__init__(_Taking(server), **given)
        self.server, self.number, self.arrived_at = server, 0, self.loop.time()
        self._smtp_methods = {
            verb: self._faulty(verb, method) for verb, method in self._smtp_methods.items()
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self.number:  # called again after STARTTLS
            self.number = self.server.opened(self)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self.arrived_at = self.loop.time()
        super().data_received(data)

    async def wait(self) -> None:
        """Wait for the delay since the last bytes, like a distant server."""
        await asyncio.sleep(self.arrived_at + self.server.delay - self.loop.time())

    def connection_lost(self, error: Exception | None) -> None:
        self.server.closed(self)
        super().connection_lost(error)

    async def end(self, last_words: bytes) -> None:
        assert self._handler_coroutine is not None
        if last_words:
            await self.push(last_words)
        self._writer.close()
        await asyncio.wait([self._handler_coroutine], timeout=1)

    async def fault(self, stage: str) -> str | None:
        """Fail at this stage if switched on; return the reply to give instead of the usual one."""
        how = self.server.take_fault(stage)
        if how == CUT:
            await self.push("354 go on")
            await self._reader.readuntil(b"\r\n")
        if how in (DROP, CUT):
            self._writer.transport.abort()
        if how in (DROP, CUT, HANG):
            await asyncio.Event().wait()  # cancelled when the connection is lost
        return how

    async def _handle_client(self) -> None:
        await self.wait()
        reply = await self.fault("BANNER")
        if reply is None:
            await super()._handle_client()
        else:
            await self.push(reply)
            self._writer.close()

    def _faulty(self, verb: str, method: Callable[[str], Any]) -> Callable[[str], Any]:
        async def run(argument: str) -> None:
            self.server.commands[verb] += 1
            await self.wait()
            reply = await self.fault(verb)
            if reply is None:
                await method(argument)
            else:
                await self.push(reply)
                if reply.startswith("421"):
                    self._writer.close()

        return run


class _Taking:
    """Hooks of aiosmtpd: extensions, and whether a recipient or a message is accepted."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def handle_EHLO(  # noqa: N802 - aiosmtpd finds it by this name, as the next two
        self, _: SMTP, session: Session, __: Envelope, name: str, replies: list[str]
    ) -> list[str]:
        session.host_name = name
        offered = [replies[0], "250-PIPELINING", *replies[1:]]
        return [one for one in offered if one[4:].split()[0] not in self._server.without]

    async def handle_RCPT(  # noqa: N802
        self, _: SMTP, __: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self._server.refused:
            return self._server.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, smtp: _Session, session: Session, envelope: Envelope
    ) -> str:
        await smtp.wait()
        if reply := await smtp.fault("CONTENT"):
            return reply
        number = self._server.take(smtp.number, session, envelope)
        return await smtp.fault("END") or f"250 2.0.0 OK: queued as Q{number}"


def _authenticate(_: SMTP, __: Session, ___: Envelope, mechanism: str, data: Any) -> AuthResult:
    right = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=data == right, handled=False)


@contextmanager
def mail_server(certificate: Path | None = None, **given: Any) -> Iterator[MailServer]:
    """Run a mail server in a thread during the block; MailServer says what can be given."""
    server = MailServer(certificate, **given)
    thread = threading.Thread(target=server.serve, name="mail server")
    thread.start()
    try:
        server.start()
        yield server
    finally:
        server.end()
        thread.join()


if __name__ == "__main__":
    with mail_server(Path(sys.argv[2]), wants_sign_in=True) as running:
        running.delay = float(sys.argv[1])
        print(running.port, flush=True)
        sys.stdin.read()
