"""No text in a mail changes the mail around it; the same mail is the same bytes."""

import email
import email.policy
import io
import re
from dataclasses import replace
from email.generator import BytesGenerator
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.ground import DeliveryKind, InvalidInput
from core.mail.compose.body import Mail, MailItem, render_html, render_text
from core.mail.compose.letters import clean_header, default_subject
from core.vouchers import Branding, clean_text
from tests.conftest import NOW
from tests.core.mail.letters import (
    HEADERS,
    PDF,
    Tags,
    compose_mail,
    decoded,
    read_mail,
    text_of,
    transported,
)
from tests.effort import share
from tests.mails import make_mail, make_mail_item
from tests.vouchers import BRANDING

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
KINDS = st.sampled_from([DeliveryKind.VOUCHER, DeliveryKind.VOID_NOTICE])
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


def _known_tags(branding: Branding, logo: str | None) -> Tags:
    # Decisions about refunds name items without their codes.
    items = make_mail_item(refunded_at=NOW), make_mail_item(), make_mail_item(voucher_code="")
    full = make_mail(*items, message="One\nTwo\n\nThree")
    mails = full, replace(full, kind=DeliveryKind.VOID_NOTICE)
    branding = replace(branding, name="Desk", support="Help", terms="Rule")
    return Tags("".join(render_html(mail, branding, logo=logo) for mail in mails))


@share(0.4)
@given(MAILS, BRANDINGS, TEXTS)
@example(make_mail(subject=ENCODED_BCC), BRANDING, ENCODED_BCC)
def test_no_text_changes_who_gets_what(mail: Mail, branding: Branding, name: str) -> None:
    sent = f"{name.replace('<', '')} <vouchers@orderdesk.example>"
    message = compose_mail(mail, branding, sent)
    for content in transported(message.as_bytes()):
        assert max(map(len, content.splitlines())) <= 998
        assert content.isascii()
        read, plain = read_mail(content), email.message_from_bytes(content)
        assert read.keys() == plain.keys() == HEADERS
        assert [one.addr_spec for one in read["To"].addresses] == ["olivia@mail.example"]
        assert plain["To"] == "olivia@mail.example"
        assert [one.addr_spec for one in read["From"].addresses] == ["vouchers@orderdesk.example"]
        subject = clean_header(mail.subject) or default_subject(mail.kind, mail.items)
        assert read["Subject"] == decoded(plain, "Subject") == subject
        assert read["Message-ID"].strip() == mail.message_id
        assert parsedate_to_datetime(plain["Date"]) == mail.written_at
        for part in (*read.walk(), *plain.walk()):
            assert part.defects == []
        assert text_of(read, "plain") == render_text(mail, branding)
        source = re.search(r'src="(cid:[^"]*)"', text_of(message, "html"))
        assert source is not None
        html = render_html(mail, branding, logo=source[1])
        assert text_of(read, "html") == f"{html}\n"
        pdfs = [part for part in plain.walk() if part.get_content_type() == "application/pdf"]
        assert [part.get_payload(decode=True) for part in pdfs] == [PDF] * (mail.kind == "voucher")
        for part in pdfs:
            assert re.fullmatch(r"vouchers?(-[A-Za-z0-9._-]*)?\.pdf", str(part.get_filename()))


@share(0.4)
@given(MAILS, BRANDINGS)
def test_a_program_that_folds_every_header_anew_adds_none(mail: Mail, branding: Branding) -> None:
    """Python's folding may lose quotes and blanks, but must not obey the text."""
    policy = email.policy.SMTP.clone(refold_source="all")
    content = compose_mail(mail, branding).as_bytes()
    folded = email.message_from_bytes(content, policy=policy).as_bytes()
    read = read_mail(folded)
    assert read.keys() == email.message_from_bytes(folded).keys() == HEADERS
    assert [one.addr_spec for one in read["To"].addresses] == ["olivia@mail.example"]
    assert text_of(read, "plain") == render_text(mail, branding)


@share(0.4)
@given(MAILS, BRANDINGS)
def test_no_text_becomes_html(mail: Mail, branding: Branding) -> None:
    known, seen = _known_tags(branding, "cid:x"), Tags(render_html(mail, branding, logo="cid:x"))
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
    message = compose_mail(make_mail(subject=f"Hello {ENCODED_BCC} there"))
    assert message["Subject"] == "Hello there"
    assert read_mail(message.as_bytes())["Bcc"] is None


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
        compose_mail(make_mail(recipient=recipient))


def test_a_recipient_in_another_script_is_written_as_servers_know_it() -> None:
    message = compose_mail(make_mail(recipient="a@bücher.example"))
    assert message["To"] == "a@xn--bcher-kva.example"
    assert "a@bücher.example" in text_of(message, "plain")


@share(0.2)
@given(MAILS)
def test_the_same_mail_is_the_same_bytes(mail: Mail) -> None:
    first, second = compose_mail(mail), compose_mail(replace(mail))
    assert first.as_bytes() == second.as_bytes()
    sent = io.BytesIO()  # as smtplib does it
    its_policy: Any = second.policy
    ascii_only = its_policy.clone(utf8=False)
    BytesGenerator(sent, policy=ascii_only).flatten(second, linesep="\r\n")
    assert sent.getvalue() == first.as_bytes()


def test_a_boundary_stands_in_no_part() -> None:
    content = compose_mail(make_mail(message="--=_a\n=_b")).as_bytes()
    boundaries = set(re.findall(rb'boundary="([^"]+)"', content))
    assert len(boundaries) == 3
    for boundary in boundaries:
        lines = [line for line in content.splitlines() if boundary in line and b'="' not in line]
        assert len(lines) == len([line for line in lines if line.startswith(b"--")])
