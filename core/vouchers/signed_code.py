"""The signed code in the QR code of a voucher: sign it, and verify it without the database.

A code is `OD1:` and the base32 of 85 bytes: version, key ID, the item's voucher serial, valid from,
valid until and pax type (21 bytes), then the Ed25519 signature of the prefix and these bytes. It
holds no personal data. Anyone with the public key can verify it offline. A genuine code can belong
to a refunded voucher: only the database knows.
"""

import base64
import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.ground import (
    AppError,
    InvalidInput,
    PaxType,
    get_settings,
    parse_private_pem,
    parse_public_pems,
    private_pem,
    public_pem,
    read_or_create_secret,
)

PREFIX = "OD1:"
LENGTH = 140  # a QR code of version 6, which holds 154 characters at error correction M
KEY_FILE = "voucher_key.pem"
PUBLIC_KEYS = "voucher_keys"
OTHERS_MASK = 0o077  # the permission bits of everyone except the owner

_VERSION = 1
_FIELDS = struct.Struct(">B3s8sIIB")  # version, key, serial, from and until (s since 1970), pax
_PAX_TYPES = (PaxType.ADULT, PaxType.CHILD, PaxType.INFANT)  # the index is stored: only append
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))

PublicKeys = Mapping[str, Ed25519PublicKey]


class ForeignCode(InvalidInput):
    """The text is not a signed voucher code."""

    def __init__(self) -> None:
        super().__init__("This is not a signed voucher code of Order Desk.")


class DamagedCode(InvalidInput):
    """The text begins like a signed code, but is not complete."""

    def __init__(self) -> None:
        super().__init__(
            f"This code is damaged. A complete code has {LENGTH} characters: {PREFIX} and then "
            "letters A to Z and digits 2 to 7. Scan it again."
        )


class UnknownKey(InvalidInput):
    """The code was signed with a key that is not accepted here."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"This code was signed with key {key_id}, which is not known here.")


class WrongSignature(InvalidInput):
    """The code was changed or forged."""

    def __init__(self) -> None:
        super().__init__("The signature of this code is invalid: the code was changed or forged.")


class KeyFault(AppError):
    """A key file cannot be used; the sentence names the file and says what to do."""


@dataclass(frozen=True)
class SignedVoucher:
    """The content of a genuine code."""

    serial: bytes
    valid_from: datetime
    valid_until: datetime
    pax_type: str
    key_id: str


def sign(
    *,
    serial: bytes,
    valid_from: datetime,
    valid_until: datetime,
    pax_type: str,
    key: Ed25519PrivateKey | None = None,
) -> str:
    """Return the signed code of an order item: 140 characters, instants to the second.

    Without `key` it is signed with the key of this installation. Raises KeyFault if that key cannot
    be used.
    """
    key = key or _private_key()
    head = _FIELDS.pack(
        _VERSION,
        bytes.fromhex(key_id_of(key.public_key())),
        serial,
        _in_32_bits(valid_from),
        _in_32_bits(valid_until),
        _PAX_TYPES.index(PaxType(pax_type)),
    )
    return PREFIX + base64.b32encode(head + key.sign(PREFIX.encode() + head)).decode()


def _in_32_bits(instant: datetime) -> int:
    """Return seconds since 1970; a day after 2106 (meant as no end) becomes the last instant."""
    return min(max(int(instant.timestamp()), 0), 2**32 - 1)


def parse_code(text: str, public_keys: PublicKeys) -> SignedVoucher:
    """Return the content of a genuine code; ignore white space and lower case.

    Raises ForeignCode, DamagedCode, UnknownKey or WrongSignature.
    """
    content = _content(text)
    head, signature = content[: _FIELDS.size], content[_FIELDS.size :]
    version, raw_key_id, serial, valid_from, valid_until, pax = _FIELDS.unpack(head)
    if version != _VERSION:
        raise DamagedCode
    key_id = raw_key_id.hex()
    if key_id not in public_keys:
        raise UnknownKey(key_id)
    try:
        public_keys[key_id].verify(signature, PREFIX.encode() + head)
    except InvalidSignature:
        raise WrongSignature from None
    return SignedVoucher(
        serial=serial,
        valid_from=datetime.fromtimestamp(valid_from, UTC),
        valid_until=datetime.fromtimestamp(valid_until, UTC),
        pax_type=_PAX_TYPES[pax].value,
        key_id=key_id,
    )


def key_id_of(key: Ed25519PublicKey) -> str:
    """Return the ID of a key: the first 3 bytes of its SHA-256, as hexadecimal digits."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:6]


def public_keys() -> PublicKeys:
    """Return the accepted public keys by ID: the own key, earlier keys and added keys.

    Earlier and added keys are the files in `voucher_keys` in DATA_DIR. They are read on each call,
    so a new key needs no restart. Raises KeyFault.
    """
    own = _private_key().public_key()
    found = {}
    for path in sorted((get_settings().data_dir / PUBLIC_KEYS).glob("*.pem")):
        try:
            keys = parse_public_pems(path.read_text())
        except (OSError, ValueError) as error:
            raise KeyFault(
                f"The file {path} {_reason(error)}. Put a public key there, or delete the file."
            ) from error
        found.update({key_id_of(key): key for key in keys})
    return found | {key_id_of(own): own}


def own_key_id() -> str:
    """Return the ID of the key that signs here. Raises KeyFault."""
    return key_id_of(_private_key().public_key())


def public_key_text(keys: PublicKeys | None = None) -> str:
    """Return public keys as PEM, the own key first, to verify codes offline.

    Without `keys`, those that are accepted without the database.
    """
    own = own_key_id()
    keys = public_keys() if keys is None else keys
    order = sorted(keys, key=lambda key_id: (key_id != own, key_id))
    return "".join(f"Key {key_id}\n{public_pem(keys[key_id])}" for key_id in order)


def parse_public_keys(text: str) -> PublicKeys:
    """Parse the text of public_key_text; raises InvalidInput if it has no key."""
    try:
        return {key_id_of(key): key for key in parse_public_pems(text)}
    except ValueError as error:
        raise InvalidInput(f"The text {error}.") from None


def ensure_keys() -> None:
    """Make the private key at the first start, and store its public key for later.

    The stored public key stays accepted after the private key is replaced. Raises KeyFault if a key
    cannot be made or read, or if other users can read it.
    """
    own = _private_key().public_key()
    path = get_settings().data_dir / PUBLIC_KEYS / f"{key_id_of(own)}.pem"
    if not path.exists():
        try:
            read_or_create_secret(path, lambda: public_pem(own))
        except OSError as error:
            raise KeyFault(f"The file {path} {_reason(error)}.") from error
    public_keys()


@cache
def _private_key() -> Ed25519PrivateKey:
    configured = get_settings().voucher_private_key
    if configured is not None:
        return parse_private_pem(configured.get_secret_value())
    return _stored_key(get_settings().data_dir / KEY_FILE)


def _stored_key(path: Path) -> Ed25519PrivateKey:
    try:
        text = read_or_create_secret(path, lambda: private_pem(Ed25519PrivateKey.generate()))
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFault(f"The key that signs vouchers, {path}, {_reason(error)}.") from error
    if mode & OTHERS_MASK:
        raise KeyFault(
            f"The key that signs vouchers, {path}, can be read by others (mode {mode & 0o777:04o})."
            f" Run chmod 600 {path}. If others may have read the key, delete the file: the next "
            "start makes a new key."
        )
    try:
        return parse_private_pem(text)
    except ValueError as error:
        raise KeyFault(
            f"The key that signs vouchers, {path}, {error}. Restore it from a backup. Without a "
            "backup, delete the file: the next start makes a new key."
        ) from None


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"cannot be read or written ({error.strerror})"
    return "is not a text file" if isinstance(error, UnicodeDecodeError) else str(error)


def _content(text: str) -> bytes:
    compact = "".join(text.translate(_INVISIBLE).split())
    if compact[: len(PREFIX)].upper() != PREFIX:
        raise ForeignCode
    # Only ASCII: upper() turns a long s into S, so two texts would be one code.
    if len(compact) != LENGTH or not compact.isascii():
        raise DamagedCode
    try:
        return base64.b32decode(compact[len(PREFIX) :].upper())
    except ValueError:
        raise DamagedCode from None
