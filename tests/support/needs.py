"""What a test needs from the machine, and what to do when it is not there.

A missing program skips the test and names the command that brings it. With REQUIRE_ALL=1, as in
continuous integration, it is a failure: a test that nobody runs protects nothing.
"""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

# Program -> Debian package; None: Debian has none, so this one may always be skipped.
PACKAGES: dict[str, str | None] = {
    "chromium": "chromium",
    "gcc": "gcc",
    "java": "default-jre-headless",
    "node": "nodejs",
    "php": "php-cli",
    "pwsh": None,
    "sshd": "openssh-server",
    "wine": "wine",
}

# Servers are not in everybody's PATH.
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def needs(*programs: str) -> pytest.MarkDecorator:
    """Mark a test or a class that runs only where all `programs` are installed."""
    for program in programs:
        PACKAGES[program]
    return pytest.mark.needs(*programs)


def require(*programs: str) -> None:
    """The same inside a test: skip it, or fail it under REQUIRE_ALL=1, when one is missing."""
    for program in programs:
        if shutil.which(program, path=f"{os.environ.get('PATH', '')}:{SBIN}") is None:
            _refuse(program)


def _refuse(program: str) -> NoReturn:
    package = PACKAGES[program]
    if package is None:
        pytest.skip(f"{program} is not installed, and Debian has no package of it")
    reason = f"{program} is not installed: apt-get install {package}"
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
