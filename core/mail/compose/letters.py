"""Turn a voucher mail into a message with headers and parts; the same mail gives the same bytes."""

import hashlib
import re
from collections.abc import Sequence
from email.header import Header
from email.headerregistry import (
    Address,
    HeaderRegistry,
    UniqueAddressHeader,
    UniqueUnstructuredHeader,
)
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP, Policy
from email.utils import quote
from zoneinfo import ZoneInfo

from core.ground import DeliveryKind
from core.mail.compose.addresses import ascii_form, parse_sender
from core.mail.compose.body import Mail, MailItem, one_line, render_html, render_text
from core.vouchers import Branding, clean_text, load_logo, logo_to_png

_LINE = 76  # characters
_LONGEST = 150  # characters of a header; mail programs show about half
_ENCODED_WORD = re.compile(r"=\?[^?]*\?[bq]\?[^?]*\?=", re.IGNORECASE)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")  # in a file's name or an ID
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]+@[A-Za-z0-9.-]+>")
_ENCODING = "quoted-printable"  # every server accepts it, and its lines are never too long


class _Subject(UniqueUnstructuredHeader):
    """A subject, written by Header: the newer API breaks long ones into empty encoded words."""

    name: str  # set by the registry

    def fold(self, *, policy: Policy) -> str:
        """Return the header as folded lines."""
        return _fold(self.name, [str(self)], policy)


class _From(UniqueAddressHeader):
    """A sender's name and address, written by Header like a subject."""

    name: str

    def fold(self, *, policy: Policy) -> str:
        """Return the header as folded lines."""
        sender = self.addresses[0]
        name = sender.display_name
        if name.isascii():
            name = f'"{quote(name)}"' if name else ""
        return _fold(self.name, [name, f"<{sender.addr_spec}>"], policy)


def _fold(name: str, pieces: Sequence[str], policy: Policy) -> str:
    header = Header(header_name=name, maxlinelen=_LINE)
    for piece in filter(None, pieces):
        header.append(piece)
    return f"{name}: {header.encode(linesep=policy.linesep)}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("subject", _Subject)  # type: ignore[arg-type]  # the stubs know no mixins
_HEADERS.map_to_type("from", _From)  # type: ignore[arg-type]
_POLICY = SMTP.clone(header_factory=_HEADERS)


def default_subject(kind: DeliveryKind, items: Sequence[MailItem]) -> str:
    """Return the subject of a mail about items; raises ValueError without items."""
    if not items:
        raise ValueError("A mail needs at least one voucher.")
    first, of = items[0], _of({item.order_id for item in items})
    if kind == "void_notice":
        one = f"voucher {one_line(first.voucher_code, 40)}, {one_line(first.product, 60)}"
        what = one if len(items) == 1 else f"{len(items):,} vouchers, {of}"
        return clean_header(f"Please do not use: {what}")
    if len(items) > 1:
        return clean_header(f"Your {len(items):,} vouchers, {of}")
    day = first.service_at.astimezone(ZoneInfo(first.airport_tz)).date()
    place = one_line(first.airport_iata, 10)
    return clean_header(f"Your voucher: {one_line(first.product, 80)}, {place}, {day.isoformat()}")


def mention_subject(author: str, order_id: str) -> str:
    """Return the subject of a mail about a note."""
    return clean_header(f"{one_line(author, 60)} mentioned you on order {one_line(order_id, 60)}")


def decision_subject(
    kind: DeliveryKind, who: str, references: Sequence[str], orders: set[str]
) -> str:
    """Return the subject of a mail about decisions: who decided about which refunds."""
    done = "approved" if kind == DeliveryKind.APPROVED else "declined"
    what = f"refund {references[0]}" if len(references) == 1 else f"{len(references):,} refunds"
    return clean_header(f"{one_line(who, 60)} {done} {what} of {_of(orders)}")


def _of(orders: set[str]) -> str:
    return f"order {one_line(min(orders), 60)}" if len(orders) == 1 else f"{len(orders):,} orders"


def clean_header(text: str) -> str:
    """Return a text that is safe as a header: one line of limited length, without encoded words.

    Python before 3.11.10 decodes an encoded word in the text, and writes a line break inside it
    as the start of another header (CVE-2024-6923).
    """
    line = clean_text(text)  # first: the characters that it drops may be inside an encoded word
    while (plain := _ENCODED_WORD.sub("", line)) != line:  # removing one may form another
        line = plain
    return one_line(line.replace("=?", "= ?").replace("?=", "? ="), _LONGEST)


def make_message_id(delivery_id: str, sender: str) -> str:
    """Return the Message-ID of a delivery: the same for every attempt.

    Raises InvalidInput when the sender has no address.
    """
    is_plain = _PLAIN_ID.fullmatch(delivery_id) is not None
    return f"<{delivery_id if is_plain else _digest(delivery_id)}@{_domain(sender)}>"


def compose(mail: Mail, branding: Branding, *, sender: str, pdf: bytes | None) -> EmailMessage:
    """Return a mail as a message to one recipient. A void notice has no PDF.

    `sender` is an address, or a name and an address; without a name, the branding's name is used.
    Raises InvalidInput for an invalid address, LogoFault, and ValueError for a notice with a PDF.
    """
    if pdf is not None and mail.kind != "voucher":
        raise ValueError(f"A mail of kind {mail.kind} has no PDF.")
    message = EmailMessage(_POLICY)
    _add_headers(message, mail, branding, sender)
    message.set_content(render_text(mail, branding), cte=_ENCODING)
    _add_html(message, mail, branding)
    if pdf is not None:
        name = file_name(mail.items)
        message.add_attachment(pdf, maintype="application", subtype="pdf", filename=name)
    _set_boundaries(message, mail.message_id)
    return message


def _add_headers(message: EmailMessage, mail: Mail, branding: Branding, sender: str) -> None:
    if not _MESSAGE_ID.fullmatch(mail.message_id):
        raise ValueError(f"{mail.message_id[:100]!r} is not a valid Message-ID.")
    name, address = parse_sender(sender)
    message["From"] = Address(
        clean_header(name) or clean_header(branding.name), addr_spec=ascii_form(address)
    )
    message["To"] = Address(addr_spec=ascii_form(mail.recipient))
    subject = clean_header(mail.subject)
    message["Subject"] = subject or default_subject(mail.kind, mail.items)
    message["Date"] = mail.written_at
    message["Message-ID"] = mail.message_id
    # A program writes it, even if a person asks for it (RFC 3834, section 5). So nobody's holiday
    # notice is sent to an address that nobody reads. Not a newsletter: no List-, no Bulk.
    message["Auto-Submitted"] = "auto-generated"


def _add_html(message: EmailMessage, mail: Mail, branding: Branding) -> None:
    """Add the HTML next to the text, with the logo that the HTML shows by its content ID."""
    picture = None if branding.logo is None else logo_to_png(load_logo(branding.logo))
    picture_id = f"logo@{_digest(mail.message_id)}"
    logo = None if picture is None else f"cid:{picture_id}"
    html = render_html(mail, branding, logo=logo)
    message.add_alternative(html, subtype="html", cte=_ENCODING)
    if picture is not None:
        part = list(message.iter_parts())[-1]
        assert isinstance(part, MIMEPart)
        part.add_related(
            *(picture, "image", "png"),
            cid=f"<{picture_id}>",
            filename="logo.png",
            disposition="inline",
        )
        part.set_param("type", "text/html")  # required by RFC 2387


def file_name(items: Sequence[MailItem]) -> str:
    """Name the PDF of a mail after its content: one item, the items of one order, or several."""
    orders = {item.order_id for item in items}
    if len(items) == 1:
        name = f"voucher-{items[0].order_item_id[:60]}"
    else:
        name = f"vouchers-{orders.pop()[:60]}" if len(orders) == 1 else "vouchers"
    return f"{_UNSAFE.sub('_', name)}.pdf"


def _set_boundaries(message: EmailMessage, message_id: str) -> None:
    """Set the boundaries between the parts, so that every attempt sends the same bytes.

    They start with “=_”, which no encoded part contains.
    """
    multiparts = [part for part in message.walk() if part.is_multipart()]
    for number, part in enumerate(multiparts):
        part.set_boundary(f"=_{_digest(message_id)}_{number}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def _domain(sender: str) -> str:
    return ascii_form(parse_sender(sender)[1]).rpartition("@")[2]
