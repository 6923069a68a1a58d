"""The log: each record a line on stderr, as text or JSON, with the request's id and no secret."""

import json
import logging
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache

from pydantic import SecretStr
from sqlalchemy.engine import make_url

from core.settings import get_settings

HIDDEN = "***"
LEAST = 6  # characters of a secret that is hidden wherever it stands; less is part of many words
_request: ContextVar[str | None] = ContextVar("request", default=None)
_HIDDEN_AFTER = [
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"(\b[a-z_]*(?:token|code|state|password|secret|api_key|browser)(?:=|%3d))[^&\s\"',;)]+",
        r"(\b(?:bearer|basic) +)[^\s\"',;]+",
        r"(\b(?:set-)?cookie['\"]?[:=] *)[^\n]+",
        r"(://[^/\s:@]*:)\S+(?=@)",
        r"(\b[rs]k_(?:live|test)_)\w+",
        r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?=-----END|$)",
    )
]


@contextmanager
def numbered() -> Iterator[str]:
    """Give what is done in the block an id that its log lines carry, unless it has one; yield it.

    A person quotes it from an error message.
    """
    before = _request.get()
    if before is not None:
        yield before
        return
    mark = _request.set(secrets.token_hex(4))
    try:
        yield _request.get() or ""
    finally:
        _request.reset(mark)


def number() -> str:
    """Give the request of this task, to its very end, an id of its own; return it."""
    _request.set(name := secrets.token_hex(4))
    return name


def configure() -> None:
    """Log as the settings say, and nowhere else."""
    settings = get_settings()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLine() if settings.log_format == "json" else TextLine())
    handler.setLevel(settings.log_level.upper())  # some loggers have a level of their own
    handler.addFilter(_add_request)
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)


def hand_over(logger: logging.Logger) -> None:
    """Let what a library logs by a handler of its own come here instead."""
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.propagate = True


def without_secrets(text: str) -> str:
    """Return a text without tokens, passwords and keys: the known ones and what looks so."""
    for secret in _secrets():
        text = text.replace(secret, HIDDEN)
    for pattern in _HIDDEN_AFTER:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return text


@cache
def _secrets() -> tuple[str, ...]:
    settings = get_settings()
    values = [getattr(settings, name) for name in type(settings).model_fields]
    found = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    found.append(make_url(settings.database_url).password or "")
    return tuple(sorted((one for one in found if len(one) >= LEAST), key=len, reverse=True))


def _add_request(record: logging.LogRecord) -> bool:
    record.request = _request.get()
    return True


class TextLine(logging.Formatter):
    """A line to read; below it the traceback of a failure."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(request)s] %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Keep the message on its line, so that nobody forges another."""
        line = super().formatMessage(record)
        return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in line)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without secrets."""
        return without_secrets(super().format(record))


class JsonLine(logging.Formatter):
    """A line for programs: time (UTC), level, logger, message, request, and the error whole."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without secrets."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
            "request": getattr(record, "request", None),
        }
        if record.exc_info:
            line["error"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(line)
