"""A mail server: how to connect to it, and the possible results of sending a message."""

import base64
from dataclasses import dataclass, field
from pathlib import Path

from core.ground import Channel, Security, get_settings, is_loopback

PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "plain": 25}


@dataclass(frozen=True)
class Sent:
    """The server accepted the message; `note` is its reply, often with an ID for its log.

    A message that was saved to the outbox on disk has that channel.
    """

    note: str | None = None
    channel: Channel = Channel.SMTP


@dataclass(frozen=True)
class Later:
    """Try again later; `may_have_arrived` if the whole message was sent but the reply was lost."""

    why: str
    may_have_arrived: bool = False


@dataclass(frozen=True)
class Rejected:
    """The server refused this message or recipient for good."""

    why: str


@dataclass(frozen=True)
class Unusable:
    """No message can be sent now; this says nothing about the message itself."""

    why: str


Result = Sent | Later | Rejected | Unusable


@dataclass(frozen=True)
class Server:
    """How to connect to a mail server. ValueError if it is remote and not encrypted."""

    host: str
    port: int
    security: Security = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 10  # seconds per reply
    connections: int = 4  # at most, at the same time
    ca_file: Path | None = None  # trusted authorities, instead of the system's

    def __post_init__(self) -> None:
        if self.security == "plain" and not is_loopback(self.host):
            raise ValueError(f"Mail to {self.host} must be encrypted: it is not this machine.")

    def __str__(self) -> str:
        return f"The mail server {self.host}:{self.port}"

    def clean(self, words: bytes | str) -> str:
        """Return a server's reply as one line without control characters or the password."""
        text = words.decode(errors="replace") if isinstance(words, bytes) else words
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())

    def _secrets(self) -> list[str]:
        """Return the password in every form that is sent."""
        if not self.password:
            return []
        sent = [f"\0{self.user}\0{self.password}", self.password]
        return [*(base64.b64encode(one.encode()).decode() for one in sent), self.password]


def configured() -> Server | None:
    """Return the mail server from the settings; None if there is none."""
    settings = get_settings()
    if settings.smtp_host is None:
        return None
    usual: Security = "plain" if is_loopback(settings.smtp_host) else "starttls"
    security = settings.smtp_security or usual
    password = settings.smtp_password
    return Server(
        host=settings.smtp_host,
        port=settings.smtp_port or PORTS[security],
        security=security,
        user=settings.smtp_user,
        password=password.get_secret_value() if password else None,
        timeout=settings.smtp_timeout_seconds,
        connections=settings.smtp_connections,
        ca_file=settings.smtp_ca_file,
    )
