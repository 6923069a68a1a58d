"""E-mail addresses: parse what a person typed, and check that it is exactly one address."""

import re
from collections.abc import Sequence

import email_validator
from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from core.ground import InvalidInput

MAX_RECIPIENTS = 200
_SHOWN = 80  # characters of an invalid address that an error shows
_LONGEST = 320  # characters: 64 before the @-sign, 255 after it; no address is longer
_SEPARATORS = re.compile(r"[\n\r,;]")

# Companies use .local for their mail domains, although RFC 6762 reserves it.
email_validator.SPECIAL_USE_DOMAIN_NAMES.remove("local")


def parse_address(text: str) -> str:
    """Parse a text as exactly one address and return it normalised. Blanks around it are ignored.

    Raises InvalidInput with a sentence for anything else: a list, a name with an address, a line
    break, the text of a header.
    """
    return str(_parse(text).normalized)


def ascii_form(address: str) -> str:
    """Return an address as mail servers expect it: a domain in another script as punycode.

    Raises InvalidInput when the address is invalid.
    """
    return str(_parse(address).ascii_email)


def parse_recipients(texts: Sequence[str]) -> list[str]:
    """Parse texts, each of which holds one address. Keep their order and drop duplicates.

    Raises InvalidInput that lists every invalid address; also when there is none, or there are
    more than MAX_RECIPIENTS.
    """
    count = len({text.strip().casefold() for text in texts})
    if not count:
        raise InvalidInput("There is no recipient. Enter at least one address.")
    if count > MAX_RECIPIENTS:
        raise InvalidInput(
            f"{count:,} recipients are too many: at most {MAX_RECIPIENTS:,} are allowed."
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
    """Return the name (may be empty) and the address of a sender: Name <name@host.example>.

    Raises InvalidInput with a sentence.
    """
    name, bracket, address = text.strip().rpartition("<")
    if not bracket:
        return "", parse_address(text)
    if not address.endswith(">"):
        raise InvalidInput(f"“{_shown(text)}” is not valid: write Name <name@host.example>.")
    return name.strip().strip('"'), parse_address(address[:-1])


def split_addresses(text: str) -> list[str]:
    """Split pasted text at line breaks, commas and semicolons.

    The pieces are not checked: parse_recipients finds the invalid ones.
    """
    pieces = (piece.strip() for piece in _SEPARATORS.split(text))
    return list(dict.fromkeys(piece for piece in pieces if piece))


def _parse(text: str) -> ValidatedEmail:
    if not (text := text.strip(" ")):
        raise InvalidInput("An address is empty.")
    if len(text) > _LONGEST:
        raise InvalidInput(f"“{_shown(text)}” is too long for an address.")
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
        raise _invalid(text, _reason(text, error)) from error
    if "=?" in text:  # some programs decode it as an encoded word and read another address
        raise _invalid(text, "“=?” is not allowed in an address.")
    return parsed


def _invalid(text: str, why: str) -> InvalidInput:
    return InvalidInput(f"“{_shown(text)}” is not a valid address: {why}")


def _reason(text: str, error: EmailNotValidError) -> str:
    if re.search(r"[,;\n\r]", text):
        return "it looks like several. Enter each one separately."
    if "<" in text:
        return "enter only the part between the angle brackets."
    local, at, domain = text.partition("@")
    if not at:
        return "the @ is missing."
    if not local or not domain:
        return f"the part {'after' if local else 'before'} @ is missing."
    if not local.isascii():
        return "the part before @ may only contain unaccented Latin letters, digits and signs."
    return str(error)


def _shown(text: str) -> str:
    """Return an invalid text as one short line; � stands for characters that cannot be printed."""
    seen = "".join(one if one.isprintable() else "�" for one in text[:_SHOWN])
    return seen if len(text) <= _SHOWN else f"{seen}…"
