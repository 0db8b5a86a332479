"""The guardian: a small process beside each worker that starts programs and outlives the worker.

It starts every program of the worker, collects every process that a program leaves behind, and
kills all of them as soon as the worker is gone, however the worker died. It is single-threaded,
waits for nothing but its poll, and is the only process that signals programs: a process number
can not be reused before the guardian has collected it.

A program may be started under a lease, a name with a deadline that the worker moves on. Once the
deadline has passed, every program under that lease is killed and no other can be started under
it: also when the worker is stopped, hangs, or cannot reach the database any more.

Requests come over a Unix socket, each a 4-byte length and words joined by NUL; a launch carries
four file descriptors: stdout, stderr, status, failure. Answers are lines on the status pipe of
the program: `pid N`, `usage N`, `expired N` (the lease was not renewed), and at the end `exit N`
or `signal N`. End of file without an end line means that the guardian was lost. A program that
could not be started writes `<what failed> <errno>` to its failure pipe, which otherwise is closed
by its start.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import time

from webjobs.runner.procfs import Procfs
from webjobs.runner.program import Program, become_subreaper, lease_clock, send_signal

# How long processes that outlive their program may go on, so that the `tee` of a shell's
# `> >(tee log)` can write its last lines.
LINGER_SECONDS = 2.0
# What can not be killed by then hangs in the kernel; its execution is not held up for ever.
GIVE_UP_SECONDS = 5.0
RECHECK_SECONDS = 0.02
DESCRIPTORS_PER_LAUNCH = 4
MAX_RECEIVED = 65536
# Leases run on a clock that also counts the sleep of the machine, but no poll can wait on it.
LEASE_CHECK_SECONDS = 1.0
# The guardian ends with its worker. Handled, not ignored: programs would inherit that.
OUTLASTED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ)


class Execution:
    """One program from its start until nothing of it is left."""

    __slots__ = ("code", "deadline", "id", "killing", "lease", "marker", "pid", "status")

    def __init__(self, id: bytes, pid: int, status: int, marker: bytes, lease: bytes) -> None:
        self.id = id
        self.lease = lease
        self.pid = pid
        self.status = status
        self.marker = marker
        self.code: int | None = None
        self.killing = False
        self.deadline = 0.0

    def tell(self, line: str) -> None:
        """Write a line for the worker, who may have stopped listening."""
        try:
            os.write(self.status, line.encode() + b"\n")
        except OSError:
            return


class Guardian:
    def __init__(self, control: socket.socket, proc: Procfs, open_files: int) -> None:
        self._control = control
        self._proc = proc
        self._open_files = open_files  # what programs are started with
        self._pid = os.getpid()
        self._buffer = bytearray()
        self._descriptors: list[int] = []
        self._by_id: dict[bytes, Execution] = {}
        self._by_pid: dict[int, Execution] = {}  # programs that run
        self._ended: list[Execution] = []  # programs that ended, but left processes
        self._orphans: dict[int, Execution | None] = {}
        self._suspects: dict[int, set[bytes]] = {}  # whose an orphan without a trace may be
        self._leases: dict[bytes, float] = {}  # deadlines on lease_clock

    def run(self) -> None:
        """Serve the worker until it is gone, then leave nothing behind."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        children = self._watch_children()
        poll.register(children, select.POLLIN)
        worker = self._watch_worker()
        if worker is not None:
            poll.register(worker, select.POLLIN)
        serving = True
        while serving:
            ready = {fd for fd, _ in poll.poll(self._patience())}
            if self._leases:
                self._expire()
            if children in ready:
                os.read(children, 4096)
                self._reap()
            elif self._ended:
                self._settle()
            if self._control.fileno() in ready:
                serving = self._receive()
            if worker in ready:
                serving = False
        self._kill_everything()

    def _patience(self) -> float | None:
        """Milliseconds until something is due; None: only a request or an end is."""
        if self._ended:
            return RECHECK_SECONDS * 1000
        if not self._leases:
            return None
        left = min(self._leases.values()) - lease_clock()
        return max(0.0, min(LEASE_CHECK_SECONDS, left)) * 1000 + 1

    def _watch_children(self) -> int:
        reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        return reader

    def _watch_worker(self) -> int | None:
        # The socket alone would not do: a process forked off the worker may hold it open.
        try:
            return os.pidfd_open(os.getppid())
        except (AttributeError, OSError):
            return None

    def _receive(self) -> bool:
        room = socket.CMSG_SPACE(4 * DESCRIPTORS_PER_LAUNCH)
        try:
            data, extra, _, _ = self._control.recvmsg(MAX_RECEIVED, room)
        except ConnectionError:
            return False
        for _, _, numbers in extra:
            for fd in memoryview(numbers).cast("i"):
                os.set_inheritable(fd, False)
                self._descriptors.append(fd)
        self._buffer += data
        while len(self._buffer) >= 4:
            end = 4 + int.from_bytes(self._buffer[:4], "big")
            if len(self._buffer) < end:
                break
            words = bytes(self._buffer[4:end]).split(b"\0")
            del self._buffer[:end]
            self._serve(words)
        return bool(data)

    def _serve(self, words: list[bytes]) -> None:
        if words[0] == b"launch":
            self._launch(words[1:])
            return
        if words[0] == b"until":
            self._renew(float(words[1]), words[2:])
            return
        execution = self._by_id.get(words[1])
        if execution is None:
            return
        if words[0] == b"usage":
            execution.tell(f"usage {self._usage(execution)}")
        elif words[0] == b"kill":
            self._start_killing(execution)
        else:
            self._terminate(execution, catching_only=words[0] == b"notify")

    def _launch(self, words: list[bytes]) -> None:
        out, err, status, failure = self._descriptors[:DESCRIPTORS_PER_LAUNCH]
        del self._descriptors[:DESCRIPTORS_PER_LAUNCH]
        id, marker, lease, cwd, count, *rest = words
        if lease and self._leases.get(lease, 0.0) <= lease_clock():
            os.write(failure, b"expired 0")
            for fd in (out, err, status, failure):
                os.close(fd)
            return
        program = Program(cwd, rest[: int(count)], rest[int(count) :], self._open_files)
        try:
            pid = os.fork()
        except OSError as error:
            os.write(failure, b"fork %d" % (error.errno or 0))
            os.close(status)
        else:
            if pid == 0:
                program.run(self._pid, out, err, failure)
            execution = Execution(id, pid, status, marker, lease)
            self._by_id[id] = self._by_pid[pid] = execution
            execution.tell(f"pid {pid}")
        for fd in (out, err, failure):
            os.close(fd)

    def _renew(self, until: float, leases: list[bytes]) -> None:
        """Move deadlines; what was killed for an older one stays killed."""
        self._expire()
        for lease in leases:
            self._leases[lease] = until

    def _expire(self) -> None:
        """Kill what runs under a lease whose deadline has passed."""
        now = lease_clock()
        for lease in [name for name, until in self._leases.items() if until <= now]:
            del self._leases[lease]
            for execution in list(self._by_id.values()):
                if execution.lease == lease and not execution.killing:
                    execution.tell("expired 1")
                    self._start_killing(execution)

    def _adopt(self) -> None:
        """Find the processes that lost their parents since we looked, and whose they are."""
        for pid in self._proc.children(self._pid):
            if pid in self._by_pid or pid in self._orphans:
                continue
            owner, stale = self._owner(pid)
            self._orphans[pid] = owner
            if stale or not self._by_id:
                self._kill_tree([pid])
            elif owner is None:
                self._suspects[pid] = set(self._by_id)

    def _owner(self, pid: int) -> tuple[Execution | None, bool]:
        """The execution an orphan belongs to, and whether it belongs to one that is over."""
        session = self._proc.session(pid)
        markers: dict[bytes, Execution] = {}
        for execution in self._by_id.values():
            if execution.pid == session:
                return execution, False
            markers[execution.marker] = execution
        names = {marker.partition(b"=")[0] for marker in markers}
        for entry in self._proc.environment(pid):
            if entry in markers:
                return markers[entry], False
            if entry.partition(b"=")[0] in names:
                return None, True
        return None, False

    def _leftovers(self, execution: Execution) -> list[int]:
        """The topmost processes that outlived the program (without /proc: its group)."""
        if self._proc.usable:
            return [pid for pid, owner in self._orphans.items() if owner is execution]
        return [-execution.pid] if send_signal(-execution.pid, 0) else []

    def _members(self, execution: Execution) -> list[int]:
        """Every process of the execution that we know of (without /proc: its group)."""
        if not self._proc.usable:
            return [-execution.pid]
        self._adopt()
        roots = self._leftovers(execution)
        if execution.code is None:
            roots.append(execution.pid)
        return self._proc.tree(roots)

    def _usage(self, execution: Execution) -> int | str:
        """A number that changes when the execution used CPU time or its processes changed."""
        if not self._proc.usable:
            return "unknown"
        members = sorted(self._members(execution))
        return hash((sum(map(self._proc.ticks, members)), *members))

    def _terminate(self, execution: Execution, catching_only: bool) -> None:
        if catching_only and self._proc.usable:
            members = self._members(execution)
            catching = [pid for pid in members if self._proc.catches(pid, signal.SIGTERM)]
            # A shell runs its trap only when the command it waits for has ended.
            targets = self._proc.tree(catching)
        else:
            targets = [-execution.pid]
        for pid in targets:
            send_signal(pid, signal.SIGTERM)
            send_signal(pid, signal.SIGCONT)

    def _start_killing(self, execution: Execution) -> None:
        execution.killing = True
        execution.deadline = min(execution.deadline, time.monotonic())
        if execution.code is None:
            send_signal(-execution.pid, signal.SIGKILL)
        self._kill_tree(self._members(execution))

    def _kill_tree(self, roots: list[int]) -> None:
        for pid in self._proc.tree(roots) if self._proc.usable else roots:
            send_signal(pid, signal.SIGKILL)

    def _reap(self) -> None:
        """Collect every child that ended, and settle the programs among them."""
        while True:
            try:
                pid, code = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            self._orphans.pop(pid, None)
            self._suspects.pop(pid, None)
            execution = self._by_pid.pop(pid, None)
            if execution is not None:
                execution.code = code
                linger = 0.0 if execution.killing else LINGER_SECONDS
                execution.deadline = time.monotonic() + linger
                self._ended.append(execution)
        if self._ended:
            self._settle()

    def _settle(self) -> None:
        """Finish the programs of which nothing is left; kill what outstayed its time."""
        if self._proc.usable:
            self._adopt()
        now = time.monotonic()
        for execution in self._ended[:]:
            left = self._leftovers(execution)
            if not left or now > execution.deadline + GIVE_UP_SECONDS:
                self._finish(execution)
            elif now >= execution.deadline:
                self._kill_tree(left)

    def _finish(self, execution: Execution) -> None:
        self._ended.remove(execution)
        del self._by_id[execution.id]
        code = os.waitstatus_to_exitcode(execution.code or 0)
        execution.tell(f"exit {code}" if code >= 0 else f"signal {-code}")
        os.close(execution.status)
        for pid, suspects in list(self._suspects.items()):
            suspects.discard(execution.id)
            if not suspects:
                self._kill_tree([pid])

    def _kill_everything(self) -> None:
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < deadline:
            for execution in [*self._by_pid.values(), *self._ended]:
                execution.killing = True
                execution.deadline = 0.0
                send_signal(-execution.pid, signal.SIGKILL)
            if self._proc.usable:
                self._kill_tree(self._proc.children(self._pid))
            self._reap()
            if not self._by_pid and not self._ended and not self._proc.children(self._pid):
                break
            time.sleep(RECHECK_SECONDS / 4)


def main() -> None:
    """Entry. Arguments: the number of the control socket, the place of /proc, and the soft limit
    of open files that programs are started with."""
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    for number in OUTLASTED:
        signal.signal(number, lambda *_: None)
    become_subreaper()
    gc.disable()  # nothing here makes cycles, and a collection would unshare the pages of forks
    gc.freeze()
    Guardian(control, Procfs(sys.argv[2]), int(sys.argv[3])).run()
