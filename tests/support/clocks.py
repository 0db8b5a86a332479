"""Clocks of single processes that jump or stand still, while the machine's own goes on."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.support.needs import require

_SOURCE = Path(__file__).with_name("clocks.c")


class Clock:
    """The wall clock of processes that are started with `environ`. Their children that get a
    clean environment, as jobs do, see the machine's."""

    def __init__(self, folder: Path) -> None:
        require("gcc")
        folder.mkdir(parents=True, exist_ok=True)
        library = folder / "clocks.so"
        command = ["gcc", "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCE)]
        subprocess.run(command, check=True)
        self._file = folder / "clock"
        self.environ = {"LD_PRELOAD": str(library), "CLOCK_FILE": str(self._file)}

    def shift(self, seconds: int) -> None:
        """Ahead of the machine's, or behind it."""
        self._set(f"+ {seconds}")

    def stop(self) -> None:
        """It stands still from now on."""
        self._set(f"= {int(time.time())}")

    def _set(self, text: str) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(text)
        fresh.rename(self._file)


def other_boot_time(seconds: int) -> list[str]:
    """What goes before a command so that its monotonic clocks are ahead, as on another machine.

    Skips where this user may not have them so.
    """
    command = ["unshare", "--time", f"--boottime={seconds}", f"--monotonic={seconds}"]
    tried = subprocess.run([*command, "true"], check=False, capture_output=True, text=True)
    if tried.returncode != 0:
        pytest.skip(f"no time namespace for this user ({tried.stderr.strip()}): run as root")
    return command
