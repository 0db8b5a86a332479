"""Disks so small that a test can fill them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, kib: int = 1024) -> Iterator[None]:
    """A file system of its own in `folder`, which must not exist yet; skips where this user may
    not mount one."""
    folder.mkdir(parents=True)
    options = f"size={kib}k"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    mounted = subprocess.run(command, check=False, capture_output=True, text=True)
    if mounted.returncode != 0:
        folder.rmdir()
        reason = (
            f"a small disk cannot be mounted ({mounted.stderr.strip()}): run the tests as root, "
            "or with `unshare --map-root-user --mount python -m pytest`"
        )
        pytest.skip(reason)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def filled(folder: Path, room: int = 0) -> Iterator[None]:
    """No more than `room` bytes fit onto the disk of `folder` in the block."""
    ballast = folder / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file:
            for size in (64 * 1024, 4096, 1):
                _fill(file.fileno(), size)
            file.truncate(max(0, file.tell() - room))
        yield
    finally:
        ballast.unlink()


def _fill(descriptor: int, size: int) -> None:
    block = b"\0" * size
    try:
        while os.write(descriptor, block):
            pass
    except OSError:
        return
