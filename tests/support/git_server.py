"""A server of Git repositories by https, as real ones are: with a token, and with redirects."""

from __future__ import annotations

import base64
import http.server
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class GitServer:
    """`url` is where the repositories below `root` are; `seen` has the paths that were asked."""

    url: str
    authority: Path
    seen: list[str] = field(default_factory=list)


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return public, private


class _Server(http.server.ThreadingHTTPServer):
    """Serves what is below `root`, and tells in `found` what it is asked."""

    def __init__(self, root: Path, found: GitServer, token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.found = found
        credentials = base64.b64encode(f"git:{token}".encode()).decode()
        self.wanted = f"Basic {credentials}" if token else None


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        found, wanted = self.server.found, self.server.wanted
        found.seen.append(self.path)
        if self.path.startswith("/moved/"):
            self._end(301, {"Location": found.url + self.path.removeprefix("/moved")})
        elif wanted and self.headers.get("Authorization") != wanted:
            self._end(401, {"WWW-Authenticate": 'Basic realm="git"'})
        elif self.path.startswith("/files/"):
            name = self.path.partition("?")[0].removeprefix("/files/")
            self._serve_file(self.server.root / name)
        else:
            self._serve()

    do_POST = do_GET  # noqa: N815

    def _end(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _serve_file(self, path: Path) -> None:
        content = path.read_bytes() if path.is_file() else b""
        self._end(200 if path.is_file() else 404, {}, content)

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            env=self._environ(),
            capture_output=True,
            check=False,
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        lines = (line.partition(": ") for line in head.decode().split("\r\n"))
        headers = {name: value for name, _, value in lines if name}
        status = int(headers.pop("Status", "200").split()[0])
        self._end(status, headers, content)

    def _environ(self) -> dict[str, str]:
        """What git is told of the request, as by a CGI server."""
        path, _, query = self.path.partition("?")
        return {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }


@contextmanager
def serving(root: Path, folder: Path, token: str = "") -> Iterator[GitServer]:
    """Serve what is below `root`; with `token` only to who shows it, /files/ without git's help,
    and /moved/ redirects."""
    public, private = _certificate(folder)
    found = GitServer("", public)
    server = _Server(root, found, token)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found.url = f"https://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
