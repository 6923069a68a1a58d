"""Mail: messages a second over connections that are kept, and over a new one for each message.

Both encrypted and signed in, to a mail server in a process of its own, in turns. The alternative is
smtplib as it comes: connect, STARTTLS, sign in, send, quit.
"""

import smtplib
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from statistics import median

from core.smtp import Post, Sent, Server
from tests.bench.figures import Figure
from tests.bench.processes import PROJECT
from tests.core.certificates import make_certificate
from tests.core.mail_server import HOST, PASSWORD, USER
from tests.core.mails import RECIPIENT, SENDER, make_message

ROUNDS = 5  # in turns; the medians count
MESSAGES = 20  # of a round, for each connection
FEWER = 10  # of a round, a new connection for each
PDF_BYTES = 30_000
FAR_SECONDS = 0.015  # before each reply of a server that is not next door
MIN_RATIO, MIN_RATIO_FAR, MIN_RATIO_FOUR = 8, 4, 10


def measure_mail() -> Iterator[Figure]:
    """Send to a server that answers at once, and to one that takes a while for each reply."""
    with tempfile.TemporaryDirectory() as folder:
        certificate = make_certificate(Path(folder) / "server.pem")
        with _serving(certificate, 0) as server:
            one, anew = _in_turns(server, (1, 0))
            yield _figure("One mail, one connection kept", one, anew, MIN_RATIO)
        with _serving(certificate, FAR_SECONDS) as server:
            one, four, anew = _in_turns(server, (1, 4, 0))
            far = f"{FAR_SECONDS * 1000:.0f} ms a reply"
            yield _figure(f"One mail, {far}, one connection kept", one, anew, MIN_RATIO_FAR)
            yield _figure(f"One mail, {far}, four connections", four, anew, MIN_RATIO_FOUR)


def _figure(measure: str, ours: float, anew: float, least: float) -> Figure:
    ratio = anew / ours
    said = f"a new one each: {_in_time(anew)}"
    return Figure(measure, _in_time(ours), said, ratio, f"{least} times faster", ratio >= least)


def _in_time(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


@contextmanager
def _serving(certificate: Path, delay: float) -> Iterator[Server]:
    command = [sys.executable, "-m", "tests.core.mail_server", str(delay), str(certificate)]
    with subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            yield Server(HOST, port, user=USER, password=PASSWORD, ca_file=certificate)
        finally:
            process.stdin.close()


def _in_turns(server: Server, ways: tuple[int, ...]) -> Iterator[float]:
    """Return the seconds a message of each way: over so many kept connections, 0: new ones."""
    with _ways(server, ways) as send:
        for one in send:  # to be warm, and to have the connections
            one()
        rounds = [[one() for one in send] for _ in range(ROUNDS)]
    yield from map(median, zip(*rounds, strict=True))


@contextmanager
def _ways(server: Server, ways: tuple[int, ...]) -> Iterator[list[Callable[[], float]]]:
    posts = {count: Post(server) for count in ways if count}

    def kept(count: int) -> float:
        return _timed(count, MESSAGES * count, lambda message: _send(posts[count], message))

    def anew() -> float:
        return _timed(1, FEWER, lambda message: _send_anew(server, message))

    try:
        yield [(lambda count=count: kept(count)) if count else anew for count in ways]
    finally:
        for post in posts.values():
            post.close()


def _timed(threads: int, messages: int, send: Callable[[EmailMessage], None]) -> float:
    """Return the seconds a message."""
    made = [_message(number) for number in range(messages)]
    with ThreadPoolExecutor(threads) as pool:
        started = time.perf_counter()
        for _ in pool.map(send, made):
            pass
        return (time.perf_counter() - started) / messages


def _message(number: int) -> EmailMessage:
    message = make_message(**{"Message-ID": f"<{number}@helios.example>"})
    pdf = b"%PDF-1.7\n" + bytes(index * 7 % 251 for index in range(PDF_BYTES))
    message.add_attachment(pdf, maintype="application", subtype="pdf", filename="vouchers.pdf")
    return message


def _send(post: Post, message: EmailMessage) -> None:
    result = post.send(message, sender=SENDER, recipient=RECIPIENT, may_hand_over=lambda: True)
    if not isinstance(result, Sent):
        raise SystemExit(f"The mail server does not take the mail: {result}")


def _send_anew(server: Server, message: EmailMessage) -> None:
    with smtplib.SMTP(server.host, server.port, timeout=server.timeout) as smtp:
        smtp.starttls(context=ssl.create_default_context(cafile=server.ca_file))
        smtp.login(USER, PASSWORD)
        smtp.send_message(message)
