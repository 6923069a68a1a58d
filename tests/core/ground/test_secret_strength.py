"""SIGNING_SECRET: a weak secret stops the start with a hint how to make a strong one."""

import base64
import random
import secrets
import string
import uuid

import pytest

from core.ground import get_settings
from core.ground.secret_strength import HINT, find_weakness
from tests.core.refunds.refund_rows import settings

WEAK = [
    "a" * 16,
    "a" * 64,
    "0" * 40,
    "ab" * 8,
    "ab" * 40,
    "abc123" * 6,
    "passwordpassword",
    "PasswordPASSWORDpassword",
    "password12345678",
    "changemechangeme",
    "change-me-please",
    "please-change-this-secret",
    "your-secret-key-here",
    "orderdesksecretkey",
    "supersecretsecret",
    "0123456789abcdef",
    "0123456789abcdef" * 4,
    "abcdefghijklmnop",
    "ABCDEFGHIJKLMNOP",
    "zyxwvutsrqponmlkjihgfedcba",
    "acegikmoqsuwyacegikmoq",
    "qwertyuiopasdfgh",
    "qwertyuiop1234567890",
    "1234567890123456",
    "12345678901234567890123456789012",
    "a1b2c3d4e5f6g7h8",
    "aabbccddeeffgghh",
    "aaabbbcccdddeeefff",
    "abcdefghhgfedcba",
    "deadbeefdeadbeef",
    "abacabadabacabae",
    "0011001100110011001100110011",
    "        ",
    " " * 40,
    "short-Xk3!",
    "Xk3!vQ9pLm2$wZ7",
    "",
]


@pytest.mark.parametrize("secret", WEAK)
def test_a_weak_secret_is_detected(secret: str) -> None:
    assert find_weakness(secret) is not None


@pytest.mark.parametrize("secret", [one for one in WEAK if one])
def test_a_weak_secret_stops_the_start_with_a_hint(secret: str) -> None:
    with settings(signing_secret=secret), pytest.raises(SystemExit) as stopped:
        get_settings()
    said = str(stopped.value)
    assert said.startswith("Order Desk cannot start.\nSIGNING_SECRET: ")
    assert HINT in said
    assert secret not in said.removesuffix(HINT)


@pytest.mark.parametrize(
    "make",
    [
        lambda: secrets.token_hex(16),
        lambda: secrets.token_hex(32),
        lambda: secrets.token_urlsafe(24),
        lambda: secrets.token_urlsafe(48),
        lambda: base64.b64encode(secrets.token_bytes(24)).decode(),
        lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
        lambda: base64.b32encode(secrets.token_bytes(20)).decode(),
        lambda: str(uuid.uuid4()),
        lambda: "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(16)),
        lambda: "".join(secrets.choice(string.printable.strip()) for _ in range(20)),
    ],
    ids=["hex 16", "hex 32", "url 24", "url 48", "64 24", "64 32", "32 20", "uuid", "16", "20"],
)
def test_a_random_secret_is_accepted(make: "object") -> None:
    """Random secrets contain words and runs too: of 16 characters, one in thousands is weak."""
    assert callable(make)
    weak = [one for one in (make() for _ in range(300)) if find_weakness(one)]
    assert len(weak) <= 3, weak


def test_hardly_any_of_sixteen_random_hexadecimal_digits_is_refused() -> None:
    chance = random.Random(7)
    made = ["".join(chance.choices("0123456789abcdef", k=16)) for _ in range(2_000)]
    assert sum(find_weakness(one) is not None for one in made) < 100


@pytest.mark.parametrize("secret", ["battery-staple-16+", "correct horse battery staple 16+"])
def test_a_phrase_of_uncommon_words_is_accepted(secret: str) -> None:
    with settings(signing_secret=secret):
        kept = get_settings().signing_secret
    assert kept is not None
    assert kept.get_secret_value() == secret
