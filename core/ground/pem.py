"""Ed25519 keys as PEM text, from a file or an environment variable."""

import base64
import binascii
import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

_BLOCK = re.compile(r"-----BEGIN ([A-Z ]+)-----([^-]*+)-----END \1-----")


def private_pem(key: Ed25519PrivateKey) -> str:
    """Return a private key as PEM (PKCS 8, not encrypted)."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key: Ed25519PublicKey) -> str:
    """Return a public key as PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def parse_private_pem(text: str) -> Ed25519PrivateKey:
    r"""Parse a private key in PEM. Blanks or a literal \n may stand for its line breaks.

    Raises ValueError with the rest of a sentence ("is a damaged ..."), which never holds the key.
    """
    blocks = _BLOCK.findall(text)
    if len(blocks) != 1 or blocks[0][0] != "PRIVATE KEY":
        raise ValueError("must be one private key in PEM (-----BEGIN PRIVATE KEY-----)")
    try:
        key = load_der_private_key(_content(blocks[0][1]), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("is a damaged private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("is not an Ed25519 private key")
    return key


def parse_public_pems(text: str) -> list[Ed25519PublicKey]:
    """Parse all public keys in a PEM text; other text around them is ignored.

    Raises ValueError, with the rest of a sentence, if there is none or one is damaged.
    """
    blocks = _BLOCK.findall(text)
    if not blocks or {kind for kind, _ in blocks} != {"PUBLIC KEY"}:
        raise ValueError("holds no public key in PEM (-----BEGIN PUBLIC KEY-----)")
    return [_public_key(content) for _, content in blocks]


def _public_key(content: str) -> Ed25519PublicKey:
    try:
        key = load_der_public_key(_content(content))
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("holds a damaged public key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("holds a public key that is not Ed25519")
    return key


def _content(base64_lines: str) -> bytes:
    try:
        return base64.b64decode("".join(base64_lines.replace("\\n", " ").split()), validate=True)
    except binascii.Error as error:
        raise ValueError("is not base64") from error
