"""When a continuous job that went down is started again."""

from __future__ import annotations

from dataclasses import dataclass

# Whoever lived this long is restarted at once; the same value as Azure's warm-up time.
STEADY_SECONDS = 120.0
CRASH_LOOP_AFTER = 5


@dataclass(frozen=True)
class Restart:
    """What to do after an end: seconds to wait, and the count to hand in at the next end."""

    wait: float
    fast_failures: int

    @property
    def crash_looping(self) -> bool:
        return self.fast_failures >= CRASH_LOOP_AFTER


def restart_wait(lived: float, failed: bool, fast_failures: int, restart_time: float) -> Restart:
    """The restart after a process lived `lived` seconds. Never gives up.

    `failed`: it exited with another code than 0, by a signal, or could not be started.
    `fast_failures`: failures in a row up to now of which none lived STEADY_SECONDS.
    """
    if lived >= STEADY_SECONDS:
        return Restart(wait=0.0, fast_failures=0)
    return Restart(wait=restart_time, fast_failures=fast_failures + 1 if failed else 0)
