"""A real server that speaks S3 over HTTP, with signed requests, on a loopback port."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

from portal.config import Bucket
from tests.support.poll import until
from tests.support.portal import free_port

KEY_ID, SECRET_KEY = "portal", "correct-horse-9"


class S3Server:
    """`rclone serve s3` on `folder`: each folder in it is a bucket, each file an object."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "packages").mkdir()

    @property
    def is_up(self) -> bool:
        return self._process is not None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def bucket(self, name: str = "packages", prefix: str = "", secret: str = SECRET_KEY) -> Bucket:
        """How the portal reaches the bucket `name`."""
        return Bucket(name, prefix, self.url, "eu-test-1", KEY_ID, secret)

    def start(self) -> None:
        program = Path(sys.executable).parent / "rclone"
        self._process = subprocess.Popen(
            [program if program.exists() else shutil.which("rclone") or "rclone",
             "serve", "s3", "--config", "/dev/null", "--addr", f"127.0.0.1:{self.port}",
             "--auth-key", f"{KEY_ID},{SECRET_KEY}", "--vfs-cache-mode", "off",
             "--dir-cache-time", "10s", str(self.folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(self._answers, seconds=30, what="the S3 server")

    def stop(self) -> None:
        """Nothing listens any more; what was stored stays."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        assert self._process and self._process.poll() is None, "rclone has ended"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True
