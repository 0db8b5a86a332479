"""Keys with which ssh shows who it is."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from webjobs.reasons import Reason, gettext_noop

BAD_KEY = gettext_noop(
    "This is no private key that can be used. Paste the whole file, with its first and its last "
    "line, of an Ed25519, ECDSA or RSA key without a passphrase."
)


def new() -> tuple[str, str]:
    """A private key, and the public key that belongs to it in one line."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return private.decode(), _public(key)


def _public(key: Ed25519PrivateKey | RSAPrivateKey | EllipticCurvePrivateKey) -> str:
    line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return f"{line.decode()} webjobs-portal"


def public_of(private: str) -> str:
    """The public key of a private one; raises Reason."""
    data = private.strip().replace("\r\n", "\n").encode() + b"\n"
    is_openssh = b"BEGIN OPENSSH" in data
    try:
        load = load_ssh_private_key if is_openssh else load_pem_private_key
        key = load(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Reason("bad_key", BAD_KEY) from error
    if not isinstance(key, Ed25519PrivateKey | RSAPrivateKey | EllipticCurvePrivateKey):
        raise Reason("bad_key", BAD_KEY)
    return _public(key)
