"""The folder and the key of an instance: each belongs to one worker process at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
from dataclasses import dataclass
from itertools import count
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """A folder that is locked for as long as this process lives, and the key that is kept in it.

    `number` is 1 for the folder that was asked for, 2 for the next one, and so on.
    """

    folder: Path
    key: str
    number: int
    lock: int

    def leave(self) -> None:
        """Let another worker have it."""
        os.close(self.lock)

    def change_key(self) -> None:
        """Whoever comes here next is another instance."""
        (self.folder / "key").unlink(missing_ok=True)


def move_in(wanted: Path) -> Home:
    """The first free one of `wanted`, `wanted`-2, `wanted`-3...

    Several workers that share a data directory, by mistake or as replicas on one volume, are
    several instances.
    """
    for number in count(1):
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        lock = _lock(folder)
        if lock is not None:
            return Home(folder, _key(folder), number, lock)
    raise AssertionError("count() does not end")


def _lock(folder: Path) -> int | None:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _key(folder: Path) -> str:
    """32 hexadecimal digits, made once."""
    path = folder / "key"
    try:
        key = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        key = ""
    if not key:  # Empty: the machine stopped before it was on disk.
        key = secrets.token_hex(16)
        fresh = path.with_name("key.new")
        fresh.write_text(key, encoding="ascii")
        fresh.replace(path)
    return key
