"""All that runs for the soak of a team: processes, haproxy, databases, providers, people."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from core import access, demo, startup, storage
from core.ground import Method, private_pem
from tests.bench.databases import KEPT
from tests.bench.extent import some
from tests.conftest import free_port
from tests.core import steps
from tests.core.mail.mail_server import HOST, MailServer, mail_server
from tests.core.refunds.card_provider import Till, providing
from tests.core.refunds.sold_items import sell
from tests.core.refunds.worker_deaths import KEY, changed
from tests.databases import use_database
from tests.soak.crowd import sign_in
from tests.soak.people import Person
from tests.team.haproxy import Balancer, balancing
from tests.team.members import Team, teaming
from tests.team.releases import make_release
from tests.team.replicas import Replicas, replicating, wait_until
from tests.vouchers import KEY as VOUCHER_KEY

APPS, WORKERS = 3, 2
ORDERS = some(50_000, 5_000)
BALANCE_ITEMS, CARD_ITEMS, MAILED_ITEMS = some(3_000, 600), some(1_000, 200), 9
BETWEEN_SECONDS = some(10.0, 6.0)  # from one fault to the next
AFTER_SECONDS = 2.0  # from the end of a fault until each person has asked once again


@dataclass
class Site:
    """All that runs, and who uses it."""

    team: Team
    balancer: Balancer
    replicas: Replicas
    till: Till
    mails: MailServer
    people: list[Person]
    folder: Path
    items: list[str] = field(default_factory=list)
    mailed: list[str] = field(default_factory=list)
    faults: list[tuple[str, float, float]] = field(default_factory=list)

    @contextmanager
    def fault(self, name: str) -> Iterator[None]:
        """Note when something is down; before it nothing is, for a while."""
        time.sleep(BETWEEN_SECONDS)
        began = time.monotonic()
        yield
        self.faults.append((name, began, time.monotonic() + AFTER_SECONDS))
        steps.step()

    def is_down(self, at: float) -> bool:
        """Say whether something was down at a time."""
        return any(began <= at <= ended for _, began, ended in self.faults)


@contextmanager
def running_site(people: int) -> Iterator[Site]:
    """Start everything, with so many people who are signed in; all of it ends with the block."""
    KEPT.mkdir(exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(dir=KEPT)))
        replicas = stack.enter_context(replicating(fsync=True))
        address, till = stack.enter_context(providing())
        mails = stack.enter_context(mail_server())
        port = free_port()
        url = replicas.url("orders")
        settings = _settings(url, address, mails, port) | {"DATA_DIR": str(folder)}
        stack.enter_context(changed(settings))
        replicas.primary.ask("CREATE DATABASE orders TEMPLATE template0 ENCODING 'UTF8'")
        use_database(url)
        stack.callback(lambda: storage.get_engine().dispose())
        startup.prepare(datetime.now(UTC), may_fill=False)
        console = access.find_console_actor()
        assert console is not None
        demo.fill(ORDERS, actor=console, now=datetime.now(UTC))
        persons = sign_in(people)
        items = sell(BALANCE_ITEMS) + sell(CARD_ITEMS, method=Method.CARD)
        release = make_release(folder / "release")
        team = stack.enter_context(teaming(release, settings, folder))
        ports = [team.add_app().port for _ in range(APPS)]
        for _ in range(WORKERS):
            team.add_worker()
        team.start()
        balancer = stack.enter_context(balancing(folder, ports, port=port))
        wait_until(lambda: balancer.count_up() == APPS)
        runs = team, balancer, replicas, till, mails
        yield Site(*runs, persons, folder, items, mailed=sell(MAILED_ITEMS))


def _settings(url: str, stripe: str, mails: MailServer, port: int) -> dict[str, str]:
    return {
        "DATABASE_URL": url,
        "PUBLIC_URL": f"https://localhost:{port}",
        "OIDC_METADATA_URL": "http://localhost:1/.well-known/openid-configuration",
        "OIDC_CLIENT_ID": "order-desk",
        "OIDC_CLIENT_SECRET": "only-in-tests",
        "FIRST_ADMIN_EMAIL": "ana@helios.example",
        "SIGNING_SECRET": os.urandom(32).hex(),
        "VOUCHER_PRIVATE_KEY": private_pem(VOUCHER_KEY),
        "LEASE_SECONDS": "5",
        "STRIPE_API_KEY": KEY,
        "STRIPE_API_BASE": stripe,
        "NO_PROXY": "127.0.0.1",
        "SMTP_HOST": HOST,
        "SMTP_PORT": str(mails.port),
        "MAIL_FROM": "desk@helios.example",
    }
