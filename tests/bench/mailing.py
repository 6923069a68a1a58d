"""Mail: the time per mail over a kept connection, compared with a new smtplib connection each.

Both are encrypted and signed in, to a mail server in its own process, in turns. smtplib leaves
Nagle's algorithm on: the last part of a mail waits for an acknowledgement, which the other end
delays by 40 ms. This affects mails of about 60 kB (ten vouchers) on new connections too. Smaller
mails mostly avoid it, because Linux acknowledges the first packets of a connection at once.
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
from dataclasses import dataclass, replace
from email.message import EmailMessage
from functools import partial
from itertools import chain
from pathlib import Path
from statistics import median

from core.mail.deliver.pool import SmtpPool
from core.mail.deliver.server import Sent, Server
from tests.bench.extent import some
from tests.bench.figures import Figure, in_milliseconds
from tests.bench.processes import PROJECT
from tests.core.certificates import make_certificate
from tests.core.mail.mail_server import HOST, PASSWORD, USER
from tests.core.mail.mails import RECIPIENT, SENDER, make_message

ROUNDS = some(15, 5)  # in turns; the median counts
MESSAGES = 6  # per round and connection
ONE_VOUCHER, TEN_VOUCHERS = 20_000, 45_000  # bytes of the PDF
FAR_SECONDS = 0.015  # delay of each reply, as from a distant server
NEW_EACH = "a new connection each"
MIN_RATIO, MIN_RATIO_SMALL, MIN_RATIO_FAR, MIN_RATIO_FOUR = 8, 2, 4, 10


@dataclass(frozen=True)
class Way:
    """A way to send, with a number of threads."""

    send: Callable[[EmailMessage], None]
    threads: int = 1


def measure_mail() -> Iterator[Figure]:
    """Send to a fast server, and to a server that delays each reply."""
    with tempfile.TemporaryDirectory() as folder:
        certificate = make_certificate(Path(folder) / "server.pem")
        with _serving(certificate, 0) as server, _posting(server, 1) as one:
            anew = Way(partial(_send_anew, server))
            for what, size, least in (
                ("One mail of ten vouchers", TEN_VOUCHERS, MIN_RATIO),
                ("One mail of one voucher", ONE_VOUCHER, MIN_RATIO_SMALL),
            ):
                ours, each = _in_turns(size, one, anew)
                yield _figure(what, ours, NEW_EACH, each, least)
        with (
            _serving(certificate, FAR_SECONDS) as server,
            _posting(server, 1) as one,
            _posting(server, 4) as four,
        ):
            anew = Way(partial(_send_anew, server))
            ours, ours_four, each = _in_turns(TEN_VOUCHERS, one, four, anew)
            far = f"One mail, {FAR_SECONDS * 1000:.0f} ms a reply"
            yield _figure(far, ours, NEW_EACH, each, MIN_RATIO_FAR)
            yield _figure(f"{far}, four connections", ours_four, NEW_EACH, each, MIN_RATIO_FOUR)


def _figure(measure: str, ours: float, what: str, other: float, least: float) -> Figure:
    ratio = other / ours
    said = f"{what}: {in_milliseconds(other)}"
    return Figure(
        measure, in_milliseconds(ours), said, ratio, f"{least} times faster", ratio >= least
    )


@contextmanager
def _serving(certificate: Path, delay: float) -> Iterator[Server]:
    command = [sys.executable, "-m", "tests.bench.mail_sink", str(delay), str(certificate)]
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # aiosmtpd warns about itself
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            yield Server(HOST, port, user=USER, password=PASSWORD, ca_file=certificate)
        finally:
            process.stdin.close()


@contextmanager
def _posting(server: Server, connections: int) -> Iterator[Way]:
    pool = SmtpPool(replace(server, connections=connections))
    try:
        yield Way(partial(_send, pool), connections)
    finally:
        pool.close()


@contextmanager
def _connected(server: Server) -> Iterator[smtplib.SMTP]:
    """Connect like smtplib: with Nagle's algorithm."""
    with smtplib.SMTP(server.host, server.port, timeout=server.timeout) as smtp:
        smtp.starttls(context=ssl.create_default_context(cafile=server.ca_file))
        smtp.login(USER, PASSWORD)
        yield smtp


def _in_turns(size: int, *ways: Way) -> list[float]:
    """Return the seconds per mail of each way."""
    rounds = [[_round(way, size) for way in ways] for _ in range(ROUNDS + 1)]
    by_way = zip(*rounds[1:], strict=True)  # the first round is a warm-up
    return [median(chain.from_iterable(times)) for times in by_way]


def _round(way: Way, size: int) -> list[float]:
    """Return the seconds per mail; with several threads, the total time divided by the mails."""
    made = [_message(number, size) for number in range(MESSAGES * way.threads)]
    if way.threads == 1:
        return [_seconds(partial(way.send, message)) for message in made]
    with ThreadPoolExecutor(way.threads) as pool:
        return [_seconds(lambda: list(pool.map(way.send, made))) / len(made)]


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _message(number: int, size: int) -> EmailMessage:
    message = make_message(**{"Message-ID": f"<{number}@helios.example>"})
    pdf = b"%PDF-1.7\n" + bytes(index * 7 % 251 for index in range(size))
    message.add_attachment(pdf, maintype="application", subtype="pdf", filename="vouchers.pdf")
    return message


def _send(pool: SmtpPool, message: EmailMessage) -> None:
    result = pool.send(message, sender=SENDER, recipient=RECIPIENT, may_hand_over=lambda: True)
    if not isinstance(result, Sent):
        raise SystemExit(f"The mail server refused the mail: {result}")


def _send_anew(server: Server, message: EmailMessage) -> None:
    with _connected(server) as smtp:
        smtp.send_message(message)
