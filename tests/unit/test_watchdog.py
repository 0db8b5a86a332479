"""A test process that stands still ends by itself, and tells where it was."""

from __future__ import annotations

import subprocess
import sys

from django.conf import settings

STANDS_STILL = """
import threading
from tests.support.watchdog import Watchdog

def never():
    threading.Event().wait()

watchdog = Watchdog(0.2)
with watchdog.watching("the one before"):
    pass
with watchdog.watching("test_one"):
    never()
"""


def test_what_stands_still_ends_with_its_stacks() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", STANDS_STILL],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "test_one stands still" in ended.stderr
    assert "in never" in ended.stderr
    assert "the one before" not in ended.stderr
