"""Voucher mails, read back like a mail program does: their text, and no injected content."""

import email
import email.policy
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from email.generator import BytesGenerator
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.utils import parseaddr, parsedate_to_datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from core.ground import DeliveryKind, InvalidInput
from core.mail.compose.body import MAX_MESSAGE, Mail, MailItem, render_html, render_text
from core.mail.compose.letters import clean_header, compose, default_subject, make_message_id
from core.vouchers import Branding, clean_text
from core.vouchers.pdf.logo import LogoFault
from tests.conftest import NOW
from tests.effort import share
from tests.mails import SENDER, make_mail, make_mail_item
from tests.vouchers import BRANDING

PDF = b"%PDF-1.4\r\n\x00\xff\n.\r\n--=_\nFrom here\n%%EOF"
HEADERS = [
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"),
    "Content-Type",
]
ENCODED_BCC = "=?utf-8?q?x=0D=0ABcc=3A_c=40evil.example?="
HOSTILE = st.sampled_from(
    [
        *(
            "\r\nBcc: c@evil.example\r\n",
            "\n\n--=_x_0\n",
            ENCODED_BCC,
            "=?utf-8?b?DQpCY2M6IGNAZA==?=",
        ),
        *(
            "=\u200b?utf-8?q?=0ABcc=3Ac=40d?=",
            "=?=?utf-8?q?a?=utf-8?q?=0Ab?=",
            "=?",
            "?=",
            "?",
            "=",
        ),
        *("\x00", "\x1b[2J", "\ud800", "\udfff", "\ufffe", "\u202eevil\u202c", "\u2066", "\u2028"),
        *("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "<!--", "]]>", "&amp;"),
        *("{{ 7 * 7 }}", "{% include 'mail.css' %}", "{#", "%s", "${x}", "</table></body>", "'"),
        *('"', "\\", ",", ";", ":", "<c@evil.example>", "(c)", "c@evil.example", "\t", " ", "\n"),
        *(
            "\nVoucher code:   EVIL",
            "\nPassenger: Eve",
            "From me",
            "\n.\n",
            "> ",
            "https://x.example",
        ),
        *(
            "محمد عبد الرحمن",
            "欧阳喆堃",
            "İbrahim Şıhoğlu",
            "é" * 90,
            "👨‍👩‍👧",
            "Z" + "\u0301" * 60,
        ),
        *("W" * 10_000, "نص " * 400),
    ]
)
TEXTS = st.lists(HOSTILE | st.text(max_size=12), max_size=5).map("".join)
NAMES = ("product", "passenger_name", "airport_iata", "order_id", "order_item_id", "number")
ITEMS = st.builds(
    make_mail_item,
    **dict.fromkeys((*NAMES, "voucher_code"), TEXTS),
    **{name: st.none() | TEXTS for name in ("airport_name", "terminal", "flight_number")},
    refunded_at=st.none() | st.just(NOW),
)
KINDS = st.sampled_from(DeliveryKind)
MAILS = st.builds(
    lambda items, **fields: make_mail(*items, **fields),
    st.lists(ITEMS, min_size=1, max_size=3),
    kind=KINDS,
    subject=TEXTS,
    message=st.none() | TEXTS,
)
BRANDINGS = st.builds(
    Branding,
    name=TEXTS,
    logo=st.just(BRANDING.logo),
    colour=st.just("#ffd400"),
    support=TEXTS,
    terms=TEXTS,
)
PLAIN = {
    *("Your voucher", "How to use it", "Good to know", "A message for you:", "", ">", "-" * 40),
    *(
        "Voucher",
        "Please do not use this voucher",
        " " * 16 + "No longer valid: do not use this code.",
    ),
}
LABELS = re.compile(
    "(Product|Passenger|Airport|Date|Flight|Valid until|Refunded|Order|Voucher code):"
    "|> |Help: | {16}"
)


def _compose(mail: Mail, branding: Branding = BRANDING, sender: str = SENDER) -> EmailMessage:
    pdf = PDF if mail.kind == "voucher" else None
    return compose(mail, branding, sender=sender, pdf=pdf)


def _read(content: bytes) -> EmailMessage:
    read = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    return read


def _transported(content: bytes) -> Iterator[bytes]:
    """Yield a message as it arrives: unchanged, and rewritten by other programs."""
    yield content
    yield content.replace(b"\r\n", b"\n")
    yield email.message_from_bytes(content, policy=email.policy.default).as_bytes()
    yield email.message_from_bytes(content).as_bytes()


def _decoded(message: Message, name: str) -> str:
    return str(make_header(decode_header(re.sub(r"\r?\n", "", str(message[name])))))


def _text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


class _Tags(HTMLParser):
    """Collects the tags of a document with their attributes, and its visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.comments: set[str] = set()
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_comment(self, data: str) -> None:
        self.comments.add(data)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def _known_tags(branding: Branding, logo: str | None) -> _Tags:
    items = make_mail_item(refunded_at=NOW), make_mail_item()
    full = make_mail(*items, message="One\nTwo\n\nThree")
    mails = full, replace(full, kind=DeliveryKind.VOID_NOTICE)
    branding = replace(branding, name="Desk", support="Help", terms="Rule")
    return _Tags("".join(render_html(mail, branding, logo=logo) for mail in mails))


# Content


@pytest.mark.parametrize("kind", list(DeliveryKind))
def test_text_and_html_say_everything(kind: DeliveryKind) -> None:
    items = (
        make_mail_item(),
        make_mail_item(
            product="Hızlı Geçiş",
            passenger_name="محمد عبد الرحمن",
            airport_iata="IST",
            airport_name="Istanbul Airport",
            airport_tz="Europe/Istanbul",
            terminal=None,
            flight_number=None,
            voucher_code="AAAA-BBBB-CCCC",
            refunded_at=NOW,
        ),
    )
    message = _compose(make_mail(*items, kind=kind, message="Dear Olivia,\n\nsee <you> there."))
    said = [
        *(
            "Aspire Lounge, 3 hours",
            "Olivia van Dijk",
            "LHR · London Heathrow Airport · Terminal 5",
        ),
        *("Tue 1 Dec 2026, 14:30", "Europe/London, UTC+00:00", "BA 286", "7QXM-22KD-9WTA"),
        *("Hızlı Geçiş", "محمد عبد الرحمن", "IST · Istanbul Airport", "Tue 1 Dec 2026, 17:30"),
        *("Europe/Istanbul, UTC+03:00", "AAAA-BBBB-CCCC", "Dear Olivia,", "see <you> there."),
        *("B0001234, item 2 of 3", "help@orderdesk.example", "Order Desk", "olivia@mail.example"),
    ]
    if kind == "voucher":
        said += ["Your 2 vouchers", "attached as one PDF with a page for each"]
        said += ["Tue 1 Dec 2026, 23:59", "How to use them", "Good to know"]
        said += [f" {rule}" for rule in BRANDING.terms.splitlines()]
    else:
        said += ["Please do not use these vouchers", "They were refunded and are no longer valid."]
        said += ["Mon 23 Nov 2026, 12:30", "please destroy it"]
    html = " ".join(_Tags(_text_of(message, "html")).words)
    text = _text_of(message, "plain")
    assert max(map(len, text.splitlines())) <= 72
    for words in (html, text):
        folded = " ".join(words.split())
        assert [one for one in said if one.strip() not in folded] == []
    assert "attached" not in text or kind == "voucher"


def test_the_personal_message_keeps_its_lines_and_paragraphs_and_has_a_limit() -> None:
    mail = make_mail(message="\n\nOne\r\nTwo\u2028Three\n\n\n\nFour\n")
    assert "A message for you:\n\n> One\n> Two\n> Three\n>\n> Four\n\n" in render_text(
        mail, BRANDING
    )
    long = make_mail(message="ab " * MAX_MESSAGE)
    quoted = [line for line in render_text(long, BRANDING).splitlines() if line.startswith("> ")]
    assert len(" ".join(line[2:] for line in quoted)) <= MAX_MESSAGE
    assert quoted[-1].endswith("…")
    assert "A message for you" not in render_text(make_mail(message=" \n\x00\n"), BRANDING)


def test_a_mail_has_the_structure_and_headers_of_one() -> None:
    message = _read(_compose(make_mail()).as_bytes())
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == [
        *("multipart/mixed", "multipart/alternative", "text/plain", "multipart/related"),
        *("text/html", "image/png", "application/pdf"),
    ]
    assert message.keys() == HEADERS
    assert str(message["From"]) == "Order Desk <vouchers@orderdesk.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    (pdf,) = message.iter_attachments()
    assert (pdf.get_filename(), pdf.get_content()) == ("voucher-B0001234-2.pdf", PDF)
    picture = next(part for part in message.walk() if part.get_content_type() == "image/png")
    assert picture.get_content_disposition() == "inline"
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in _text_of(message, "html")
    assert Image.open(io.BytesIO(picture.get_content())).size == (150, 150)


def test_a_void_notice_has_no_pdf() -> None:
    notice = make_mail(make_mail_item(refunded_at=NOW), kind=DeliveryKind.VOID_NOTICE)
    message = _compose(notice)
    assert message.get_content_type() == "multipart/alternative"
    assert "application/pdf" not in [part.get_content_type() for part in message.walk()]
    with pytest.raises(ValueError, match="void_notice"):
        compose(notice, BRANDING, sender=SENDER, pdf=PDF)


def test_of_many_vouchers_a_mail_lists_some_and_of_void_ones_every_code() -> None:
    items = [make_mail_item(voucher_code=f"CODE-{number:03}") for number in range(500)]
    texts = {
        kind: render_text(make_mail(*items, kind=kind), BRANDING)
        for kind in (DeliveryKind.VOUCHER, DeliveryKind.VOID_NOTICE)
    }
    voucher = texts[DeliveryKind.VOUCHER]
    assert "CODE-024" in voucher
    assert "CODE-025" not in voucher
    assert "And 475 more: all 500 are in the attached PDF." in voucher
    assert all(item.voucher_code in texts[DeliveryKind.VOID_NOTICE] for item in items)
    html = render_html(make_mail(*items), BRANDING, logo=None)
    assert len(html) < 100_000


def test_the_pdf_is_named_by_what_is_in_it() -> None:
    def name(*items: MailItem) -> str | None:
        (part,) = _compose(make_mail(*items)).iter_attachments()
        return part.get_filename()

    one = make_mail_item(order_item_id="../é\r\n1")
    assert name(one) == "voucher-..__" + "__1.pdf"
    assert name(one, make_mail_item()) == "vouchers-B0001234.pdf"
    assert name(one, make_mail_item(order_id="B2")) == "vouchers.pdf"


def test_the_subject_says_what_and_where_and_when() -> None:
    night = make_mail_item(airport_iata="AKL", airport_tz="Pacific/Auckland")
    several = [make_mail_item(), make_mail_item(), make_mail_item()]
    assert default_subject(DeliveryKind.VOUCHER, [night]) == (
        "Your voucher: Aspire Lounge, 3 hours, AKL, 2026-12-02"
    )
    assert default_subject(DeliveryKind.VOUCHER, several) == "Your 3 vouchers, order B0001234"
    assert default_subject(DeliveryKind.VOUCHER, [*several, make_mail_item(order_id="B2")]) == (
        "Your 4 vouchers, 2 orders"
    )
    assert default_subject(DeliveryKind.VOID_NOTICE, [night]) == (
        "Please do not use: voucher 7QXM-22KD-9WTA, Aspire Lounge, 3 hours"
    )
    assert default_subject(DeliveryKind.VOID_NOTICE, several) == (
        "Please do not use: 3 vouchers, order B0001234"
    )
    with pytest.raises(ValueError, match="at least one voucher"):
        default_subject(DeliveryKind.VOUCHER, [])


def test_without_a_logo_there_is_no_picture_and_a_lost_one_is_named() -> None:
    plain = _compose(make_mail(), replace(BRANDING, logo=None))
    assert "image/png" not in [part.get_content_type() for part in plain.walk()]
    assert "<img" not in _text_of(plain, "html")
    assert BRANDING.logo is not None
    lost = BRANDING.logo.with_name("lost.svg")
    with pytest.raises(LogoFault, match=r"lost\.svg"):
        _compose(make_mail(), replace(BRANDING, logo=lost))


def test_a_sender_may_have_a_name_in_any_script_and_a_domain_too() -> None:
    for name in ('Çelebi, "VIP" <Lounges> GmbH', "贵宾休息室" * 12, "محمد", "a" * 59 + "é", "\\"):
        content = _compose(make_mail(), sender=f"{name} <desk@bücher.example>").as_bytes()
        (sender,) = _read(content)["From"].addresses
        assert sender.addr_spec == "desk@xn--bcher-kva.example"
        written, address = parseaddr(str(email.message_from_bytes(content)["From"]))
        assert address == sender.addr_spec
        assert str(make_header(decode_header(written))) == name
    nameless = _read(_compose(make_mail(), sender="desk@mail.example").as_bytes())
    assert str(nameless["From"]) == "Order Desk <desk@mail.example>"


def test_a_message_id_is_that_of_the_delivery_whatever_it_looks_like() -> None:
    usual = make_message_id("0190f7e2-7b3c", "Desk <desk@bücher.example>")
    assert usual == "<0190f7e2-7b3c@xn--bcher-kva.example>"
    ids = {make_message_id(one, SENDER) for one in ("a>\r\nBcc: x", "a\n", "a\ud800", "a b", "")}
    assert len(ids) == 5
    assert all(re.fullmatch(r"<[0-9a-f]{32}@orderdesk\.example>", one) for one in ids)
    with pytest.raises(ValueError, match="not a valid Message-ID"):
        _compose(make_mail(message_id="<a@b>\r\nBcc: <c@d>"))


def test_a_long_domain_breaks_no_header() -> None:
    domain = ".".join(["a" * 60] * 3) + ".example"
    mail = make_mail(
        message_id=make_message_id("0190f7e2-7b3c-7def-8123-456789abcdef", f"d@{domain}"),
        recipient=f"{'o' * 50}@{domain}",
    )
    for content in _transported(_compose(mail, sender=f"d@{domain}").as_bytes()):
        read = _read(content)
        assert str(read["Message-ID"]).strip() == mail.message_id
        assert [one.addr_spec for one in read["To"].addresses] == [mail.recipient]
        assert [one.addr_spec for one in read["From"].addresses] == [f"d@{domain}"]


# Injection


@share(0.4)
@given(MAILS, BRANDINGS, TEXTS)
@example(make_mail(subject=ENCODED_BCC), BRANDING, ENCODED_BCC)
def test_no_text_changes_who_gets_what(mail: Mail, branding: Branding, name: str) -> None:
    sent = f"{name.replace('<', '')} <vouchers@orderdesk.example>"
    message = _compose(mail, branding, sent)
    for content in _transported(message.as_bytes()):
        assert max(map(len, content.splitlines())) <= 998
        assert content.isascii()
        read, plain = _read(content), email.message_from_bytes(content)
        assert read.keys() == plain.keys() == HEADERS
        assert [one.addr_spec for one in read["To"].addresses] == ["olivia@mail.example"]
        assert plain["To"] == "olivia@mail.example"
        assert [one.addr_spec for one in read["From"].addresses] == ["vouchers@orderdesk.example"]
        subject = clean_header(mail.subject) or default_subject(mail.kind, mail.items)
        assert read["Subject"] == _decoded(plain, "Subject") == subject
        assert read["Message-ID"].strip() == mail.message_id
        assert parsedate_to_datetime(plain["Date"]) == mail.written_at
        for part in (*read.walk(), *plain.walk()):
            assert part.defects == []
        assert _text_of(read, "plain") == render_text(mail, branding)
        source = re.search(r'src="(cid:[^"]*)"', _text_of(message, "html"))
        assert source is not None
        html = render_html(mail, branding, logo=source[1])
        assert _text_of(read, "html") == f"{html}\n"
        pdfs = [part for part in plain.walk() if part.get_content_type() == "application/pdf"]
        assert [part.get_payload(decode=True) for part in pdfs] == [PDF] * (mail.kind == "voucher")
        for part in pdfs:
            assert re.fullmatch(r"vouchers?(-[A-Za-z0-9._-]*)?\.pdf", str(part.get_filename()))


@share(0.4)
@given(MAILS, BRANDINGS)
def test_a_program_that_folds_every_header_anew_adds_none(mail: Mail, branding: Branding) -> None:
    """Python's folding may lose quotes and blanks, but must not obey the text."""
    policy = email.policy.SMTP.clone(refold_source="all")
    content = _compose(mail, branding).as_bytes()
    folded = email.message_from_bytes(content, policy=policy).as_bytes()
    read = _read(folded)
    assert read.keys() == email.message_from_bytes(folded).keys() == HEADERS
    assert [one.addr_spec for one in read["To"].addresses] == ["olivia@mail.example"]
    assert _text_of(read, "plain") == render_text(mail, branding)


@share(0.4)
@given(MAILS, BRANDINGS)
def test_no_text_becomes_html(mail: Mail, branding: Branding) -> None:
    known, seen = _known_tags(branding, "cid:x"), _Tags(render_html(mail, branding, logo="cid:x"))
    assert set(seen.tags) <= set(known.tags)
    assert seen.comments <= known.comments
    words = "".join(seen.words)
    for item in mail.items:
        assert clean_text(item.product)[:299].strip() in words
        assert clean_text(item.passenger_name)[:299].strip() in words
    names = [tag for tag, _ in seen.tags]
    assert not {"script", "a", "link", "iframe", "form", "object"} & set(names)
    assert names.count("img") == 1
    assert not re.search(
        r"(?:src|href|url)\W*(?!cid:x)https?:", render_html(mail, branding, logo=None)
    )


@share(0.4)
@given(ITEMS, KINDS, TEXTS)
def test_no_text_looks_like_another_part_of_the_text(
    item: MailItem, kind: DeliveryKind, note: str
) -> None:
    usual = render_text(make_mail(kind=kind), BRANDING).splitlines()
    lines = render_text(make_mail(item, kind=kind, message=note), BRANDING).splitlines()
    for label in ("Product:", "Passenger:", "Airport:", "Order:", "Voucher code:", "Help:"):
        assert sum(line.startswith(label) for line in lines) <= 1
    for line in lines:
        assert line in usual or line in PLAIN or LABELS.match(line), line
        assert len(line) <= 72
        assert line.isprintable() or "\ufffe" in line or not clean_text(line).isprintable()


@given(TEXTS)
@example("=" + ENCODED_BCC + "?utf-8?q?=0A?=")
def test_a_clean_header_is_one_line_and_holds_no_encoded_word(text: str) -> None:
    line = clean_header(text)
    assert "=?" not in line
    assert "?=" not in line
    assert len(line) <= 150
    assert line == clean_header(line) == " ".join(line.split())
    assert line.encode() or not line


def test_an_encoded_word_in_a_subject_is_dropped_where_python_alone_would_obey_it() -> None:
    """Python 3.11.7 makes a Bcc header of it; later ones refuse to write the message."""
    obeyed = EmailMessage(email.policy.SMTP)
    obeyed["Subject"] = f"Hello {ENCODED_BCC}"
    assert "\n" in str(obeyed["Subject"])
    message = _compose(make_mail(subject=f"Hello {ENCODED_BCC} there"))
    assert message["Subject"] == "Hello there"
    assert _read(message.as_bytes())["Bcc"] is None


@pytest.mark.parametrize(
    "recipient",
    [
        "a@mail.example,b@mail.example",
        "a@mail.example\r\nBcc: b@mail.example",
        "a@mail.example\nb@mail.example",
        "A <a@mail.example>",
        "=?utf-8?q?b=40evil.example=2C?=@mail.example",
        "",
    ],
)
def test_a_list_of_recipients_is_no_recipient(recipient: str) -> None:
    with pytest.raises(InvalidInput):
        _compose(make_mail(recipient=recipient))


def test_a_recipient_in_another_script_is_written_as_servers_know_it() -> None:
    message = _compose(make_mail(recipient="a@bücher.example"))
    assert message["To"] == "a@xn--bcher-kva.example"
    assert "a@bücher.example" in _text_of(message, "plain")


# Same bytes


@share(0.2)
@given(MAILS)
def test_the_same_mail_is_the_same_bytes(mail: Mail) -> None:
    first, second = _compose(mail), _compose(replace(mail))
    assert first.as_bytes() == second.as_bytes()
    sent = io.BytesIO()  # as smtplib does it
    its_policy: Any = second.policy
    ascii_only = its_policy.clone(utf8=False)
    BytesGenerator(sent, policy=ascii_only).flatten(second, linesep="\r\n")
    assert sent.getvalue() == first.as_bytes()


def test_a_boundary_stands_in_no_part() -> None:
    content = _compose(make_mail(message="--=_a\n=_b")).as_bytes()
    boundaries = set(re.findall(rb'boundary="([^"]+)"', content))
    assert len(boundaries) == 3
    for boundary in boundaries:
        lines = [line for line in content.splitlines() if boundary in line and b'="' not in line]
        assert len(lines) == len([line for line in lines if line.startswith(b"--")])
