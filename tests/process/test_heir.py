"""Where the kernel does not end the children of a killed process, an heir does."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest
from django.conf import settings

from tests.support.poll import until

pytestmark = pytest.mark.own_database

PARENT = """
import os, signal, subprocess
from portal.watching import Heir

heir = Heir([signal.SIGTERM])
ended = subprocess.Popen(["true"], start_new_session=True)
heir.lives(ended.pid)
ended.wait()
heir.ended(ended.pid)
child = subprocess.Popen(["sleep", "60"], start_new_session=True, stdout=subprocess.DEVNULL)
heir.lives(child.pid)
print(child.pid, flush=True)
{end}
"""


def run_parent(end: str) -> psutil.Process:
    """Let a parent start a child and end as `end` says; returns the child."""
    parent = subprocess.run(
        [sys.executable, "-c", PARENT.format(end=end)],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
        timeout=30,
        check=False,
    )
    return psutil.Process(int(parent.stdout))


def test_a_child_ends_with_its_killed_parent() -> None:
    child = run_parent("os.kill(os.getpid(), signal.SIGKILL)")

    def has_ended() -> bool:
        return not child.is_running() or child.status() == psutil.STATUS_ZOMBIE

    until(has_ended, seconds=5, what="the end of the child")


def test_a_child_that_ended_in_order_is_left_alone() -> None:
    child = run_parent("heir.ended(child.pid)")
    try:
        # The heir has read everything and gone when the pipe of its output is closed.
        assert child.is_running()
    finally:
        child.kill()
