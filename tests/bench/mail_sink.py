"""A mail server that accepts everything and uses almost no time, like a server written in C.

python -m tests.bench.mail_sink DELAY CERTIFICATE prints its port and serves until the end of its
input. Each reply comes DELAY seconds after its command, as over a network. It offers STARTTLS, AUTH
and PIPELINING like Postfix, and checks nothing. aiosmtpd takes several milliseconds to read a mail
line by line, which would hide the cost of sending.
"""

import socket
import ssl
import sys
import threading
import time
from contextlib import suppress

EXTENSIONS = (
    b"sink",
    b"PIPELINING",
    b"SIZE 50000000",
    b"STARTTLS",
    b"AUTH PLAIN LOGIN",
    b"8BITMIME",
)
END = b"\r\n.\r\n"
REPLIES = {b"DATA": b"354 go on", b"QUIT": b"221 bye", b"AUTH": b"235 welcome"}


def main() -> None:
    """Serve until the end of the input."""
    delay, context = float(sys.argv[1]), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=[listener, context, delay], daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


def _accept(listener: socket.socket, context: ssl.SSLContext, delay: float) -> None:
    while True:
        connection = listener.accept()[0]
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _Session(connection, context, delay).start()


class _Session(threading.Thread):
    def __init__(self, connection: socket.socket, context: ssl.SSLContext, delay: float) -> None:
        super().__init__(daemon=True)
        self._connection, self._context, self._delay = connection, context, delay
        self._unread, self._heard = b"", time.monotonic()

    def run(self) -> None:
        with suppress(OSError, EOFError):
            self._reply(b"220 sink")
            while self._take(self._read_to(b"\r\n")):
                pass
        self._connection.close()

    def _take(self, line: bytes) -> bool:
        """Execute a command; return whether the connection continues."""
        verb = line[:4].upper()
        if verb == b"EHLO":
            self._reply(b"\r\n".join(b"250-" + one for one in EXTENSIONS) + b"\r\n250 HELP")
        elif line.upper().startswith(b"STARTTLS"):
            self._reply(b"220 go on")
            self._connection = self._context.wrap_socket(self._connection, server_side=True)
        else:
            self._reply(REPLIES.get(verb, b"250 ok"))
            if verb == b"DATA":
                self._read_to(END)
                self._reply(b"250 taken")
        return verb != b"QUIT"

    def _reply(self, line: bytes) -> None:
        time.sleep(max(0.0, self._heard + self._delay - time.monotonic()))
        self._connection.sendall(line + b"\r\n")

    def _read_to(self, end: bytes) -> bytes:
        looked = 0
        while (found := self._unread.find(end, looked)) < 0:
            looked = max(0, len(self._unread) - len(end))
            more = self._connection.recv(1 << 20)
            if not more:
                raise EOFError
            self._unread, self._heard = self._unread + more, time.monotonic()
        taken, self._unread = self._unread[:found], self._unread[found + len(end) :]
        return taken


if __name__ == "__main__":
    main()
