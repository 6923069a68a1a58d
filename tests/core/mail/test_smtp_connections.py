"""Failed connections to the mail server: down, not encrypted, not signed in."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.mail.deliver.pool import SmtpPool
from core.mail.deliver.server import Sent, Server, Unusable
from tests.conftest import free_port
from tests.core.certificates import make_certificate
from tests.core.mail.mail_server import DROP, HANG, HOST, PASSWORD, MailServer, mail_server
from tests.core.mail.mails import SHORT, open_pool, patience, send, send_to

WHERE = f"The mail server {HOST}:"
SILENT = f"did not answer within {SHORT} s."
BROKEN = {DROP: "closed the connection.", HANG: SILENT}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls") / "right.pem")


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_it_is_encrypted_and_signed_in(security: str, certificate: Path) -> None:
    is_tls = security == "tls"
    with mail_server(certificate, is_tls=is_tls, wants_sign_in=not is_tls) as server:
        assert server.describe().security == security
        assert isinstance(send_to(server.describe()), Sent)
        (taken,) = server.received
        assert (taken.is_encrypted, taken.is_signed_in) == (True, not is_tls)


def test_a_server_that_is_down_stops_the_queue_until_it_is_back(
    smtp_server: MailServer, pool: SmtpPool
) -> None:
    send(pool)
    smtp_server.stop()
    down = Unusable(f"{WHERE}{smtp_server.port} cannot be reached: Connection refused.")
    assert [send(pool), send(pool)] == [down, down]
    smtp_server.start()
    assert isinstance(send(pool), Sent)


def test_a_host_that_nobody_knows_stops_the_queue() -> None:
    result = send_to(Server(host="mail.nowhere.invalid", port=25, timeout=1))
    assert isinstance(result, Unusable)
    assert result.why.startswith("The mail server mail.nowhere.invalid:25 cannot be reached: ")


@pytest.mark.parametrize("host", [".", "a..b", "x" * 70 + ".example"])
def test_a_host_that_is_none_stops_the_queue(host: str) -> None:
    assert isinstance(send_to(Server(host=host, port=free_port(), timeout=1)), Unusable)


@pytest.mark.parametrize(
    ("stage", "how", "why"),
    [
        ("BANNER", DROP, "closed the connection."),
        ("BANNER", HANG, SILENT),
        ("BANNER", "SSH-2.0-OpenSSH_9.2", "does not speak SMTP."),
        ("BANNER", "554 5.3.2 no service", "refuses the connection: 554 5.3.2 no service"),
        ("BANNER", "421 4.7.0 too many", "refuses the connection: 421 4.7.0 too many"),
        ("BANNER", "x" * 9000, "refuses the connection: 500 Line too long."),
        ("EHLO", DROP, "closed the connection."),
        ("EHLO", HANG, SILENT),
        ("STARTTLS", DROP, "closed the connection."),
        ("STARTTLS", HANG, SILENT),
        ("STARTTLS", "454 4.3.0 not now", "refuses the connection: 454 4.3.0 not now"),
        ("AUTH", DROP, "closed the connection."),
        ("AUTH", HANG, SILENT),
        ("AUTH", "454 4.7.0 not now", "refuses the sign-in of desk: 454 4.7.0 not now"),
        ("AUTH", "535 5.7.8 no", "refuses the sign-in of desk: 535 5.7.8 no"),
        ("AUTH", "534 5.7.9 app password", "refuses the sign-in of desk: 534 5.7.9 app password"),
    ],
)
def test_a_connection_that_is_not_made_stops_the_queue(
    stage: str, how: str, why: str, certificate: Path
) -> None:
    with mail_server(certificate, wants_sign_in=True) as server:
        server.fail(stage, how)
        with open_pool(server.describe(timeout=patience(how))) as pool:
            assert send(pool) == Unusable(f"{WHERE}{server.port} {why}")
            server.recover()
            assert isinstance(send(pool), Sent)


def test_a_wrong_password_stops_the_queue(certificate: Path) -> None:
    with mail_server(certificate, wants_sign_in=True) as server:
        result = send_to(server.describe(password="wrong"))
    assert isinstance(result, Unusable)
    assert "refuses the sign-in of desk: 535 5.7.8 " in result.why


def test_a_password_that_smtp_cannot_carry_stops_the_queue(certificate: Path) -> None:
    with mail_server(certificate, wants_sign_in=True) as server:
        result = send_to(server.describe(password="pässword"))
    assert isinstance(result, Unusable)
    assert result.why.endswith("its name, or the sign-in, has invalid characters.")


def test_a_server_without_sign_in_is_not_used_by_one_who_has_a_password(
    smtp_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    result = send_to(smtp_server.describe(user="desk", password=PASSWORD))
    assert isinstance(result, Unusable)
    assert result.why.endswith("offers no sign-in, but SMTP_USER is set.")


@pytest.mark.parametrize("replies", [{"without": {"STARTTLS"}}, {"fault": "502 EHLO? HELO!"}])
def test_without_starttls_nothing_is_sent(replies: dict[str, Any], certificate: Path) -> None:
    with mail_server(certificate) as server:
        server.without |= replies.get("without", set())
        if "fault" in replies:
            server.fail("EHLO", replies["fault"])
        result = send_to(server.describe())
        why = "offers no STARTTLS, and mail must be encrypted."
        assert result == Unusable(f"{WHERE}{server.port} {why}")
        assert server.commands["MAIL"] == 0


@pytest.mark.parametrize("is_tls", [False, True])
def test_a_certificate_of_another_host_is_not_accepted(is_tls: bool, tmp_path: Path) -> None:
    other = make_certificate(tmp_path / "other.pem", host="mail.other.example")
    with mail_server(other, is_tls=is_tls) as server:
        result = send_to(server.describe())
        assert isinstance(result, Unusable)
        assert "has an invalid certificate: IP address mismatch" in result.why
        assert server.commands["MAIL"] == 0


@pytest.mark.parametrize("is_tls", [False, True])
def test_an_expired_certificate_is_not_accepted(is_tls: bool, tmp_path: Path) -> None:
    expired = make_certificate(tmp_path / "expired.pem", ends=timedelta(hours=-1))
    with mail_server(expired, is_tls=is_tls) as server:
        result = send_to(server.describe())
    assert isinstance(result, Unusable)
    assert result.why.endswith("has an invalid certificate: certificate has expired.")


def test_a_certificate_of_an_unknown_authority_is_not_accepted(certificate: Path) -> None:
    with mail_server(certificate) as server:
        result = send_to(server.describe(ca_file=None))
    assert isinstance(result, Unusable)
    assert result.why.endswith("has an invalid certificate: self-signed certificate.")


def test_tls_from_the_first_byte_is_not_made_with_a_plain_server(smtp_server: MailServer) -> None:
    result = send_to(smtp_server.describe(security="tls"))
    assert isinstance(result, Unusable)
    assert result.why.startswith(f"{WHERE}{smtp_server.port} failed to set up encryption: ")


@pytest.mark.parametrize("host", ["mail.example.com", "10.0.0.1", "localhost.example.com"])
def test_a_plain_server_that_is_not_this_machine_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="must be encrypted"):
        Server(host=host, port=25, security="plain")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1"])
def test_a_plain_server_on_this_machine_is_fine(host: str) -> None:
    assert Server(host=host, port=25, security="plain").host == host


@pytest.mark.parametrize("stage", ["AUTH", "MAIL", "END"])
def test_the_password_is_in_no_sentence_and_no_log(
    stage: str, certificate: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even if the server repeats it, plain or encoded."""
    caplog.set_level(logging.DEBUG)
    secrets = [PASSWORD, "czNjcmV0LXBhNTV3b3Jk", "AGRlc2sAczNjcmV0LXBhNTV3b3Jk"]
    with mail_server(certificate, wants_sign_in=True) as server:
        described = server.describe()
        code = 250 if stage == "END" else 535
        server.fail(stage, f"{code} not {' nor '.join(secrets)}")
        result = send_to(described)
    said = [repr(result), repr(described), str(described)]
    said += [logging.Formatter().format(one) for one in caplog.records if "core" in one.name]
    assert "not *** nor *** nor ***" in said[0]
    assert not any(secret in text for secret in secrets for text in said)
