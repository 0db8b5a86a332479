"""The end of a test process that stands still.

The time limit of a test makes it fail, once. What hangs after that, such as the end of a fixture,
would hold up the whole run; pytest's own faulthandler_timeout does not help, because a failure
cancels it.
"""

from __future__ import annotations

import faulthandler
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# A test, its second and third try and the ends of all fixtures; nothing real takes as long.
SECONDS = 480.0


class Watchdog:
    """Made while nothing captures what is written to stderr."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._stderr = os.dup(2)

    @contextmanager
    def watching(self, name: str) -> Iterator[None]:
        """Within the block the process must get on, or it shows where it is and ends."""
        timer = threading.Timer(self._seconds, self._give_up, [name])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _give_up(self, name: str) -> None:
        os.write(self._stderr, f"\n{name} stands still; all threads:\n".encode())
        faulthandler.dump_traceback(self._stderr)
        os._exit(1)
