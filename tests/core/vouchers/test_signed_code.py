"""The signed code of a voucher: only a genuine code verifies; the public key is enough."""

import base64
import multiprocessing
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from core.ground import InvalidInput, get_settings, parse_private_pem, private_pem, public_pem
from core.vouchers import parse_code, parse_public_keys, public_key_text, signed_code
from core.vouchers.signed_code import (
    LENGTH,
    PREFIX,
    DamagedCode,
    ForeignCode,
    KeyFault,
    SignedVoucher,
    UnknownKey,
    WrongSignature,
    key_id_of,
    public_keys,
    sign,
)
from tests.vouchers import KEY

FROM = datetime(2026, 12, 1, 0, 0, tzinfo=UTC)
UNTIL = datetime(2026, 12, 1, 23, 59, 59, tzinfo=UTC)
KEYS = {key_id_of(KEY.public_key()): KEY.public_key()}
CODE = sign(
    serial=b"\x00\x01seria\xff", valid_from=FROM, valid_until=UNTIL, pax_type="child", key=KEY
)
GENUINE = SignedVoucher(b"\x00\x01seria\xff", FROM, UNTIL, "child", *KEYS)
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test its own installation without a key."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    _start_anew()
    yield tmp_path
    monkeypatch.undo()
    _start_anew()


def _start_anew() -> None:
    get_settings.cache_clear()
    signed_code._private_key.cache_clear()


def _sign() -> str:
    return sign(serial=b"12345678", valid_from=FROM, valid_until=UNTIL, pax_type="adult")


instants = st.integers(0, 2**32 - 1).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(st.binary(min_size=8, max_size=8), instants, instants, st.sampled_from(["adult", "infant"]))
def test_a_signed_code_is_read_back(
    serial: bytes, valid_from: datetime, valid_until: datetime, pax_type: str
) -> None:
    code = sign(
        serial=serial, valid_from=valid_from, valid_until=valid_until, pax_type=pax_type, key=KEY
    )
    assert len(code) == LENGTH
    found = parse_code(code, KEYS)
    assert found == SignedVoucher(serial, valid_from, valid_until, pax_type, *KEYS)


def test_fractions_of_a_second_are_left_out() -> None:
    late = UNTIL + timedelta(milliseconds=999)
    code = sign(serial=bytes(8), valid_from=FROM, valid_until=late, pax_type="adult", key=KEY)
    assert parse_code(code, KEYS).valid_until == UNTIL


@pytest.mark.parametrize(
    "brought",
    [
        CODE.lower(),
        f"  {CODE}\r\n",
        "\n".join(CODE[start : start + 20] for start in range(0, LENGTH, 20)),
        " ".join(CODE[start : start + 4] for start in range(0, LENGTH, 4)),
        f"\ufeff{CODE[:70]}\u00a0\u200b{CODE[70:]}\t",
    ],
)
def test_blanks_line_breaks_and_lower_case_do_not_matter(brought: str) -> None:
    assert parse_code(brought, KEYS) == GENUINE


@given(st.integers(len(PREFIX), LENGTH - 1), st.sampled_from(BASE32))
def test_a_code_with_any_character_altered_never_verifies(place: int, other: str) -> None:
    altered = CODE[:place] + other + CODE[place + 1 :]
    if altered == CODE:
        assert parse_code(altered, KEYS) == GENUINE
        return
    with pytest.raises((WrongSignature, UnknownKey, DamagedCode)):
        parse_code(altered, KEYS)


def test_every_altered_character_is_detected() -> None:
    for place in range(LENGTH):
        other = "A" if CODE[place] != "A" else "B"
        with pytest.raises((WrongSignature, UnknownKey, DamagedCode, ForeignCode)):
            parse_code(CODE[:place] + other + CODE[place + 1 :], KEYS)


@given(st.integers(0, LENGTH - 1), st.text(min_size=1, max_size=3))
def test_a_code_with_inserted_text_never_verifies(place: int, more: str) -> None:
    longer = CODE[:place] + more + CODE[place:]
    visible = "".join(
        longer.translate(dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))).split()
    )
    if visible == CODE:
        return
    with pytest.raises(InvalidInput):
        parse_code(longer, KEYS)


@given(st.integers(0, LENGTH - 1), st.booleans())
def test_a_truncated_code_never_verifies(length: int, is_its_end: bool) -> None:
    part = CODE[len(CODE) - length :] if is_its_end else CODE[:length]
    with pytest.raises((ForeignCode, DamagedCode)):
        parse_code(part, KEYS)


@given(st.text(max_size=300))
def test_a_foreign_text_is_recognised(text: str) -> None:
    with pytest.raises(ForeignCode):
        parse_code(text, KEYS)


@pytest.mark.parametrize(
    "text", ["", "7QXM-22KD-9WTA", "https://example.org/OD1:AAAA", "M1DOE/JOHN E7XYZAB LHRJFK"]
)
def test_other_codes_are_foreign(text: str) -> None:
    with pytest.raises(ForeignCode, match="not a signed voucher code"):
        parse_code(text, KEYS)


@given(st.binary(min_size=85, max_size=85))
def test_a_forged_code_never_verifies(content: bytes) -> None:
    known = b"\x01" + bytes.fromhex(next(iter(KEYS)))
    for forged in (content, known + content[4:]):
        with pytest.raises((WrongSignature, UnknownKey, DamagedCode)):
            parse_code(PREFIX + base64.b32encode(forged).decode(), KEYS)


@given(st.binary(min_size=32, max_size=32).filter(lambda seed: seed != bytes(range(32))))
def test_a_code_signed_with_another_key_never_verifies(seed: bytes) -> None:
    other = Ed25519PrivateKey.from_private_bytes(seed)
    code = sign(serial=bytes(8), valid_from=FROM, valid_until=UNTIL, pax_type="adult", key=other)
    with pytest.raises(UnknownKey, match=key_id_of(other.public_key())):
        parse_code(code, KEYS)
    with pytest.raises(WrongSignature, match="changed or forged"):
        parse_code(code, {key_id_of(other.public_key()): KEY.public_key()})


def test_a_letter_with_the_same_capital_is_not_accepted() -> None:
    assert "S" in CODE[len(PREFIX) :]
    place = CODE.index("S", len(PREFIX))
    with pytest.raises(DamagedCode):
        parse_code(CODE[:place] + "ſ" + CODE[place + 1 :], KEYS)


def test_the_public_key_alone_verifies_offline(data_dir: Path) -> None:
    code, text = _sign(), public_key_text()
    assert "PRIVATE" not in text
    assert parse_code(code, parse_public_keys(text)).serial == b"12345678"


@pytest.mark.parametrize(
    "text", ["", "no key", private_pem(KEY), public_pem(KEY.public_key())[:60]]
)
def test_a_text_without_a_public_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="The text holds no public key"):
        parse_public_keys(text)


def test_a_key_of_another_kind_is_refused() -> None:
    other = generate_private_key(SECP256R1())
    public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(InvalidInput, match="public key that is not Ed25519"):
        parse_public_keys(public.decode())
    private = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ValueError, match="not an Ed25519 private key"):
        parse_private_pem(private.decode())


def test_the_first_start_makes_a_private_key_and_later_starts_keep_it(
    data_dir: Path,
) -> None:
    signed_code.ensure_keys()
    code = _sign()
    assert stat.S_IMODE((data_dir / signed_code.KEY_FILE).stat().st_mode) == 0o600
    _start_anew()
    assert parse_code(code, public_keys()).pax_type == "adult"


def _public_text(folder: str) -> str:
    os.environ["DATA_DIR"] = folder
    _start_anew()
    return public_key_text()


def test_processes_that_start_at_once_share_one_key(data_dir: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        texts = pool.map(_public_text, [str(data_dir)] * 4)
    assert len(set(texts)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_can_read_is_not_used(data_dir: Path, mode: int) -> None:
    signed_code.ensure_keys()
    path = data_dir / signed_code.KEY_FILE
    path.chmod(mode)
    _start_anew()
    with pytest.raises(KeyFault, match=f"{path}.*can be read by others.*chmod 600 {path}"):
        signed_code.ensure_keys()


@pytest.mark.parametrize("content", [b"", b"no key", b"\xff\xfe", private_pem(KEY).encode()[:70]])
def test_a_damaged_key_is_named_and_not_replaced(data_dir: Path, content: bytes) -> None:
    path = data_dir / signed_code.KEY_FILE
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFault, match=str(path)):
        signed_code.ensure_keys()
    assert path.read_bytes() == content


def test_a_folder_in_place_of_the_key_is_named(data_dir: Path) -> None:
    (data_dir / signed_code.KEY_FILE).mkdir()
    with pytest.raises(KeyFault, match="cannot be read or written"):
        signed_code.ensure_keys()


def test_codes_of_an_earlier_key_still_verify(data_dir: Path) -> None:
    signed_code.ensure_keys()
    old = _sign()
    (data_dir / signed_code.KEY_FILE).unlink()
    _start_anew()
    signed_code.ensure_keys()
    new = _sign()
    assert parse_code(old, public_keys()).key_id != parse_code(new, public_keys()).key_id
    text = public_key_text()
    assert text.startswith(f"Key {parse_code(new, public_keys()).key_id}\n")
    assert parse_code(old, parse_public_keys(text)).serial == b"12345678"


def test_an_added_public_key_works_without_a_restart(data_dir: Path) -> None:
    signed_code.ensure_keys()
    with pytest.raises(UnknownKey):
        parse_code(CODE, public_keys())
    (data_dir / signed_code.PUBLIC_KEYS / "partner.pem").write_text(public_pem(KEY.public_key()))
    assert parse_code(CODE, public_keys()) == GENUINE


def test_a_damaged_public_key_is_named(data_dir: Path) -> None:
    signed_code.ensure_keys()
    path = data_dir / signed_code.PUBLIC_KEYS / "partner.pem"
    path.write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")
    with pytest.raises(KeyFault, match=str(path)):
        public_keys()


@pytest.mark.parametrize("line_break", ["\n", "\\n", " "])
def test_the_key_can_come_from_the_environment(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, line_break: str
) -> None:
    monkeypatch.setenv("VOUCHER_PRIVATE_KEY", private_pem(KEY).replace("\n", line_break))
    _start_anew()
    signed_code.ensure_keys()
    assert parse_code(_sign(), KEYS).serial == b"12345678"
    assert not (data_dir / signed_code.KEY_FILE).exists()


def test_an_invalid_key_in_the_environment_stops_the_start_and_is_not_shown(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOUCHER_PRIVATE_KEY", "my-secret")
    _start_anew()
    with pytest.raises(SystemExit, match="VOUCHER_PRIVATE_KEY: must be one private key") as stopped:
        get_settings()
    assert "my-secret" not in str(stopped.value)


def test_a_distant_day_becomes_the_last_instant_of_a_code() -> None:
    far = datetime(2199, 12, 31, tzinfo=UTC)
    early = datetime(1960, 1, 1, tzinfo=UTC)
    code = sign(serial=bytes(8), valid_from=early, valid_until=far, pax_type="adult", key=KEY)
    found = parse_code(code, KEYS)
    assert found.valid_from == datetime(1970, 1, 1, tzinfo=UTC)
    assert found.valid_until.year == 2106
