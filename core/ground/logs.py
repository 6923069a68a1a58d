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

from core.ground.settings import get_settings

HIDDEN = "***"
MOST_OF_MESSAGE, MOST_OF_ERROR = 10_000, 40_000  # characters
MOST_READ = 200_000  # characters, which takes some hundredths of a second
MOST_SPLIT = 10_000  # characters of a secret with blanks in it, which that end may split
LEAST = 6  # characters of a secret that is hidden wherever it stands; less is part of many words
_request: ContextVar[str | None] = ContextVar("request", default=None)
_HIDDEN_AFTER = [
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"((?:token|code|state|password|secret|api_key|browser)(?:=|%3d))[^&\s\"',;)]+",
        r"(\b(?:bearer|basic) +)[^\s\"',;]+",
        r"(\b(?:set-)?cookie['\"]?[:=] *+)[^\n]+",
        r"(\b[rs]k_(?:live|test)_)\w+",
        r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?=-----END|$)",
    )
]
# The password of an address, up to the last @ of its word. It takes in the rest of the word, so
# that no part of it is read once more for each address that begins there.
_IN_ADDRESS = re.compile(r"(://[^/\s:@]*+:)((?:[^\s@]*+@)*+)(\S*+)")


@contextmanager
def numbered_work() -> Iterator[str]:
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


def number_request() -> str:
    """Give the request of this task, to its very end, an id of its own; return it."""
    _request.set(name := secrets.token_hex(4))
    return name


def configure_logs() -> None:
    """Log as the settings say, and nowhere else."""
    settings = get_settings()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLine() if settings.log_format == "json" else TextLine())
    handler.setLevel(settings.log_level.upper())  # some loggers have a level of their own
    handler.addFilter(_add_request)
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)


def hand_over_logs(logger: logging.Logger) -> None:
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
    return _IN_ADDRESS.sub(_without_password, text)


def _without_password(found: re.Match[str]) -> str:
    start, password, rest = found.groups()
    return f"{start}{HIDDEN}@{rest}" if password else found[0]


def _shown(text: str, most: int) -> str:
    """Return a text without secrets, and of a long one its two ends.

    It is cut after its secrets are hidden: half a secret would not be known for one. Of a text that
    is too long to look through, only the beginning is read, up to the last whole word.
    """
    if len(text) > MOST_READ:
        words = text[:MOST_READ].rsplit(None, 1)
        read = without_secrets(words[0])[:-MOST_SPLIT] if len(words) > 1 else ""
        return f"{read[:most]} {_left_out(len(text) - min(len(read), most))}"
    hidden = without_secrets(text)
    if len(hidden) <= most:
        return hidden
    half = most // 2
    return f"{hidden[:half]} {_left_out(len(hidden) - 2 * half)} {hidden[-half:]}"


def _left_out(count: int) -> str:
    return f"[… {count:,} characters left out …]"


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


class _Line(logging.Formatter):
    """What both kinds of line say: message and error, without secrets, and not at any length."""

    def _message(self, record: logging.LogRecord) -> str:
        return _shown(record.getMessage(), MOST_OF_MESSAGE)

    def _error(self, record: logging.LogRecord) -> str:
        parts = [self.formatException(record.exc_info)] if record.exc_info else []
        parts += [self.formatStack(record.stack_info)] if record.stack_info else []
        return _shown("\n".join(parts), MOST_OF_ERROR)


class TextLine(_Line):
    """A line to read; below it the traceback of a failure."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(request)s] %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Keep the message on its line, so that nobody forges another."""
        line = super().formatMessage(record)
        return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in line)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without secrets."""
        record.message = self._message(record)
        record.asctime = self.formatTime(record)
        return "\n".join(filter(None, (self.formatMessage(record), self._error(record))))


class JsonLine(_Line):
    """A line for programs: time (UTC), level, logger, message, request, and the error."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without secrets."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._message(record),
            "request": getattr(record, "request", None),
        }
        if error := self._error(record):
            line["error"] = error
        return json.dumps(line)
