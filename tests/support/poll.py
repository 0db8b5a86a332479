"""Waiting for something that another process or thread does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(
    probe: Callable[[], T | None], *, seconds: float = 10, what: str = "", every: float = 0.02
) -> T:
    """Call `probe` until it returns something true and return that; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"Not within {seconds} s: {what or probe}; last seen: {value!r}")
        time.sleep(every)
