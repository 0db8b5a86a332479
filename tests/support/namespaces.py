"""Programs with a network of their own, as on another machine."""

from __future__ import annotations

import shutil
import subprocess

import pytest

# Brings its loopback up, and becomes the program that follows.
_ALONE = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


def alone() -> list[str]:
    """What goes before a command that is to reach nothing but its own loopback, and whose ports
    nobody else reaches; files and Unix sockets are as before. Skips where that is not allowed."""
    is_here = shutil.which("unshare") and shutil.which("ip")
    if (
        is_here
        and subprocess.run([*_ALONE, "true"], capture_output=True, check=False).returncode == 0
    ):
        return _ALONE
    pytest.skip(
        "No network namespace can be made: run as root with apt-get install iproute2 util-linux; "
        "in Docker with --cap-add SYS_ADMIN --cap-add NET_ADMIN"
    )
