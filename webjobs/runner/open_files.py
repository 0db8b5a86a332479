"""How many files a process may have open: as many as it is let for the engine, as many as ever for
its programs.

A job costs its worker a few descriptors, so the usual 1,024 end at some 340 jobs. Programs keep
that number all the same: who uses select() is undone by a descriptor beyond it, and old daemons
close every one that there could be. Standard library only: the guardian imports this.
"""

from __future__ import annotations

import os
import resource

_WHAT = resource.RLIMIT_NOFILE
_ours = (-1, -1)  # the process that raised it, and what it was there before


def raise_limit() -> None:
    """Let this process open as many files as its hard limit says."""
    global _ours
    before, hard = resource.getrlimit(_WHAT)
    if before != hard:
        resource.setrlimit(_WHAT, (hard, hard))
        _ours = (os.getpid(), before)


def limit_of_programs() -> int:
    """The soft limit that programs are started with: what it was before `raise_limit`."""
    pid, before = _ours
    return before if pid == os.getpid() else resource.getrlimit(_WHAT)[0]


def lower_limit(soft: int) -> None:
    """Give a forked process the soft limit of a program, which may raise it again."""
    resource.setrlimit(_WHAT, (soft, resource.getrlimit(_WHAT)[1]))
