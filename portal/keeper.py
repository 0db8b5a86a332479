"""Keeps the processes of `manage.py up` alive and shows what they print as one stream.

Built on supervisor, which starts what dies again. Two things differ from its own program:

* On Linux the Python processes are forked from this one, which has loaded the portal already, and
  are not executed anew: they share its memory and are back within milliseconds.
* A process ends with this one, however this one died.
"""

from __future__ import annotations

import ctypes
import gc
import os
import runpy
import signal
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from setproctitle import setproctitle
from supervisor import events, loggers
from supervisor.datatypes import RestartUnconditionally
from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ProcessConfig, ProcessGroupConfig, ServerOptions
from supervisor.process import Subprocess
from supervisor.states import ProcessStates, SupervisorStates
from supervisor.supervisord import Supervisor

from portal.output import Output
from portal.processes import Process
from portal.watching import Heir, Probe, Wakeup

# A process that lives shorter than this is started again with a growing pause.
SETTLED_SECONDS = 1
LONGEST_PAUSE_SECONDS = 3
# Never give up: whatever is missing may come back.
TRIES = 1_000_000_000
# One Ctrl-C may arrive twice, from the terminal and from make; a second one comes later.
HURRY_AFTER_SECONDS = 0.3
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
PR_SET_PDEATHSIG = 1


def keep(processes: Sequence[Process], output: Output, probe: Probe) -> None:
    """Run `processes` until a signal asks to stop, then end them in order and return.

    The caller has closed its database connections and has no thread: it is forked.
    """
    for process in processes:
        output.leave_out(process.name, process.noise)
    gc.collect()
    gc.freeze()
    options = _Options(output, probe)
    options.process_group_configs = [_group(options, process) for process in processes]
    keeper = _Keeper(options)
    try:
        keeper.run()
    except ExitNow:
        return
    finally:
        signal.set_wakeup_fd(-1)
        # All is over; one more Ctrl-C may not turn that into a failure.
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)


class _Options(ServerOptions):
    """Supervisor's access to the system, without its files and servers."""

    nodaemon = True
    first = True
    test = False
    nocleanup = True
    strip_ansi = False
    serverurl = None
    minfds = 1024
    loglevel = loggers.LevelsByName.WARN

    def __init__(self, output: Output, probe: Probe) -> None:
        super().__init__()
        self.output = output
        self.logger = _logger(output)
        self._parent = os.getpid()
        self._wakeup = Wakeup()
        self._sockets: dict[int, object] = {self._wakeup.fd: self._wakeup}
        probe.watch(self._sockets)
        # Loaded here, because a child may not allocate much between fork and exec.
        self._libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
        self.heir = Heir(STOP_SIGNALS) if self._libc is None else None
        self.child: Process | None = None

    def openhttpservers(self, supervisord: Supervisor) -> None:
        """None: the keeper is asked by signals only."""

    def write_pidfile(self) -> None:
        """None: the lock of `up` has the process id."""

    def get_socket_map(self) -> dict[int, object]:
        return self._sockets

    def setpgrp(self) -> None:
        """In the child: its own group, so that Ctrl-C reaches the keeper only; and its end."""
        super().setpgrp()
        if self._libc is not None:
            self._libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self._parent:
            os._exit(1)

    def close_fd(self, fd: int) -> bool:
        if self.child is not None and fd in self.child.fds:
            return True
        return bool(super().close_fd(fd))

    def execve(self, filename: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """In the child: become the process, by running its module where forking is safe."""
        signal.set_wakeup_fd(-1)
        for number in (*STOP_SIGNALS, signal.SIGCHLD, signal.SIGUSR2):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if self.child is not None and self.child.module and self._libc is not None:
            _run_module(self.child)
        for fd in self.child.fds if self.child else ():
            os.set_inheritable(fd, True)
        super().execve(filename, argv, env)


def _run_module(process: Process) -> NoReturn:
    """Run it as `python -m` does; never returns into the copy of the keeper."""
    code = 1
    try:
        gc.enable()
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        setproctitle(f"webjobs-portal: {process.name}")
        sys.argv = [process.module, *process.arguments]
        runpy.run_module(process.module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if isinstance(error.code, str):
            sys.stderr.write(f"{error.code}\n")
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class _Kept(Subprocess):
    """One process under supervision."""

    def get_execv_args(self) -> tuple[str, list[str]]:
        command = self.config.process.command
        return command[0], command

    def _spawn_as_child(self, filename: str, argv: Sequence[str]) -> None:
        self.config.options.child = self.config.process
        super()._spawn_as_child(filename, argv)

    def _spawn_as_parent(self, pid: int) -> int:
        self.config.options.output.line(
            "up", f"{'started' if not self.backoff else 'starting again:'} {self.config.name}"
        )
        if self.config.options.heir:
            self.config.options.heir.lives(pid)
        return int(super()._spawn_as_parent(pid))

    def change_state(self, new_state: int, expected: bool = True) -> None:
        super().change_state(new_state, expected)
        if new_state == ProcessStates.BACKOFF:
            self.delay = time.time() + min(self.backoff, LONGEST_PAUSE_SECONDS)

    def finish(self, pid: int, status: int) -> None:
        super().finish(pid, status)
        if self.config.options.heir:
            self.config.options.heir.ended(pid)
        self.config.options.output.end(self.config.name)


class _Config(ProcessConfig):
    def make_process(self, group: Any = None) -> _Kept:
        kept = _Kept(self)
        kept.group = group
        return kept


class _Keeper(Supervisor):
    _asked_at = 0.0

    def runforever(self) -> None:
        events.subscribe(events.ProcessLogStdoutEvent, self._print)
        super().runforever()

    def _print(self, event: Any) -> None:
        self.options.output.write(event.process.config.name, event.data)

    def handle_signal(self) -> None:
        number = self.options.get_signal()
        if number not in STOP_SIGNALS:
            return
        now = time.monotonic()
        if self.options.mood >= SupervisorStates.RUNNING:
            self._asked_at = now
            self.options.mood = SupervisorStates.SHUTDOWN
            self.options.output.line("up", "stopping; press Ctrl-C again to end everything at once")
        elif now - self._asked_at > HURRY_AFTER_SECONDS:
            self._hurry()

    def _hurry(self) -> None:
        for group in self.process_groups.values():
            for kept in group.processes.values():
                if kept.pid:
                    kept.kill(signal.SIGKILL)

    def shutdown_report(self) -> list[Any]:
        return [
            kept
            for group in self.process_groups.values()
            for kept in group.get_unstopped_processes()
        ]


class _Handler(loggers.Handler):
    """Supervisor's own warnings, in the common stream."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output

    def emit(self, record: Any) -> None:
        self._output.line("up", str(record.msg))

    def close(self) -> None:
        """Nothing of its own to close."""


def _logger(output: Output) -> loggers.Logger:
    logger = loggers.Logger(loggers.LevelsByName.WARN)
    handler = _Handler(output)
    handler.setLevel(loggers.LevelsByName.WARN)
    logger.addHandler(handler)
    return logger


def _group(options: _Options, process: Process) -> ProcessGroupConfig:
    """A group of one, because supervisor starts and stops groups by priority."""
    nothing: dict[str, Any] = dict.fromkeys(ProcessConfig.req_param_names)
    config = _Config(
        options,
        **nothing
        | {
            "name": process.name,
            "command": process.command[0],
            "priority": process.order,
            "autostart": True,
            "autorestart": RestartUnconditionally,
            "startsecs": SETTLED_SECONDS,
            "startretries": TRIES,
            "stdout_events_enabled": True,
            "stopsignal": signal.SIGTERM,
            "stopwaitsecs": process.stop_seconds,
            "exitcodes": [],
            "redirect_stderr": True,
        },
    )
    config.process = process
    return ProcessGroupConfig(options, process.name, process.order, [config])
