"""Prepare a message for one recipient as the bytes that the mail server accepts."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage

from core.mail.deliver.server import Rejected

_ONE_ADDRESS = re.compile(r"[^\s<>,;:]+@[^\s<>,;@]+")


@dataclass(frozen=True)
class Outgoing:
    """A message, its bare addresses, and a check that runs just before it is sent."""

    message: EmailMessage
    sender: str
    recipient: str
    may_hand_over: Callable[[], bool]

    def find_fault(self) -> Rejected | None:
        """Return Rejected if SMTP would not read an address as exactly one address."""
        for address in (self.sender, self.recipient):
            if not _ONE_ADDRESS.fullmatch(address) or not address.isprintable():
                return Rejected(f"“{address}” is not a single e-mail address.")
        return None

    def prepare(self, extensions: Mapping[str, str]) -> "Prepared | Rejected":
        """Write the message for a server with these extensions (in lower case)."""
        is_utf8 = not (self.sender + self.recipient).isascii()
        if is_utf8 and "smtputf8" not in extensions:
            return Rejected("The mail server does not accept addresses with non-ASCII characters.")
        takes_8bit = is_utf8 or "8bitmime" in extensions
        rules = policy.SMTPUTF8 if is_utf8 else policy.SMTP
        data = self.message.as_bytes(policy=rules.clone(cte_type="8bit" if takes_8bit else "7bit"))
        most = extensions.get("size", "")
        if most.isdecimal() and 0 < int(most) < len(data):  # RFC 1870: 0 is no limit
            size, limit = (f"{count / 1e6:,.2f} MB" for count in (len(data), int(most)))
            return Rejected(f"The message has {size}; the mail server accepts at most {limit}.")
        options = [f" SIZE={len(data)}"] if "size" in extensions else []
        if takes_8bit and not data.isascii():
            options.append(" BODY=8BITMIME")
        if is_utf8:
            options.append(" SMTPUTF8")
        steps = (
            Step("the sender", f"MAIL FROM:<{self.sender}>{''.join(options)}", 2),
            Step("the recipient", f"RCPT TO:<{self.recipient}>", 2),
            Step("the message", "DATA", 3),
        )
        return Prepared(steps, _dotted(data))


@dataclass(frozen=True)
class Step:
    """A command, what is refused if it fails, and the first digit of the expected reply."""

    what: str
    command: str
    needs: int


@dataclass(frozen=True)
class Prepared:
    """The commands that announce a message, and the data with its end marker."""

    steps: tuple[Step, ...]
    data: bytes


def _dotted(data: bytes) -> bytes:
    """Double a dot at the start of a line, and end with a single dot (RFC 5321, section 4.5.2)."""
    end = b"" if data.endswith(b"\r\n") else b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", data) + end + b".\r\n"
