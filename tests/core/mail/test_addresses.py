"""Addresses: a text is exactly one address or invalid."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ground import InvalidInput
from core.mail import split_addresses
from core.mail.compose.addresses import (
    MAX_RECIPIENTS,
    ascii_form,
    parse_address,
    parse_recipients,
    parse_sender,
)

PLAIN = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[a-z0-9.-]+")
PIECES = st.sampled_from(
    [
        *("a@mail.example", "b@mail.example", "@", ",", ";", " ", "\n", "\r\n", "\t", "\x00", "<"),
        *(">", '"', "(x)", ":", "\\", "=?utf-8?q?a=40b.example=2C?=", "=?", "?=", "\u2028", "."),
        *("Bob", "Bcc: c@mail.example", "\u202e", "\u200b", "\ud800", "é", "例", "＠", "，", "。"),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=4), max_size=5).map("".join)


@pytest.mark.parametrize(
    ("text", "address", "sent"),
    [
        (" olivia@MAIL.example ", "olivia@mail.example", "olivia@mail.example"),
        ("o'neil+vip@mail.example", "o'neil+vip@mail.example", "o'neil+vip@mail.example"),
        ("desk@corp.local", "desk@corp.local", "desk@corp.local"),
        ("root@mailhost", "root@mailhost", "root@mailhost"),
        ("a@bücher.example", "a@bücher.example", "a@xn--bcher-kva.example"),
        ("a@xn--bcher-kva.example", "a@bücher.example", "a@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_normalised_and_has_a_form_for_servers(
    text: str, address: str, sent: str
) -> None:
    assert parse_address(text) == address
    assert ascii_form(address) == sent


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "An address is empty."),
        ("a@mail.example,b@mail.example", "it looks like several. Enter each one separately."),
        ("a@mail.example\nb@mail.example", "it looks like several. Enter each one separately."),
        (
            "a@mail.example\r\nBcc: b@mail.example",
            "it looks like several. Enter each one separately.",
        ),
        ("Olivia <a@mail.example>", "enter only the part between the angle brackets."),
        ("josé@mail.example", "only contain unaccented Latin letters"),
        ("=?utf-8?q?b=40c.example=2C?=@mail.example", "“=?” is not allowed in an address."),
        ('"a b"@mail.example', "Quoting the part before the @-sign is not allowed here."),
        ("a@[192.0.2.1]", "A bracketed IP address"),
        ("a@b@mail.example", "is not a valid address"),
        ("a@mail.example\x00", "is not a valid address"),
        ("a" * 400 + "@mail.example", "is too long for an address."),
        ("olivia", "the @ is missing."),
        ("@mail.example", "the part before @ is missing."),
        ("bad@", "the part after @ is missing."),
    ],
)
def test_what_is_not_one_address_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_address(text)
    assert why in str(refused.value)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 300


@given(TEXTS)
def test_a_text_never_becomes_more_than_one_address(text: str) -> None:
    address = None
    with suppress(InvalidInput):
        address = parse_address(text)
    if address is None:
        return
    sent = ascii_form(address)
    assert PLAIN.fullmatch(sent)
    assert "=?" not in sent
    assert parse_address(address) == address == parse_address(sent)
    assert sent.partition("@")[0].casefold() == text.strip(" ").partition("@")[0].casefold()


def test_recipients_keep_their_order_and_come_once() -> None:
    texts = ["b@mail.example", "A@mail.example", "a@MAIL.example", "b@mail.example "]
    assert parse_recipients(texts) == ["b@mail.example", "A@mail.example"]


def test_every_fault_among_recipients_is_listed() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_recipients(["a@mail.example", "nobody", "b@mail.example, c@mail.example", ""])
    lines = str(refused.value).splitlines()
    assert len(lines) == 3
    assert "“nobody”" in lines[0]
    assert "“b@mail.example, c@mail.example”" in lines[1]
    assert lines[2] == "An address is empty."


def test_no_recipient_and_too_many_are_refused_with_the_numbers() -> None:
    with pytest.raises(InvalidInput, match="no recipient"):
        parse_recipients([])
    many = [f"p{number}@mail.example" for number in range(MAX_RECIPIENTS + 1)]
    assert parse_recipients(many[1:] + many[1:]) == many[1:]
    with pytest.raises(InvalidInput, match="201 recipients are too many: at most 200"):
        parse_recipients(many)


@given(st.lists(TEXTS, max_size=6))
def test_recipients_are_those_of_their_texts_alone(texts: list[str]) -> None:
    try:
        recipients = parse_recipients(texts)
    except InvalidInput:
        return
    alone = {ascii_form(parse_address(text)).casefold() for text in texts}
    assert {ascii_form(recipient).casefold() for recipient in recipients} == alone
    assert len(recipients) == len(alone)


def test_what_was_pasted_is_split_at_lines_commas_and_semicolons() -> None:
    pasted = "a@mail.example, b@mail.example;c@mail.example\r\n\n Olivia <d@mail.example>\t\n"
    assert split_addresses(pasted) == [
        *("a@mail.example", "b@mail.example", "c@mail.example", "Olivia <d@mail.example>"),
    ]
    assert split_addresses(" \n ; ,") == []


def test_a_sender_is_an_address_with_or_without_a_name() -> None:
    assert parse_sender("desk@mail.example") == ("", "desk@mail.example")
    assert parse_sender("Çelebi, Ltd. <desk@mail.example>") == (
        *("Çelebi, Ltd.", "desk@mail.example"),
    )
    assert parse_sender('"Order Desk" <desk@mail.example>') == ("Order Desk", "desk@mail.example")
    for wrong in ("Order Desk", "Order Desk <desk>", "Order Desk <desk@mail.example", ""):
        with pytest.raises(InvalidInput):
            parse_sender(wrong)
