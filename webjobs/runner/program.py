"""Starting one program in a forked process. Standard library only: the guardian imports it."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import time
from typing import NoReturn

from webjobs.runner.open_files import lower_limit

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def _find_prctl() -> ctypes._NamedFuncPointer | None:
    try:
        return ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return None


_prctl = _find_prctl()


def become_subreaper() -> bool:
    """Have orphans among our descendants become our children. False where that is unknown."""
    return _prctl is not None and _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def lease_clock() -> float:
    """Seconds that pass also while the machine sleeps; the same in every process of it."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


def send_signal(pid: int, number: int) -> bool:
    """Signal a process (or, negative, a group); False when there is nobody to signal."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


class Program:
    """What is to be started. Made before the fork: after it, every step copies pages."""

    def __init__(
        self, cwd: bytes, command: list[bytes], entries: list[bytes], open_files: int
    ) -> None:
        self._cwd = cwd
        self._open_files = open_files
        self._command = command
        self._environment = dict(entry.split(b"=", 1) for entry in entries)
        name = command[0]
        search = self._environment.get(b"PATH", os.defpath.encode()).split(b":")
        self._paths = [name] if b"/" in name else [b"%s/%s" % (folder, name) for folder in search]

    def run(self, guardian: int, out: int, err: int, failure: int) -> NoReturn:
        """Become the program, in a forked process; on failure say so and exit.

        Signals need no care: the guardian handles and never ignores them, and exec resets that.
        """
        step = b"fork"
        try:
            os.setsid()
            if _prctl is not None:
                _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
                if os.getppid() != guardian:
                    os._exit(127)
            os.dup2(out, 1)
            os.dup2(err, 2)
            lower_limit(self._open_files)
            step = b"chdir"
            os.chdir(self._cwd)
            step = b"exec"
            self._exec()
        except OSError as error:
            os.write(failure, b"%s %d" % (step, error.errno or 0))
        finally:
            os._exit(127)

    def _exec(self) -> NoReturn:
        problem: OSError = FileNotFoundError(errno.ENOENT, "not found")
        for path in self._paths:
            try:
                os.execve(path, self._command, self._environment)  # noqa: S606
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                problem = error
        raise problem
