"""The checks of single settings. A ValueError says what is wrong with a value."""

import re
import ssl
from email.headerregistry import Address
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from core.ground import pem
from core.ground.places import zones
from core.ground.secret_strength import HINT, find_weakness

Security = Literal["starttls", "tls", "plain"]
PICTURES = (".svg", ".png", ".jpg", ".jpeg")


def time_zone(name: str) -> str:
    """Check the name of a time zone."""
    if name not in zones():
        raise ValueError("is not an IANA time zone such as Europe/London or UTC")
    return name


def check_database_url(url: str) -> str:
    """Return a database URL that Order Desk supports; raises ValueError for any other."""
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise ValueError("is not a database URL") from error
    if address.drivername not in ("sqlite", "postgresql+psycopg"):
        raise ValueError("must start with sqlite:/// or postgresql+psycopg://")
    if address.database in (None, "", ":memory:"):
        raise ValueError("must name a database: a file for SQLite, a name for PostgreSQL")
    return url


def web_address(url: str) -> str:
    """Check that a URL starts with http:// or https://."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("must start with https:// or http://")
    return url


def secure_address(url: str) -> str:
    """Check that a URL starts with https://, or is http:// on this machine."""
    parts = urlsplit(web_address(url))
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("must start with https://, unless it is on this machine")
    return url


def email_address(text: str) -> str:
    """Check an e-mail address; return it in its usual form."""
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError("is not an e-mail address") from error


def readable_file(path: Path) -> Path:
    """Check that a file exists."""
    if not path.is_file():
        raise ValueError(f"the file {path} does not exist")
    return path


def picture(path: Path) -> Path:
    """Check that a file is a picture, by its suffix."""
    if path.suffix.lower() not in PICTURES:
        raise ValueError(f"the type of {path} must be one of {', '.join(PICTURES)}")
    return path


def signing_key(text: SecretStr) -> SecretStr:
    """Check that a text is a private key in PEM."""
    pem.parse_private_pem(text.get_secret_value())
    return text


def hard_to_guess(text: SecretStr) -> SecretStr:
    """Check that a secret is hard to guess."""
    weakness = find_weakness(text.get_secret_value())
    if weakness is not None:
        raise ValueError(f"{weakness}; {HINT}")
    return text


def is_loopback(host: str) -> bool:
    """Return whether a host name or IP address means this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def host(text: str) -> str:
    """Check a host name or an IP address."""
    if re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?", text):
        return text
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError("must be a host name or an IP address, without a port") from None


def mailbox(text: str) -> str:
    """Check an e-mail address, plain or as `Name <address>`; return it as a mail header."""
    parts = re.fullmatch(r"(?P<name>[^<>]*+)<(?P<inner>[^<>]*+)>|(?P<alone>[^<>]*+)", text.strip())
    if parts is None or not text.isprintable() or "=?" in text:
        raise ValueError("must be an address, or a name and an address: Name <name@example.com>")
    try:
        found = validate_email(
            parts["alone"] or parts["inner"] or "", allow_smtputf8=False, check_deliverability=False
        )
    except EmailNotValidError as error:
        raise ValueError(f"is not a valid sender address: {error}") from None
    name = (parts["name"] or "").strip().strip('"')
    return str(Address(name, addr_spec=found.ascii_email or ""))


def ascii_secret(text: SecretStr) -> SecretStr:
    """Check that a password is ASCII, which is all that SMTP sign-in supports."""
    if not text.get_secret_value().isascii():
        raise ValueError("has non-ASCII characters, which SMTP sign-in does not support")
    return text


def certificates(path: Path) -> Path:
    """Check that a file holds PEM certificates."""
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError as error:
        raise ValueError(f"{path} holds no PEM certificates") from error
    return path
