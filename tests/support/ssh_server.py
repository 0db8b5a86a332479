"""A real OpenSSH server for this user alone, with host keys of its own, that serves git only."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.support.needs import SBIN
from tests.support.poll import until
from tests.support.portal import free_port

# Where sshd locks up what speaks with strangers when it is root; a service would make it.
_LOCK_UP = Path("/run/sshd")
_CONFIG = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_{kind}
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin forced-commands-only
StrictModes no
UsePAM no
"""
# As servers of repositories do it: whatever is asked for goes through git's own narrow shell.
_ONLY_GIT = 'git-shell -c \\"$SSH_ORIGINAL_COMMAND\\"'


@dataclass
class SshServer:
    """`url` + the path of a repository is an address of it."""

    folder: Path
    port: int
    kind: str = "ed25519"
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        return (self.folder / "sshd.log").read_text(errors="replace")

    @property
    def host_key(self) -> str:
        """What a client should remember of it, without the host's name."""
        kind, key, *_ = (self.folder / f"host_{self.kind}.pub").read_text().split()
        return f"{kind} {key}"

    def allow(self, public_keys: Sequence[str], command: str = _ONLY_GIT) -> None:
        """From now on the owners of these keys, and nobody else, may use git."""
        lines = [f'restrict,command="{command}" {key}\n' for key in public_keys]
        (self.folder / "authorized_keys").write_text("".join(lines))

    def start(self, kind: str = "ed25519") -> None:
        """Returns when it listens; the first time, and after `forget_key`, its key is new."""
        self.kind = kind
        key = self.folder / f"host_{kind}"
        if not key.exists():
            command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(key)]
            subprocess.run(command, check=True, timeout=30)
        (self.folder / "config").write_text(
            _CONFIG.format(port=self.port, folder=self.folder, kind=kind)
        )
        if os.geteuid() == 0:
            _LOCK_UP.mkdir(mode=0o755, exist_ok=True)
        sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:{SBIN}")
        assert sshd, "sshd is not installed"
        with (self.folder / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sshd, "-D", "-e", "-f", str(self.folder / "config")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        until(self._listens, what="sshd listens")

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.said
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """End it, with the connections that it serves."""
        if self._process is None:
            return
        # Each connection has a session of its own.
        sshd = psutil.Process(self._process.pid)
        for process in [sshd, *sshd.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait(timeout=10)
        self._process = None

    def forget_key(self) -> None:
        """As after an installation from scratch, or with somebody else in its place."""
        for path in self.folder.glob("host_*"):
            path.unlink()


@contextmanager
def serving(folder: Path) -> Iterator[SshServer]:
    """A server that lets nobody in yet."""
    folder.mkdir(mode=0o700)
    server = SshServer(folder, free_port())
    server.allow([])
    server.start()
    try:
        yield server
    finally:
        server.stop()
