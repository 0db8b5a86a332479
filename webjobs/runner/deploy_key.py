"""Keys with which ssh shows who it is."""

from __future__ import annotations

from dataclasses import dataclass, field

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


PrivateKey = Ed25519PrivateKey | RSAPrivateKey | EllipticCurvePrivateKey


@dataclass(frozen=True)
class DeployKey:
    """`private`: a file as every ssh reads it; `public`: the line that belongs to it."""

    private: str = field(repr=False)
    public: str


def new() -> DeployKey:
    """A key that nobody else has."""
    return _of(Ed25519PrivateKey.generate())


def read(private: str) -> DeployKey:
    """The key in a file that somebody pasted; raises Reason."""
    data = private.strip().replace("\r\n", "\n").encode() + b"\n"
    is_openssh = b"BEGIN OPENSSH" in data
    try:
        load = load_ssh_private_key if is_openssh else load_pem_private_key
        key = load(data, None)
        if isinstance(key, PrivateKey):
            return _of(key)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Reason("bad_key", BAD_KEY) from error
    raise Reason("bad_key", BAD_KEY)


def _of(key: PrivateKey) -> DeployKey:
    # Older ssh reads an Ed25519 key in no other form than its own.
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return DeployKey(private.decode(), f"{line.decode()} webjobs-portal")
