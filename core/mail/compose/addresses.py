"""E-mail addresses: what a person typed, and whether it is exactly one address."""

import re
from collections.abc import Sequence

import email_validator
from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from core.ground import InvalidInput

MAX_RECIPIENTS = 200
_SHOWN = 80  # characters of an address that is at fault
_LONGEST = 320  # characters: 64 before the @-sign, 255 after it; no address is longer
_SEPARATORS = re.compile(r"[\n\r,;]")

# Companies name their own mail domains so, whatever RFC 6762 keeps it for.
email_validator.SPECIAL_USE_DOMAIN_NAMES.remove("local")


def parse_address(text: str) -> str:
    """Return the one address that a text is, normalised; blanks around it do not count.

    A list, a name with an address, a line break or the text of a header is none. Raises
    InvalidInput with a sentence.
    """
    return str(_parse(text).normalized)


def ascii_form(address: str) -> str:
    """Return an address as mail servers know it: a domain in another script as punycode.

    Raises InvalidInput when it is none.
    """
    return str(_parse(address).ascii_email)


def parse_recipients(texts: Sequence[str]) -> list[str]:
    """Return the addresses that texts are, each alone and once, in their order.

    Raises InvalidInput that lists every fault; for none at all, for over MAX_RECIPIENTS.
    """
    count = len({text.strip().casefold() for text in texts})
    if not count:
        raise InvalidInput("There is no recipient. Give at least one address.")
    if count > MAX_RECIPIENTS:
        raise InvalidInput(
            f"{count:,} recipients are too many: at most {MAX_RECIPIENTS:,} fit at once."
        )
    found: dict[str, str] = {}
    faults: dict[str, None] = {}
    for text in texts:
        try:
            parsed = _parse(text)
        except InvalidInput as fault:
            faults[str(fault)] = None
        else:
            found.setdefault(str(parsed.ascii_email).casefold(), str(parsed.normalized))
    if faults:
        raise InvalidInput("\n".join(faults))
    return list(found.values())


def parse_sender(text: str) -> tuple[str, str]:
    """Return the name, which may be empty, and the address of a sender: Name <name@host.example>.

    Raises InvalidInput with a sentence.
    """
    name, bracket, address = text.strip().rpartition("<")
    if not bracket:
        return "", parse_address(text)
    if not address.endswith(">"):
        raise InvalidInput(f"“{_shown(text)}” is no sender: write Name <name@host.example>.")
    return name.strip().strip('"'), parse_address(address[:-1])


def split_addresses(text: str) -> list[str]:
    """Split what was pasted, one a line or between commas or semicolons, to be shown and checked.

    The pieces are unchecked: parse_recipients says which of them are addresses.
    """
    pieces = (piece.strip() for piece in _SEPARATORS.split(text))
    return list(dict.fromkeys(piece for piece in pieces if piece))


def _parse(text: str) -> ValidatedEmail:
    if not (text := text.strip(" ")):
        raise InvalidInput("An address is empty.")
    if len(text) > _LONGEST:
        raise InvalidInput(f"“{_shown(text)}” is too long to be an address.")
    try:
        parsed = validate_email(
            text,
            allow_smtputf8=False,
            allow_quoted_local=False,
            allow_domain_literal=False,
            allow_display_name=False,
            check_deliverability=False,
            globally_deliverable=False,
        )
    except EmailNotValidError as error:
        raise InvalidInput(f"“{_shown(text)}” is no address: {_reason(text, error)}") from error
    if "=?" in text:  # some programs read it as an encoded word, and another address out of it
        raise InvalidInput(f"“{_shown(text)}” is no address: “=?” cannot be part of one.")
    return parsed


def _reason(text: str, error: EmailNotValidError) -> str:
    if re.search(r"[,;\n\r]", text):
        return "it looks like several. Give each alone."
    if "<" in text:
        return "leave out the name and the angle brackets around it."
    if not text.partition("@")[0].isascii():
        return "before the @-sign only unaccented Latin letters, digits and signs can be sent to."
    return str(error)


def _shown(text: str) -> str:
    """Return a text that is at fault as one short line, with signs for what cannot be seen."""
    seen = "".join(one if one.isprintable() else "�" for one in text[:_SHOWN])
    return seen if len(text) <= _SHOWN else f"{seen}…"
