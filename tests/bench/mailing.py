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
from functools import partial
from pathlib import Path
from statistics import median

from core.smtp import Post, Sent, Server
from tests.bench.figures import Figure
from tests.bench.processes import PROJECT
from tests.core.certificates import make_certificate
from tests.core.mail_server import HOST, PASSWORD, USER
from tests.core.mails import RECIPIENT, SENDER, make_message

ROUNDS = 15  # in turns; the medians count
MESSAGES = 6  # of a round, for each connection
ANEW = 0  # a new connection for each mail
PDF_BYTES = 30_000
FAR_SECONDS = 0.015  # before each reply of a server that is not next door
MIN_RATIO, MIN_RATIO_FAR, MIN_RATIO_FOUR = 8, 4, 10
Send = Callable[[EmailMessage], None]


def measure_mail() -> Iterator[Figure]:
    """Send to a server that answers at once, and to one that takes a while for each reply."""
    with tempfile.TemporaryDirectory() as folder:
        certificate = make_certificate(Path(folder) / "server.pem")
        with _serving(certificate, 0) as server:
            one, anew = _in_turns(server, (1, ANEW))
            yield _figure("One mail, one connection kept", one, anew, MIN_RATIO)
        with _serving(certificate, FAR_SECONDS) as server:
            one, four, anew = _in_turns(server, (1, 4, ANEW))
            far = f"One mail, {FAR_SECONDS * 1000:.0f} ms a reply"
            yield _figure(f"{far}, one connection kept", one, anew, MIN_RATIO_FAR)
            yield _figure(f"{far}, four connections", four, anew, MIN_RATIO_FOUR)


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
        command,
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # aiosmtpd complains of its own future
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            yield Server(HOST, port, user=USER, password=PASSWORD, ca_file=certificate)
        finally:
            process.stdin.close()


def _in_turns(server: Server, ways: tuple[int, ...]) -> list[float]:
    """Return the seconds that a mail takes: over so many kept connections, or ANEW."""
    posts = {count: Post(server) for count in ways if count != ANEW}
    sends: dict[int, Send] = {count: partial(_send, post) for count, post in posts.items()}
    sends[ANEW] = partial(_send_anew, server)
    taken: dict[int, list[float]] = {count: [] for count in ways}
    try:
        for number in range(ROUNDS + 1):
            for count in ways:
                times = _round(sends[count], count)
                taken[count] += times if number else []  # the first is there to be warm
    finally:
        for post in posts.values():
            post.close()
    return [median(taken[count]) for count in ways]


def _round(send: Send, threads: int) -> list[float]:
    """Return what each mail took; of several threads, a mail's part of the time of all."""
    if threads <= 1:
        return [_seconds(send, number) for number in range(MESSAGES)]
    made = [_message(number) for number in range(MESSAGES * threads)]
    with ThreadPoolExecutor(threads) as pool:
        started = time.perf_counter()
        for _ in pool.map(send, made):
            pass
        return [(time.perf_counter() - started) / len(made)]


def _seconds(send: Send, number: int) -> float:
    message = _message(number)
    started = time.perf_counter()
    send(message)
    return time.perf_counter() - started


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
