"""Write a voucher mail as text and as HTML. Both say everything, whatever the data holds."""

import textwrap
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from css_inline import CSSInliner
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from core import vouchers
from core.ground import DECISIONS, MAX_NOTE, DeliveryKind, day_and_time, utc_offset
from core.vouchers import MAX_CHARACTERS, Branding, clean_text, load_logo

MAX_MESSAGE = MAX_CHARACTERS  # of a personal message; a longer one is cut and ends with …
_TEMPLATES = Path(__file__).parent / "mail_templates"
_WIDTH = 72  # characters per line of the text
_LONGEST = 300  # characters of a product or name, as on a voucher
_LISTED = 25  # items; Gmail cuts off a mail over 102 kB, which is about 29 items
_LOGO_HEIGHT, _LOGO_WIDTH = 36, 180  # pixels: the most that the logo takes


@dataclass(frozen=True)
class MailItem:
    """One order item as a mail names it. Instants are aware and shown in the airport's zone."""

    order_item_id: str
    order_id: str
    number: str  # its position in the order: "2 of 3"
    product: str
    passenger_name: str
    airport_iata: str
    airport_name: str | None
    terminal: str | None
    service_at: datetime
    airport_tz: str
    flight_number: str | None
    voucher_code: str
    valid_until: datetime
    refunded_at: datetime | None
    price: str  # with its currency
    is_not_used: bool = False


@dataclass(frozen=True)
class Mention:
    """A note that mentions the recipient, and the link to its order."""

    author: str
    order_id: str
    text: str
    link: str


@dataclass(frozen=True)
class Mail:
    """One mail to one recipient: vouchers, a void notice, a note, or decisions about refunds."""

    kind: DeliveryKind
    message_id: str
    recipient: str
    subject: str
    message: str | None  # a personal message from the sender
    items: tuple[MailItem, ...]
    written_at: datetime
    mention: Mention | None = None
    link: str = ""  # to what decisions are about


@dataclass(frozen=True)
class _Shown:
    """An item as the templates show it: cleaned, and formatted as text."""

    product: str
    facts: list[tuple[str, str, str]]  # label, value, and the zone of a time
    voucher_code: str
    in_short: str


def render_text(mail: Mail, branding: Branding) -> str:
    """Return the mail as plain text, in lines of at most 72 characters.

    Text of an order or a message never starts a line, so it cannot pose as another part.
    """
    text = _environment().get_template("mail.txt").render(_content(mail, branding))
    return text.strip() + "\n"


def render_html(mail: Mail, branding: Branding, *, logo: str | None) -> str:
    """Return the mail as an HTML document with inlined style. It fetches and runs nothing.

    `logo` is the cid: or data: address of the branding's logo. Raises LogoFault.
    """
    content = _content(mail, branding) | {"logo": None}
    if logo is not None and branding.logo is not None:
        picture = load_logo(branding.logo)
        scale = min(_LOGO_HEIGHT / picture.height, _LOGO_WIDTH / picture.width)
        width, height = round(picture.width * scale), round(picture.height * scale)
        content |= {"logo": logo, "logo_width": max(width, 1), "logo_height": max(height, 1)}
    html = _environment().get_template("mail.html").render(content)
    return _inliner(branding.colour).inline(html)


def one_line(text: str, longest: int = _LONGEST) -> str:
    """Return a text as one clean line: no control characters, line breaks or direction changes."""
    line = clean_text(text)
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def _content(mail: Mail, branding: Branding) -> dict[str, Any]:
    """Return the values for both templates; raises ValueError for a mail without items."""
    if mail.mention is not None:
        return _mention(mail.mention) | _frame(mail, branding)
    if not mail.items:
        raise ValueError("A mail needs at least one voucher.")
    items = [_shown(item, mail.kind) for item in mail.items[:_LISTED]]
    more = f" and {len(mail.items) - 1:,} more" if len(mail.items) > 1 else ""
    return {
        **(_decision(mail) if mail.kind in DECISIONS else _words(mail.kind, len(mail.items))),
        "is_void": mail.kind == "void_notice",
        "one_item": "Refund" if mail.kind in DECISIONS else "Voucher",
        "preheader": f"{items[0].in_short}{more}",
        "items": items,
        "count": len(mail.items),
        "rest": _rest(mail),
        "message": _paragraphs(mail.message or ""),
        "message_label": "Note" if mail.kind in DECISIONS else "A message for you",
        "link": mail.link,
        **_frame(mail, branding),
    }


def _frame(mail: Mail, branding: Branding) -> dict[str, Any]:
    """Return what is around the content of each mail."""
    return {
        "name": one_line(branding.name),
        "support": one_line(branding.support),
        "terms": [line for line in map(clean_text, branding.terms.splitlines()) if line],
        "recipient": one_line(mail.recipient),
    }


def _mention(mention: Mention) -> dict[str, Any]:
    author, order = one_line(mention.author, 80), one_line(mention.order_id, 60)
    return {
        "heading": f"{author} mentioned you in a note",
        "lead": f"The note is on order {order}. Answer with a note on the same order; nobody "
        "reads answers to this mail.",
        "is_void": False,
        "preheader": one_line(mention.text, 120),
        "items": [],
        "one_item": "",
        "count": 0,
        "rest": "",
        "use": "",
        "message": _paragraphs(mention.text, MAX_NOTE),
        "message_label": "The note",
        "link": mention.link,
    }


def _rest(mail: Mail) -> str:
    """Say what the list of items leaves out. Every code of a void voucher is named."""
    rest = mail.items[_LISTED:]
    if not rest:
        return ""
    if mail.kind == DeliveryKind.VOID_NOTICE:
        codes = ", ".join(one_line(item.voucher_code, 100) for item in rest)
        return f"Also no longer valid: {codes}"
    if mail.kind in DECISIONS:
        return f"And {len(rest):,} more."
    return f"And {len(rest):,} more: all {len(mail.items):,} are in the attached PDF."


def _decision(mail: Mail) -> dict[str, str]:
    """Return the words about decisions; the subject says who decided about what."""
    is_approved, count = mail.kind == DeliveryKind.APPROVED, len(mail.items)
    done = "approved" if is_approved else "declined"
    then = "The money is being paid back." if is_approved else _declined(mail)
    return {
        "heading": f"A refund was {done}" if count == 1 else f"{count:,} refunds were {done}",
        "lead": f"{one_line(mail.subject)}. {then} Nobody reads answers to this mail.",
        "use": "",
    }


def _declined(mail: Mail) -> str:
    """Say what follows: a voucher is valid again unless it expired, or its money once came back."""
    usable = [one for one in mail.items if one.is_not_used and one.valid_until >= mail.written_at]
    count, many = len(usable), len(mail.items)
    valid = "The voucher is" if many == 1 else f"{count:,} of {many:,} vouchers are"
    return f"No money is paid back.{f' {valid} valid again.' if count else ''}"


def _words(kind: DeliveryKind, count: int) -> dict[str, str]:
    is_one = count == 1
    if kind == "void_notice":
        these, were = ("this voucher", "It was") if is_one else ("these vouchers", "They were")
        return {
            "heading": f"Please do not use {these}",
            "lead": f"{were} refunded and {'is' if is_one else 'are'} no longer valid. If you "
            "have a copy, on paper or as a file, please destroy it: it will not be accepted.",
            "use": "",
        }
    attached = "attached as a PDF" if is_one else "attached as one PDF with a page for each"
    return {
        "heading": "Your voucher" if is_one else f"Your {count:,} vouchers",
        "lead": f"Here {'is your voucher' if is_one else 'are your vouchers'}, {attached}.",
        "use": "Open the attached PDF on your phone, or print it. Show it at the airport with your "
        "boarding pass or travel document: staff scan the code on it. If scanning does not work, "
        "tell them the voucher code above.",
    }


def _shown(item: MailItem, kind: DeliveryKind) -> _Shown:
    product, passenger = one_line(item.product), one_line(item.passenger_name)
    place = [item.airport_iata, item.airport_name, item.terminal and f"Terminal {item.terminal}"]
    when, zone = _at_airport(item, item.service_at)
    facts = [
        ("Passenger", passenger, ""),
        ("Airport", " · ".join(one_line(part) for part in place if part), ""),
        ("Date", when, zone),
        ("Flight", one_line(item.flight_number or ""), ""),
    ]
    if kind == "voucher":
        facts.append(("Valid until", *_at_airport(item, item.valid_until)))
    elif kind in DECISIONS:
        facts.append(("Amount", one_line(item.price), ""))
    elif item.refunded_at:
        facts.append(("Refunded", *_at_airport(item, item.refunded_at)))
    order = f"{one_line(item.order_id, 100)}, item {one_line(item.number, 30)}"
    return _Shown(
        product=product,
        facts=[fact for fact in [*facts, ("Order", order, "")] if fact[1]],
        voucher_code="" if kind in DECISIONS else one_line(item.voucher_code, 100),
        in_short=f"{one_line(product, 60)} for {one_line(passenger, 40)}, {when}",
    )


def _at_airport(item: MailItem, instant: datetime) -> tuple[str, str]:
    """Return an instant in the airport's time, and what time that is."""
    local = instant.astimezone(ZoneInfo(item.airport_tz))
    return day_and_time(local), f"{item.airport_tz}, UTC{utc_offset(local)}"


def _paragraphs(message: str, longest: int = MAX_MESSAGE) -> list[list[str]]:
    """Split a message into paragraphs of cleaned lines; a blank line ends a paragraph."""
    text = message if len(message) <= longest else f"{message[: longest - 1]}…"
    paragraphs: list[list[str]] = [[]]
    for line in map(clean_text, text.splitlines()):
        if line:
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    return [paragraph for paragraph in paragraphs if paragraph]


def _wrapped(text: str, first: str = "", rest: str = "") -> str:
    """Wrap a text; `first` and `rest` are the indents of the first line and the others."""
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["wrapped"] = _wrapped
    return environment


@lru_cache(maxsize=4)
def _inliner(colour: str) -> CSSInliner:
    """Return the object that inlines the style of a document in a brand colour."""
    brand = vouchers.parse_colour(colour)
    text = vouchers.readable_colour(brand)
    variables = {"brand": brand, "brand-text": text, "tint": vouchers.tint(text)}
    root = " ".join(f"--{name}: {vouchers.colour_code(one)};" for name, one in variables.items())
    return CSSInliner(
        extra_css=f":root {{ {root} }}\n{(_TEMPLATES / 'mail.css').read_text()}",
        keep_at_rules=True,
        load_remote_stylesheets=False,
        minify_css=True,
        resolve_css_variables=True,
    )
