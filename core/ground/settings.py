"""All settings, typed. They are read from the environment once and checked at start."""

import os
import re
import ssl
from email.headerregistry import Address
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from core.ground import pem, public_address
from core.ground.places import zones
from core.ground.secret_strength import HINT, find_weakness

PROJECT = Path(__file__).resolve().parents[2]
Security = Literal["starttls", "tls", "plain"]
PICTURES = (".svg", ".png", ".jpg", ".jpeg")
DEFAULT_TERMS = (
    "Valid once, for the passenger named above.\n"
    "Please be on time: the voucher cannot be used after the end of its validity.\n"
    "A refunded voucher is void, even if you have printed it."
)


def _time_zone(name: str) -> str:
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


def _local_address() -> str:
    return f"http://localhost:{os.environ.get('STREAMLIT_SERVER_PORT', '8501')}"


def _web_address(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("must start with https:// or http://")
    return url


def _secure_address(url: str) -> str:
    parts = urlsplit(_web_address(url))
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("must start with https://, unless it is on this machine")
    return url


def _email_address(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError("is not an e-mail address") from error


def _readable_file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"the file {path} does not exist")
    return path


def _picture(path: Path) -> Path:
    if path.suffix.lower() not in PICTURES:
        raise ValueError(f"the type of {path} must be one of {', '.join(PICTURES)}")
    return path


def _signing_key(text: SecretStr) -> SecretStr:
    pem.parse_private_pem(text.get_secret_value())
    return text


def _hard_to_guess(text: SecretStr) -> SecretStr:
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


def _host(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?", text):
        return text
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError("must be a host name or an IP address, without a port") from None


def _mailbox(text: str) -> str:
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


def _ascii(text: SecretStr) -> SecretStr:
    if not text.get_secret_value().isascii():
        raise ValueError("has non-ASCII characters, which SMTP sign-in does not support")
    return text


def _certificates(path: Path) -> Path:
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError as error:
        raise ValueError(f"{path} holds no PEM certificates") from error
    return path


class Settings(BaseSettings):
    """All settings. The environment variable of a setting is its name in upper case."""

    model_config = SettingsConfigDict(env_ignore_empty=True)

    database_url: Annotated[str, AfterValidator(check_database_url)] = (
        f"sqlite:///{PROJECT / 'data' / 'orders.db'}"
    )
    data_dir: Path = PROJECT / "data"
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    app_name: Annotated[str, Field(min_length=1, max_length=60)] = "Order Desk"
    logo: Annotated[Path, AfterValidator(_readable_file), AfterValidator(_picture)] = (
        PROJECT / "pages/static/logo.svg"
    )
    voucher_colour: Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")] = "#0f766e"
    voucher_support: Annotated[str, Field(max_length=200)] = ""
    voucher_terms: Annotated[str, Field(max_length=1500)] = DEFAULT_TERMS
    voucher_private_key: Annotated[SecretStr, AfterValidator(_signing_key)] | None = None
    public_url: Annotated[str, AfterValidator(public_address.parse)] = Field(
        default_factory=_local_address
    )
    streamlit_server_base_url_path: str = ""
    oidc_metadata_url: Annotated[str, AfterValidator(_secure_address)] | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    first_admin_email: Annotated[str, AfterValidator(_email_address)] | None = None
    sign_in_idle_minutes: Annotated[int, Field(ge=1)] = 60
    report_zone: Annotated[str, AfterValidator(_time_zone)] = "UTC"
    import_zone: Annotated[str, AfterValidator(_time_zone)] = "UTC"
    import_max_mb: Annotated[int, Field(ge=1)] = 1000
    uploads_max_mb: Annotated[int, Field(ge=1)] = 1200
    uploads_max_mb_per_person: Annotated[int, Field(ge=1)] = 600
    verifications_per_minute: Annotated[int, Field(ge=1)] = 60
    mail_max_mb: Annotated[int, Field(ge=1)] = 10
    emails_per_hour: Annotated[int, Field(ge=1)] | None = None
    refunds_per_hour: Annotated[int, Field(ge=1)] | None = None
    exported_rows_per_hour: Annotated[int, Field(ge=1)] | None = None
    stripe_api_key: SecretStr | None = None
    stripe_api_base: Annotated[str, AfterValidator(_web_address)] | None = None
    run_worker: bool = True
    lease_seconds: Annotated[int, Field(ge=1)] = 60
    signing_secret: Annotated[SecretStr, AfterValidator(_hard_to_guess)] | None = None
    smtp_host: Annotated[str, AfterValidator(_host)] | None = None
    smtp_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    smtp_security: Security | None = None
    smtp_user: Annotated[str, Field(pattern="^[ -~]+$")] | None = None
    smtp_password: Annotated[SecretStr, AfterValidator(_ascii)] | None = None
    smtp_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 10
    smtp_connections: Annotated[int, Field(ge=1)] = 4
    smtp_ca_file: (
        Annotated[Path, AfterValidator(_readable_file), AfterValidator(_certificates)] | None
    ) = None
    mail_from: Annotated[str, AfterValidator(_mailbox)] | None = None

    @model_validator(mode="after")
    def _check_mail(self) -> Self:
        """Check the mail settings together. Each error text names its variable."""
        if self.smtp_host is not None and self.mail_from is None:
            raise ValueError("MAIL_FROM: is required with SMTP_HOST, as the sender of all e-mails")
        if (self.smtp_user is None) != (self.smtp_password is None):
            name = "SMTP_PASSWORD" if self.smtp_password is None else "SMTP_USER"
            raise ValueError(f"{name}: is missing; set both SMTP_USER and SMTP_PASSWORD")
        if self.smtp_security == "plain" and not is_loopback(self.smtp_host or "localhost"):
            raise ValueError(
                "SMTP_SECURITY: plain is allowed only for a server on this machine; "
                "use starttls or tls"
            )
        return self

    @property
    def has_sign_in(self) -> bool:
        """Return whether users sign in. If not, Order Desk runs in local mode."""
        return self.oidc_metadata_url is not None

    @model_validator(mode="after")
    def _serve_under_path(self) -> Self:
        """Append the path that Order Desk is served under to PUBLIC_URL, unless it is there."""
        self.public_url = public_address.under(self.public_url, self.streamlit_server_base_url_path)
        return self

    @model_validator(mode="after")
    def _check_sign_in(self) -> Self:
        """Require all sign-in settings or none, and with sign-in a PUBLIC_URL with https."""
        names = ("oidc_metadata_url", "oidc_client_id", "oidc_client_secret")
        missing = [name.upper() for name in names if getattr(self, name) is None]
        if missing and len(missing) < len(names):
            raise ValueError(f"{' and '.join(missing)}: must be set too; sign-in needs all of them")
        if self.has_sign_in:
            try:
                _secure_address(self.public_url)
            except ValueError as error:
                raise ValueError(f"PUBLIC_URL: with sign-in, it {error}") from None
        return self


@cache
def get_settings() -> Settings:
    """Return the settings. If any is wrong, exit with a message that names each variable."""
    try:
        return Settings()
    except ValidationError as error:
        faults = [_describe(one["loc"], one["msg"]) for one in error.errors(include_input=False)]
        raise SystemExit("Order Desk cannot start.\n" + "\n".join(faults)) from None


def _describe(place: tuple[int | str, ...], message: str) -> str:
    """Prefix the variable's name. An error of several settings has no place; its text names it."""
    text = message.removeprefix("Value error, ")
    return f"{str(place[0]).upper()}: {text}" if place else text
