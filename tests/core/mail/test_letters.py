"""Voucher mails, read back like a mail program does: their text, and no injected content."""

import email
import email.policy
import io
import re
from dataclasses import replace
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from PIL import Image

from core.ground import DeliveryKind
from core.mail.compose.body import MAX_MESSAGE, MailItem, render_html, render_text
from core.mail.compose.letters import compose, default_subject, make_message_id
from core.vouchers.pdf.logo import LogoFault
from tests.conftest import NOW
from tests.core.mail.letters import (
    HEADERS,
    PDF,
    Tags,
    compose_mail,
    read_mail,
    text_of,
    transported,
)
from tests.mails import SENDER, make_mail, make_mail_item
from tests.vouchers import BRANDING

# Content


@pytest.mark.parametrize("kind", [DeliveryKind.VOUCHER, DeliveryKind.VOID_NOTICE])
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
    message = compose_mail(make_mail(*items, kind=kind, message="Dear Olivia,\n\nsee <you> there."))
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
    html = " ".join(Tags(text_of(message, "html")).words)
    text = text_of(message, "plain")
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
    message = read_mail(compose_mail(make_mail()).as_bytes())
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
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in text_of(message, "html")
    assert Image.open(io.BytesIO(picture.get_content())).size == (150, 150)


def test_a_void_notice_has_no_pdf() -> None:
    notice = make_mail(make_mail_item(refunded_at=NOW), kind=DeliveryKind.VOID_NOTICE)
    message = compose_mail(notice)
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
        (part,) = compose_mail(make_mail(*items)).iter_attachments()
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
    plain = compose_mail(make_mail(), replace(BRANDING, logo=None))
    assert "image/png" not in [part.get_content_type() for part in plain.walk()]
    assert "<img" not in text_of(plain, "html")
    assert BRANDING.logo is not None
    lost = BRANDING.logo.with_name("lost.svg")
    with pytest.raises(LogoFault, match=r"lost\.svg"):
        compose_mail(make_mail(), replace(BRANDING, logo=lost))


def test_a_sender_may_have_a_name_in_any_script_and_a_domain_too() -> None:
    for name in ('Çelebi, "VIP" <Lounges> GmbH', "贵宾休息室" * 12, "محمد", "a" * 59 + "é", "\\"):
        content = compose_mail(make_mail(), sender=f"{name} <desk@bücher.example>").as_bytes()
        (sender,) = read_mail(content)["From"].addresses
        assert sender.addr_spec == "desk@xn--bcher-kva.example"
        written, address = parseaddr(str(email.message_from_bytes(content)["From"]))
        assert address == sender.addr_spec
        assert str(make_header(decode_header(written))) == name
    nameless = read_mail(compose_mail(make_mail(), sender="desk@mail.example").as_bytes())
    assert str(nameless["From"]) == "Order Desk <desk@mail.example>"


def test_a_message_id_is_that_of_the_delivery_whatever_it_looks_like() -> None:
    usual = make_message_id("0190f7e2-7b3c", "Desk <desk@bücher.example>")
    assert usual == "<0190f7e2-7b3c@xn--bcher-kva.example>"
    ids = {make_message_id(one, SENDER) for one in ("a>\r\nBcc: x", "a\n", "a\ud800", "a b", "")}
    assert len(ids) == 5
    assert all(re.fullmatch(r"<[0-9a-f]{32}@orderdesk\.example>", one) for one in ids)
    with pytest.raises(ValueError, match="not a valid Message-ID"):
        compose_mail(make_mail(message_id="<a@b>\r\nBcc: <c@d>"))


def test_a_long_domain_breaks_no_header() -> None:
    domain = ".".join(["a" * 60] * 3) + ".example"
    mail = make_mail(
        message_id=make_message_id("0190f7e2-7b3c-7def-8123-456789abcdef", f"d@{domain}"),
        recipient=f"{'o' * 50}@{domain}",
    )
    for content in transported(compose_mail(mail, sender=f"d@{domain}").as_bytes()):
        read = read_mail(content)
        assert str(read["Message-ID"]).strip() == mail.message_id
        assert [one.addr_spec for one in read["To"].addresses] == [mail.recipient]
        assert [one.addr_spec for one in read["From"].addresses] == [f"d@{domain}"]
