"""What the runner asks Linux about processes. Standard library only: the guardian imports it.

A process that is gone answers with nothing (empty, None, 0), never with an exception.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

# Fields of /proc/<pid>/stat after the name, counted from the state.
_PARENT = 1
_SESSION = 3
_TICKS = slice(11, 15)  # user, system, and both of the children waited for


class Procfs:
    """Reads a /proc file system; `usable` is False on machines that have none."""

    def __init__(self, root: str = "/proc") -> None:
        self._root = root
        self.usable = os.path.exists(f"{root}/self/stat")
        me = os.getpid()
        self._lists_children = os.path.exists(f"{root}/{me}/task/{me}/children")

    def all(self) -> list[int]:
        """Every process that can be seen."""
        return [int(name) for name in self._list("") if name.isdigit()]

    def children(self, pid: int) -> list[int]:
        """The direct children of a process, zombies included."""
        if not self._lists_children:
            return self._children_by_parent(pid)
        found: list[int] = []
        for task in self._list(f"{pid}/task"):
            found.extend(map(int, self._read(f"{pid}/task/{task}/children").split()))
        return found

    def tree(self, roots: Iterable[int]) -> list[int]:
        """The processes given and everything below them."""
        found: dict[int, None] = {}
        waiting = list(roots)
        while waiting:
            pid = waiting.pop()
            if pid not in found:
                found[pid] = None
                waiting.extend(self.children(pid))
        return list(found)

    def session(self, pid: int) -> int | None:
        fields = self._stat(pid)
        return int(fields[_SESSION]) if fields else None

    def environment(self, pid: int) -> list[bytes]:
        """`NAME=value` entries the process was started with; empty when it is not ours to read."""
        return self._read(f"{pid}/environ").split(b"\0")

    def ticks(self, pid: int) -> int:
        """CPU time used by the process and its children that ended, in clock ticks."""
        return sum(map(int, self._stat(pid)[_TICKS]))

    def catches(self, pid: int, number: int) -> bool:
        """Whether the process has a handler of its own for this signal."""
        for line in self._read(f"{pid}/status").splitlines():
            if line.startswith(b"SigCgt:"):
                return bool(int(line.split()[1], 16) >> (number - 1) & 1)
        return False

    def _children_by_parent(self, parent: int) -> list[int]:
        wanted = str(parent).encode()
        return [pid for pid in self.all() if self._stat(pid)[_PARENT : _PARENT + 1] == [wanted]]

    def _stat(self, pid: int) -> list[bytes]:
        # The name is in parentheses and may itself contain blanks and parentheses.
        return self._read(f"{pid}/stat").rpartition(b")")[2].split()

    def _list(self, path: str) -> list[str]:
        try:
            return os.listdir(f"{self._root}/{path}")
        except OSError:
            return []

    def _read(self, path: str) -> bytes:
        try:
            fd = os.open(f"{self._root}/{path}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            parts = []
            while part := os.read(fd, 65536):
                parts.append(part)
            return b"".join(parts)
        except OSError:
            return b""
        finally:
            os.close(fd)
