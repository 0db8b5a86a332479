"""The certificate of `manage.py up --tls`."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portal import tls

NAMES = ["localhost", "127.0.0.1", "::1"]
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def test_it_is_kept_until_it_must_be_renewed(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    first = tls.prepare(folder, NAMES, NOW).certificate.read_bytes()
    assert tls.prepare(folder, NAMES, NOW + timedelta(days=300)).certificate.read_bytes() == first
    later = NOW + timedelta(days=tls.SERVER_DAYS - 20)
    authority = (folder / "ca.pem").read_bytes()
    assert tls.prepare(folder, NAMES, later).certificate.read_bytes() != first
    assert (folder / "ca.pem").read_bytes() == authority


def test_another_name_or_another_authority_needs_another_certificate(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    first = tls.prepare(folder, NAMES, NOW).certificate.read_bytes()
    second = tls.prepare(folder, [*NAMES, "jobs.example.org"], NOW).certificate.read_bytes()
    assert second != first
    (folder / "ca.key").unlink()
    third = tls.prepare(folder, [*NAMES, "jobs.example.org"], NOW).certificate.read_bytes()
    assert third != second


def test_nobody_else_reads_the_keys(tmp_path: Path) -> None:
    files = tls.prepare(tmp_path / "tls", NAMES)
    for path in (files.key, tmp_path / "tls" / "ca.key"):
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", NAMES)
def test_a_strict_client_that_trusts_the_authority_accepts_it(tmp_path: Path, name: str) -> None:
    files = tls.prepare(tmp_path / "tls", NAMES)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate, files.key)
    client = ssl.create_default_context(cafile=str(files.authority))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (ours, theirs, ours, theirs):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert ours.getpeercert()


def test_the_probe_says_hello(tmp_path: Path) -> None:
    hello = tls.client_hello()
    # A handshake record that holds a ClientHello.
    assert (hello[0], hello[5]) == (22, 1)
