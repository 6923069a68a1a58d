"""A mail server: how to talk to it, and what can come of a message that it is asked to take."""

import base64
from dataclasses import dataclass, field
from pathlib import Path

from core.ground import Security, get_settings, is_loopback

PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "plain": 25}


@dataclass(frozen=True)
class Sent:
    """The server took it; `note` is what it said, which often names it in the server's log."""

    note: str | None = None


@dataclass(frozen=True)
class Later:
    """Not this time; `may_have_arrived` when all was handed over and the reply never came."""

    why: str
    may_have_arrived: bool = False


@dataclass(frozen=True)
class Rejected:
    """The server said no for good to this message or recipient."""

    why: str


@dataclass(frozen=True)
class Unusable:
    """No message can be sent now; it says nothing about this one."""

    why: str


Result = Sent | Later | Rejected | Unusable


@dataclass(frozen=True)
class Server:
    """A mail server and how to talk to it. ValueError for a plain one that is not this machine."""

    host: str
    port: int
    security: Security = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 10  # seconds a reply
    connections: int = 4  # the most at once
    ca_file: Path | None = None  # the authorities to trust instead of the system's

    def __post_init__(self) -> None:
        if self.security == "plain" and not is_loopback(self.host):
            raise ValueError(f"Mail to {self.host} must be encrypted: it is not this machine.")

    def __str__(self) -> str:
        return f"The mail server {self.host}:{self.port}"

    def clean(self, words: bytes | str) -> str:
        """Return a server's words as one line without control characters or the password."""
        text = words.decode(errors="replace") if isinstance(words, bytes) else words
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())

    def _secrets(self) -> list[str]:
        """Return the password in every form in which it is sent."""
        if not self.password:
            return []
        sent = [f"\0{self.user}\0{self.password}", self.password]
        return [*(base64.b64encode(one.encode()).decode() for one in sent), self.password]


def configured() -> Server | None:
    """Return the mail server of the settings; None when there is none."""
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
