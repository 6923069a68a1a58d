"""All settings, typed. They are read from the environment once and checked at start."""

import os
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.ground import public_address
from core.ground.reasons import DEFAULT_REASONS, Reasons, check_reasons, parse_reasons
from core.ground.setting_values import (
    Security,
    ascii_secret,
    certificates,
    check_database_url,
    email_address,
    hard_to_guess,
    host,
    is_loopback,
    mailbox,
    picture,
    readable_file,
    secure_address,
    signing_key,
    time_zone,
    web_address,
)

PROJECT = Path(__file__).resolve().parents[2]

DEFAULT_TERMS = (
    "Valid once, for the passenger named above.\n"
    "Please be on time: the voucher cannot be used after the end of its validity.\n"
    "A refunded voucher is void, even if you have printed it."
)


def _local_address() -> str:
    return f"http://localhost:{os.environ.get('STREAMLIT_SERVER_PORT', '8501')}"


class Settings(BaseSettings):
    """All settings. The environment variable of a setting is its name in upper case.

    docs/settings.md is made from it: a comment begins a group, a docstring says what a setting is.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True)

    # Database and files
    database_url: Annotated[str, AfterValidator(check_database_url)] = (
        f"sqlite:///{PROJECT / 'data' / 'orders.db'}"
    )
    """`sqlite:////path/orders.db` or `postgresql+psycopg://user:password@host/name`."""
    database_read_url: Annotated[str, AfterValidator(check_database_url)] | None = None
    """A standby of the PostgreSQL in `DATABASE_URL`. Overview and files of more than 10,000 rows
    read it while it is at most 10 seconds behind."""
    database_connections: Annotated[int, Field(ge=3)] = 10
    """How many connections to PostgreSQL one process opens at most, beside one for `/readyz`, and
    as many to `DATABASE_READ_URL`. Three is the least: one for what writes, one for what reads, and
    one for the sign of life of an import."""
    database_pooler: Literal["transaction"] | None = None
    """`transaction`, if `DATABASE_URL` leads to a PgBouncer that pools by transaction. Without it:
    PostgreSQL itself, or a pooler that pools by session."""
    database_query_seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    """After so many seconds PostgreSQL ends a query that only reads."""
    database_idle_seconds: Annotated[int, Field(ge=10, le=86_400)] = 300
    """After so many seconds PostgreSQL ends a transaction that waits for its process, which may be
    stopped or cut off."""
    data_dir: Path = PROJECT / "data"
    """The folder of the signing secret, the key of the vouchers and the outbox."""

    # Addresses and sign-in
    public_url: Annotated[str, AfterValidator(public_address.parse)] = Field(
        default_factory=_local_address
    )
    """The address that people type, and that an Excel file names. Without it: `http://localhost:`
    and the port. With sign-in it starts with `https://`."""
    streamlit_server_base_url_path: str = ""
    """The path that Order Desk is served under, such as `/desk`."""
    oidc_metadata_url: Annotated[str, AfterValidator(secure_address)] | None = None
    """The provider's `…/.well-known/openid-configuration`. Without it Order Desk runs in local
    mode."""
    oidc_client_id: str | None = None
    """The name of Order Desk at the provider."""
    oidc_client_secret: SecretStr | None = None
    """The secret that goes with it."""
    first_admin_email: Annotated[str, AfterValidator(email_address)] | None = None
    """Who becomes an admin at a start that finds no active admin."""
    sign_in_idle_minutes: Annotated[int, Field(ge=1)] = 60
    """After so many minutes without a request, a person signs in again."""
    signing_secret: Annotated[SecretStr, AfterValidator(hard_to_guess)] | None = None
    """Signs the tokens of links to rows and files; the same in every process. At least 16
    characters and hard to guess. Without it: made at the first start, in `DATA_DIR`."""

    # Limits
    approval_days: Annotated[int, Field(ge=1, le=365)] = 7
    """After how many days a refund that waits for approval is declined."""
    refunds_per_hour: Annotated[int, Field(ge=1)] | None = None
    """How many order items one person may refund in an hour. Without it: no limit."""
    emails_per_hour: Annotated[int, Field(ge=1)] | None = None
    """How many e-mails one person may send in an hour. Without it: no limit."""
    exported_rows_per_hour: Annotated[int, Field(ge=1)] | None = None
    """How many rows one person may take out in files in an hour: of tables, orders and outcomes of
    refunds. Without it: no limit."""
    verifications_per_minute: Annotated[int, Field(ge=1)] = 60
    """How many codes one person may verify in a minute."""

    # Refunds
    refund_reasons: Annotated[str, AfterValidator(check_reasons)] = DEFAULT_REASONS
    """The reasons that people choose from: `code=Words`, each after a `;` or on a line of its own.
    A minus before a code stops offering it: refunds that have it keep its words. `other` needs a
    note."""
    stripe_api_key: SecretStr | None = None
    """Stripe's secret key. Without it, items that were paid by card are not refunded here."""
    stripe_api_base: Annotated[str, AfterValidator(web_address)] | None = None
    """Another address of Stripe's API, such as that of a test server."""
    run_worker: bool = True
    """Whether the application runs the worker."""
    lease_seconds: Annotated[int, Field(ge=1)] = 60
    """How long a worker leases a refund or a mail. Longer than a card refund takes at most, which
    is two calls of 20 s."""

    # Mail
    smtp_host: Annotated[str, AfterValidator(host)] | None = None
    """The mail server. Without it no mail leaves this machine."""
    mail_from: Annotated[str, AfterValidator(mailbox)] | None = None
    """The sender: an address, or `Name <address>`. Required with `SMTP_HOST`."""
    smtp_security: Security | None = None
    """`starttls`; `tls` from the first byte; or `plain`, to this machine only. Without it: `plain`
    for a host that is this machine, otherwise `starttls`."""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """The port. Without it: 587 with `starttls`, 465 with `tls`, 25 with `plain`."""
    smtp_user: Annotated[str, Field(pattern="^[ -~]+$")] | None = None
    """The name to sign in with."""
    smtp_password: Annotated[SecretStr, AfterValidator(ascii_secret)] | None = None
    """The password that goes with it; both or neither."""
    smtp_ca_file: (
        Annotated[Path, AfterValidator(readable_file), AfterValidator(certificates)] | None
    ) = None
    """PEM certificates to trust instead of the system's, for a certificate authority of your own.
    """
    smtp_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 10
    """How long to wait for each reply. Raise it for a server that checks a mail before it takes it.
    """
    smtp_connections: Annotated[int, Field(ge=1)] = 4
    """How many connections one process opens at once."""
    mail_max_mb: Annotated[int, Field(ge=1)] = 10
    """How large the vouchers of one mail may be, encoded."""
    mail_text_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    """After how many days the sender's own text of an e-mail is deleted from the database. The
    e-mail stays listed. Without it: the text is kept."""
    outbox_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    """After how many days a mail is deleted from the outbox on disk. Without it: it is kept until
    someone removes it."""

    # Name and look
    app_name: Annotated[str, Field(min_length=1, max_length=60)] = "Order Desk"
    """The name in header and title."""
    logo: Annotated[Path, AfterValidator(readable_file), AfterValidator(picture)] = (
        PROJECT / "pages/static/logo.svg"
    )
    """The logo of pages and vouchers: an SVG, PNG or JPEG file."""
    voucher_colour: Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")] = "#0f766e"
    """The colour of vouchers, as six hexadecimal digits. It is made darker where it is text."""
    voucher_support: Annotated[str, Field(max_length=200)] = ""
    """Whom a passenger asks, in the footer of vouchers."""
    voucher_terms: Annotated[str, Field(max_length=1500)] = DEFAULT_TERMS
    """The rules under *Good to know*, one on each line."""
    voucher_private_key: Annotated[SecretStr, AfterValidator(signing_key)] | None = None
    """The Ed25519 key, in PEM, that signs the codes of vouchers; the same in every process. Without
    it: made at the first start, in `DATA_DIR`."""

    # Import and figures
    import_zone: Annotated[str, AfterValidator(time_zone)] = "UTC"
    """The IANA time zone of times that name none."""
    import_max_mb: Annotated[int, Field(ge=1)] = 1000
    """How large a workbook may be unpacked, counted while unpacking; and how large a CSV file may
    be."""
    uploads_max_mb_per_person: Annotated[int, Field(ge=1)] = 600
    """How much memory one person's uploaded files may take."""
    uploads_max_mb: Annotated[int, Field(ge=1)] = 1200
    """How much memory all uploaded files of one process may take."""
    report_zone: Annotated[str, AfterValidator(time_zone)] = "UTC"
    """The IANA time zone whose days Overview counts by."""

    # Metrics and log
    metrics_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """A port of this process at which Prometheus reads `/metrics`, for whoever reaches it."""
    metrics_token: Annotated[SecretStr, AfterValidator(hard_to_guess)] | None = None
    """Who sends it, as `Authorization: Bearer …`, reads `/metrics` beside the pages. Without it and
    a port: no metrics."""
    log_format: Literal["text", "json"] = "text"
    """`text` or `json`."""
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    """`debug`, `info`, `warning` or `error`: what is logged, from this level on."""

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

    @model_validator(mode="after")
    def _check_standby(self) -> Self:
        """Require PostgreSQL for a standby."""
        if self.database_read_url is None:
            return self
        if any(url.startswith("sqlite") for url in (self.database_url, self.database_read_url)):
            raise ValueError("DATABASE_READ_URL: a standby needs PostgreSQL in both addresses")
        return self

    @property
    def reasons(self) -> Reasons:
        """Return the reasons of refunds: those to choose from, and all that are known."""
        return parse_reasons(self.refund_reasons)

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
                secure_address(self.public_url)
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
    """Put the variable's name before the error. Without a place, the text names the variables."""
    text = message.removeprefix("Value error, ")
    return f"{str(place[0]).upper()}: {text}" if place else text
