"""Git on bare repositories that live for a moment: fetch one commit and read it, nothing else.

What a stranger's repository holds is only ever read as data. There is no working tree, so no
filter, attribute, hook, link or submodule of it can act; git itself gets a configuration of our
own in place of all others, one protocol, no prompt, and limits on time, memory and bytes.
"""

from __future__ import annotations

import base64
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from webjobs.runner.git_errors import MISSING, TIMEOUT, TOO_MUCH, GitError, from_output

# The wire, and what git may use of the machine for one command.
LOOK_SECONDS = 20
MEMORY = 4 * 1024**3
CPU_SECONDS = 120
# Seconds between two calls of `tick` while git works.
TICK = 2.0
_DEPLOYED = "refs/heads/deployed"
# Sets the limits in the child, where it harms nobody, and lets it die with whoever started it.
_LAUNCH = """
import os, resource, signal, sys
size, memory, seconds, parent = (int(text) for text in sys.argv[1:5])
try:
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
except Exception:
    # Not on Linux, or where a service may not use ctypes.
    pass
for name, limit in (("FSIZE", size), ("AS", memory), ("CPU", seconds), ("CORE", 0)):
    try:
        resource.setrlimit(getattr(resource, "RLIMIT_" + name), (limit, limit))
    except (OSError, ValueError):
        pass
# Python lets it pass, and git would go on although nothing is written any more.
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
os.execv(sys.argv[5], sys.argv[5:])
"""


@dataclass(frozen=True)
class Remote:
    """One branch of a repository elsewhere. `url` was checked by `webjobs.runner.git_address`."""

    url: str
    protocol: str  # https, ssh or file
    branch: str
    user_name: str = ""
    secret: str = field(default="", repr=False)  # a token for https, a private key for ssh
    known_hosts: str = ""


@dataclass(frozen=True)
class Limits:
    """`size`: bytes that may be fetched; `seconds`: for one command."""

    size: int
    seconds: float = 180


def _nothing() -> None:
    """Nobody wants to know that time passes."""


class Git:
    """A bare repository in `folder`, which is nobody else's."""

    def __init__(self, folder: Path, limits: Limits, tick: Callable[[], None] = _nothing) -> None:
        self.path = folder / "repository.git"
        self._folder = folder
        self._limits = limits
        self._tick = tick

    @property
    def known_hosts(self) -> str:
        """The keys of hosts that ssh knows by now."""
        with suppress(FileNotFoundError):
            return (self._folder / "known_hosts").read_text(encoding="utf-8")
        return ""

    def init(self, config: str = "") -> None:
        """Make the repository; `config` is more of git's configuration."""
        self._configure(config)
        self.run("init", "--quiet", "--bare", "--template=", "--", str(self.path), inside=False)

    def newest(self, remote: Remote) -> str:
        """The commit at the end of the branch, as a hexadecimal name. Raises GitError."""
        self._reach(remote)
        wanted = f"refs/heads/{remote.branch}"
        out = self.run(
            "ls-remote", "--quiet", "--heads", "--", remote.url, wanted,
            inside=False, seconds=LOOK_SECONDS,
        )  # fmt: skip
        for line in out.decode("utf-8", "replace").splitlines():
            commit, _, name = line.partition("\t")
            if name == wanted:
                return commit
        raise from_output(b"no such branch", self._limits.size)

    def fetch(self, remote: Remote) -> str:
        """Fetch the branch's last commit without its history; returns the commit's name."""
        self._reach(remote)
        # The local transport cannot cut history off; its files are on this machine anyway.
        self.run(
            "fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules",
            "--no-write-fetch-head", "--", f"file://{remote.url}"
            if remote.protocol == "file" else remote.url,
            f"+refs/heads/{remote.branch}:{_DEPLOYED}",
        )  # fmt: skip
        return self.run("rev-parse", "--verify", "--quiet", _DEPLOYED).decode().strip()

    def run(
        self, *arguments: str, inside: bool = True, seconds: float = 0, most: int = 1024**2
    ) -> bytes:
        """What git prints, at most `most` bytes; raises GitError."""
        with tempfile.TemporaryFile(dir=self._folder) as out:
            self._run_into(out, arguments, None, inside, seconds)
            out.seek(0)
            printed = out.read(most + 1)
        if len(printed) > most:
            raise GitError("too_many", TOO_MUCH)
        return printed

    def run_to_file(self, target: Path, *arguments: str, data: Path | None = None) -> None:
        """The same where much is printed."""
        with target.open("wb") as out:
            self._run_into(out, arguments, data, inside=True, seconds=0)

    def feed(self, *arguments: str, data: Path, offset: int) -> None:
        """Let git read the file `data` from `offset` on."""
        with open(os.devnull, "wb") as out:
            self._run_into(out, arguments, data, inside=True, seconds=0, offset=offset)

    def _run_into(
        self,
        out: IO[bytes],
        arguments: Sequence[str],
        data: Path | None,
        inside: bool,
        seconds: float,
        offset: int = 0,
    ) -> None:
        place = [f"--git-dir={self.path}"] if inside else []
        with (
            tempfile.TemporaryFile(dir=self._folder) as err,
            open(data or os.devnull, "rb") as source,
        ):
            os.lseek(source.fileno(), offset, os.SEEK_SET)
            process = subprocess.Popen(  # noqa: S603
                self._command([*place, *arguments]),
                stdin=source, stdout=out, stderr=err,
                cwd=self._folder, env=self._environment(), start_new_session=True,
            )  # fmt: skip
            self._wait(process, seconds or self._limits.seconds)
            if process.returncode:
                err.seek(0)
                more = f"\nsignal {-process.returncode}"
                # What reads a pack dies of it without a word.
                more += "\nFile too large" if self._is_full() else ""
                raise from_output(err.read(64 * 1024) + more.encode(), self._limits.size)

    def _is_full(self) -> bool:
        packs = (self.path / "objects" / "pack").glob("*")
        return any(path.stat().st_size >= self._limits.size for path in packs)

    def _command(self, arguments: Sequence[str]) -> list[str]:
        git = shutil.which("git")
        if git is None:
            raise GitError("missing", MISSING)
        limits = [self._limits.size, MEMORY, CPU_SECONDS, os.getpid()]
        launch = [sys.executable, "-I", "-S", "-c", _LAUNCH, *map(str, limits)]
        return [*launch, git, "--no-replace-objects", *arguments]

    def _wait(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        try:
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise GitError("timeout", TIMEOUT, seconds=int(seconds))
                with suppress(subprocess.TimeoutExpired):
                    process.wait(min(TICK, left))
                    return
                self._tick()
        finally:
            # Its helpers are in its group, and end with it however it ended.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _environment(self) -> dict[str, str]:
        """All that git sees of ours."""
        kept = {name: os.environ[name] for name in ("PATH", "GIT_SSL_CAINFO") if name in os.environ}
        return kept | {
            "HOME": str(self._folder),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(self._folder / "config"),
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "true",
            "SSH_ASKPASS_REQUIRE": "never",
            "GIT_SSH_COMMAND": self._ssh(),
            "GIT_SSH_VARIANT": "ssh",
            "GIT_OPTIONAL_LOCKS": "0",
        }

    def _ssh(self) -> str:
        known = self._folder / "known_hosts"
        options = {
            "BatchMode": "yes",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "IdentityFile": f'"{self._folder / "key"}"',
            "UserKnownHostsFile": f'"{known}"',
            "GlobalKnownHostsFile": os.devnull,
            # The first contact tells the key, all later ones must show the same.
            "StrictHostKeyChecking": "yes" if known.exists() else "accept-new",
            "UpdateHostKeys": "no",
            "HashKnownHosts": "no",
            "ClearAllForwardings": "yes",
            "PermitLocalCommand": "no",
            "ProxyCommand": "none",
            "ControlMaster": "no",
            "ControlPath": "none",
            "ConnectTimeout": "15",
        }
        parts = ["ssh", "-F", os.devnull]
        for name, value in options.items():
            parts += ["-o", f"{name}={value}"]
        return shlex.join(parts)

    def _reach(self, remote: Remote) -> None:
        """Let git speak with `remote`, and with nothing else."""
        lines = [f'[protocol "{remote.protocol}"]', "allow = always"]
        if remote.protocol == "file":
            lines += ["[safe]", f"directory = {_quoted(remote.url)}"]
            lines += [f"directory = {_quoted(remote.url.rstrip('/') + '/.git')}"]
        if remote.protocol == "https" and remote.secret:
            pair = f"{remote.user_name or 'git'}:{remote.secret}".encode()
            header = "Authorization: Basic " + base64.b64encode(pair).decode()
            lines += ["[http]", f"extraHeader = {_quoted(header)}"]
        if remote.protocol == "ssh":
            self._write("key", remote.secret.rstrip("\n") + "\n")
            if remote.known_hosts:
                self._write("known_hosts", remote.known_hosts)
        self._configure("\n".join(lines))

    def _configure(self, more: str) -> None:
        self._write("config", _CONFIG + more + "\n")

    def _write(self, name: str, text: str) -> None:
        path = self._folder / name
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)


def _quoted(text: str) -> str:
    """As git's configuration wants it; no line breaks come here."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_CONFIG = """\
[core]
hooksPath = /dev/null
attributesFile = /dev/null
fsmonitor = false
bigFileThreshold = 1m
packedGitLimit = 256m
[protocol]
allow = never
[credential]
helper =
[http]
followRedirects = false
lowSpeedLimit = 1000
lowSpeedTime = 30
[fetch]
unpackLimit = 1
recurseSubmodules = false
[receive]
unpackLimit = 1
autogc = false
[submodule]
recurse = false
[transfer]
bundleURI = false
[gc]
auto = 0
[maintenance]
auto = false
[pack]
threads = 1
"""


@contextmanager
def temporary(parent: Path, limits: Limits, tick: Callable[[], None] = _nothing) -> Iterator[Git]:
    """A repository in a folder of its own below `parent`, which is gone afterwards."""
    remove_leftovers(parent)
    with tempfile.TemporaryDirectory(
        prefix=_PREFIX, dir=parent, ignore_cleanup_errors=True
    ) as folder:
        yield Git(Path(folder), limits, tick)


_PREFIX = "git-"
_LEFT_AFTER = 6 * 3600.0


def remove_leftovers(parent: Path) -> None:
    """What processes that were killed have left below `parent` hours ago."""
    for path in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _LEFT_AFTER:
                shutil.rmtree(path, ignore_errors=True)
