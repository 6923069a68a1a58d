"""The mail settings: what they mean, and that a wrong one stops the start and is named."""

from pathlib import Path

import pytest

from core.ground import get_settings
from core.mail.deliver.pool import SmtpPool
from core.mail.deliver.server import Server, configured
from tests.core.certificates import make_certificate
from tests.core.mail.mail_server import PASSWORD
from tests.core.refunds.refund_rows import settings

MAIL = {"smtp_host": "mail.example.com", "mail_from": "Order Desk <desk@helios.com>"}


def test_without_a_host_there_is_no_mail_server() -> None:
    with settings(mail_from="desk@helios.com"):
        assert configured() is None


def test_a_host_and_a_sender_are_enough() -> None:
    with settings(**MAIL):
        assert configured() == Server(
            host="mail.example.com", port=587, security="starttls", timeout=10, connections=4
        )


def test_every_setting_is_used(tmp_path: Path) -> None:
    authority = make_certificate(tmp_path / "ca.pem")
    given = {"smtp_security": "tls", "smtp_port": 2465, "smtp_user": "desk"}
    more = {"smtp_timeout_seconds": 2.5, "smtp_connections": 2, "smtp_ca_file": authority}
    with settings(**MAIL, **given, **more, smtp_password=PASSWORD):
        server = configured()
        assert PASSWORD not in repr(server) + repr(get_settings())
    assert server == Server(
        "mail.example.com", 2465, "tls", "desk", PASSWORD, 2.5, 2, ca_file=authority
    )
    SmtpPool(server).close()


@pytest.mark.parametrize(
    ("host", "security", "port", "meant"),
    [
        ("mail.example.com", "", 587, "starttls"),
        ("mail.example.com", "tls", 465, "tls"),
        ("localhost", "", 25, "plain"),
        ("127.0.0.1", "", 25, "plain"),
        ("::1", "", 25, "plain"),
        ("localhost", "starttls", 587, "starttls"),
    ],
)
def test_security_and_port_follow_the_host(host: str, security: str, port: int, meant: str) -> None:
    with settings(**(MAIL | {"smtp_host": host, "smtp_security": security})):
        server = configured()
    assert server is not None
    assert (server.port, server.security) == (port, meant)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("desk@helios.com", "desk@helios.com"),
        (" Order Desk <desk@helios.com> ", "Order Desk <desk@helios.com>"),
        ("Zürich Desk <desk@helios.com>", "Zürich Desk <desk@helios.com>"),
        ('"Desk, Order" <desk@helios.com>', '"Desk, Order" <desk@helios.com>'),
        ("Desk, Order <desk@helios.com>", '"Desk, Order" <desk@helios.com>'),
        ("<desk@helios.com>", "desk@helios.com"),
        ("desk@bücher.de", "desk@xn--bcher-kva.de"),
    ],
)
def test_the_sender_is_an_address_with_or_without_a_name(text: str, meant: str) -> None:
    with settings(mail_from=text):
        assert get_settings().mail_from == meant


@pytest.mark.parametrize(
    ("name", "value", "also"),
    [
        ("SMTP_HOST", "mail.example.com:587", {}),
        ("SMTP_HOST", "https://mail.example.com", {}),
        ("SMTP_HOST", "a..b", {}),
        ("SMTP_PORT", "0", {}),
        ("SMTP_PORT", "65536", {}),
        ("SMTP_SECURITY", "ssl", {}),
        ("SMTP_SECURITY", "plain", MAIL),
        ("SMTP_SECURITY", "plain", MAIL | {"smtp_host": "10.0.0.1"}),
        ("SMTP_TIMEOUT_SECONDS", "0", {}),
        ("SMTP_TIMEOUT_SECONDS", "inf", {}),
        ("SMTP_TIMEOUT_SECONDS", "nan", {}),
        ("SMTP_CONNECTIONS", "0", {}),
        ("SMTP_CA_FILE", "/no/such/file.pem", {}),
        ("SMTP_CA_FILE", __file__, {}),
        ("SMTP_USER", "dësk", {"smtp_password": "x"}),
        ("SMTP_PASSWORD", "pässword", {"smtp_user": "desk"}),
        ("MAIL_FROM", "desk", {}),
        ("MAIL_FROM", "dësk@helios.com", {}),
        ("MAIL_FROM", "a@helios.com, b@helios.com", {}),
        ("MAIL_FROM", "A <a@helios.com>, B <b@helios.com>", {}),
        ("MAIL_FROM", "Desk\r\nBcc: <b@helios.com>", {}),
        ("MAIL_FROM", "=?utf-8?q?Desk?= <desk@helios.com>", {}),
        ("MAIL_FROM", "Desk <>", {}),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(
    name: str, value: str, also: dict[str, str]
) -> None:
    with settings(**(also | {name: value})), pytest.raises(SystemExit) as stopped:
        get_settings()
    first, *faults = str(stopped.value).splitlines()
    assert first == "Order Desk cannot start."
    assert [fault.split(":")[0] for fault in faults] == [name]


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"smtp_host": "mail.example.com"}, "MAIL_FROM"),
        (MAIL | {"smtp_user": "desk"}, "SMTP_PASSWORD"),
        (MAIL | {"smtp_password": PASSWORD}, "SMTP_USER"),
    ],
)
def test_a_missing_setting_stops_the_start_with_its_name(
    given: dict[str, str], missing: str
) -> None:
    with settings(**given), pytest.raises(SystemExit, match=f"\n{missing}: is ") as stopped:
        get_settings()
    assert PASSWORD not in str(stopped.value)
