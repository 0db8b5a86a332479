"""What the worker of one instance has to run WebJobs with: its row, its launcher, its folders."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from django.db.models.functions import Lower

from webjobs import packages
from webjobs.models import AppSetting, EngineSettings, Instance, Run, Slot, WebJob
from webjobs.models.setting import lenient_engine_settings
from webjobs.runner import wine
from webjobs.runner.child import Child, Limits
from webjobs.runner.environment import (
    MARKER_VARIABLE,
    JobContext,
    build_environment,
    search_path,
)
from webjobs.runner.interpreters import (
    ArgumentsError,
    Interpreter,
    MissingInterpreter,
    available,
    command_for,
    split_arguments,
)
from webjobs.runner.launcher import Launcher, LaunchError, LeaseEnded
from webjobs.runner.program import lease_clock
from webjobs.runner.wine import Wine, WineError
from webjobs.runner.workdir import JobFiles, JobKey, WorkingCopy, Workspace, WorkspaceError
from webjobs.states import JobType, Stream

# What every process of an instance's jobs has in its environment, with the instance's key.
INSTANCE_VARIABLE = "WEBSITE_INSTANCE_ID"
# Seconds for which files outlive the rows of their WebJob: it may be the wrong database, or an
# older one that was restored.
KEEP_GONE = packages.KEPT_UNUSED.total_seconds()
# A value as short as this would turn every other word of a log into asterisks.
SHORTEST_SECRET = 4


class CannotStart(Exception):
    """A WebJob could not be started here; the message says why and what to do."""


class NotAllowed(CannotStart):
    """This instance lost the right to run it a moment ago; nothing is wrong with the WebJob."""


@dataclass(frozen=True)
class SlotSettings:
    """The app settings of a slot at one revision."""

    revision: int
    values: dict[str, str]
    secrets: tuple[bytes, ...]
    engine: EngineSettings


@dataclass(frozen=True)
class Prepared:
    """All that is needed to start a WebJob; as a context manager it gives the files back."""

    command: list[str]
    environment: dict[str, str]
    copy: WorkingCopy
    host: str
    settings: SlotSettings
    give_back: Callable[[], None]

    @property
    def engine(self) -> EngineSettings:
        return self.settings.engine

    @property
    def notes(self) -> Sequence[str]:
        """Lines for the log about the files."""
        return self.copy.changes

    @property
    def script_name(self) -> str:
        return self.copy.script.name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def release(self) -> None:
        """The execution is over; its files may go."""
        self.give_back()


class Machine:
    """This instance. Thread-safe. `instance` is another object under another epoch after it was
    declared lost; whoever has claimed something keeps the one that it claimed with."""

    def __init__(
        self,
        instance: Instance,
        launcher: Launcher,
        folder: Path,
        interpreters: dict[str, Interpreter],
    ) -> None:
        self.instance = instance
        self.workspace = Workspace(folder)
        self._cache = folder / "cache"
        self._wine = Wine(folder / "wine")
        self._launcher = launcher
        self._interpreters = interpreters
        self._search_path = search_path(os.environ.get("PATH", ""))
        self._slots: dict[int, SlotSettings] = {}
        self._lock = threading.Lock()
        self._runs_until = 0.0

    def interpreters(self) -> dict[str, str | None]:
        """Extension to the program that runs it here, or None."""
        return available(self._interpreters, self._search_path)

    def settings_of(self, slot: Slot) -> SlotSettings:
        """The settings of `slot`, read again when its revision changed."""
        known = self._slots.get(slot.pk)
        if known is not None and known.revision == slot.settings_revision:
            return known
        rows = list(AppSetting.objects.filter(slot=slot))
        values = {row.name: row.value for row in rows}
        hidden = tuple(
            row.value.encode()
            for row in rows
            if row.is_secret and len(row.value) >= SHORTEST_SECRET
        )
        fresh = SlotSettings(
            slot.settings_revision, values, hidden, lenient_engine_settings(values)
        )
        with self._lock:
            self._slots[slot.pk] = fresh
        return fresh

    def prepare_run(self, run: Run) -> Prepared:
        """Files, command and environment for a run. Raises CannotStart."""
        return self._prepare(run.job, str(run.number), run.arguments, None)

    def prepare_copy(self, job: WebJob) -> Prepared:
        """Files, command and environment for a continuous WebJob. Raises CannotStart."""
        return self._prepare(job, "", "", free_port())

    def _prepare(self, job: WebJob, run_id: str, arguments: str, port: int | None) -> Prepared:
        settings = self.settings_of(job.slot)
        try:
            copy = self.workspace.prepare(self._files(job))
        except (WorkspaceError, packages.PackageUnavailable) as error:
            raise CannotStart(str(error)) from error
        try:
            command = command_for(
                copy.script, split_arguments(arguments), self._interpreters, self._search_path
            )
        except (MissingInterpreter, ArgumentsError) as error:
            self.workspace.release(copy)
            raise CannotStart(str(error)) from error
        prefix = None
        if wine.is_wine(command[0]):
            prefix = self._new_prefix(command[0], copy)
        context = JobContext(
            app=job.slot.site_name,
            slot=job.slot.name,
            job_name=job.name,
            job_type=JobType(job.type),
            run_id=run_id,
            arguments=arguments,
            settings=settings.values,
            instance_id=self.instance.key,
            home=copy.home,
            working_dir=copy.folder,
            data_path=copy.data_path,
            temp_dir=copy.temp_dir,
            shutdown_file=copy.shutdown_file,
            port=port,
            marker=secrets.token_hex(16),
            extra=wine.environment(prefix) if prefix else {},
            windows_paths=prefix is not None,
        )

        def give_back() -> None:
            self.workspace.release(copy)
            if prefix is not None:
                self._wine.discard(prefix)

        host = self._interpreters[copy.script.suffix.lower()].host
        environment = build_environment(context, os.environ)
        return Prepared(command, environment, copy, host, settings, give_back)

    def _new_prefix(self, program: str, copy: WorkingCopy) -> Path:
        try:
            return self._wine.new_prefix(program, copy.temp_dir)
        except WineError as error:
            self.workspace.release(copy)
            raise CannotStart(str(error)) from error

    def make_ready(self) -> None:
        """Do in the background what would make the first WebJob of its kind wait."""
        self.workspace.sweep()
        self._wine.sweep()
        self.tidy_up()
        program = self.interpreters().get(".exe")
        if program and wine.is_wine(program) and WebJob.objects.living().for_windows().exists():
            self._wine.prepare_in_background(program)

    def tidy_up(self) -> None:
        """Delete fetched packages that were not used for long, and the files of WebJobs that are
        gone for long, as when this instance was away; call it now and then."""
        packages.trim_cache(self._cache, time.time())
        here = self.workspace.keys()
        existing = _existing(here)
        for key in existing:
            self.workspace.keep(key)
        for key in here - existing:
            if not _existing([key]):  # A new one of the name may have come.
                self.workspace.discard(key, KEEP_GONE)

    def _files(self, job: WebJob) -> JobFiles:
        package = job.package

        def open_package() -> IO[bytes]:
            return packages.local_path(package, self._cache).open("rb")

        return JobFiles(
            key=key_of(job),
            sha256=package.sha256,
            kind="zip" if package.kind == "zip" else "file",
            file_name=package.file_name,
            script=job.script,
            settings=job.settings_job,
            in_place=job.runs_in_place,
            open_package=open_package,
        )

    def allow_runs(self, instance: Instance, until: float) -> None:
        """Let runs that `instance` has claimed live until `until` on lease_clock."""
        self._runs_until = until
        self._launcher.renew([lease_of_runs(instance)], until)

    @property
    def may_run(self) -> bool:
        """Whether a run that is claimed now could be started."""
        return self._runs_until > lease_clock()

    def launch(
        self,
        prepared: Prepared,
        *,
        sink: Callable[[Stream, bytes, float], None],
        limits: Limits,
        lease: str = "",
    ) -> Child:
        """Start the process, under `lease` unless it is empty. Raises CannotStart; the files are
        given back then."""
        marker = f"{MARKER_VARIABLE}={prepared.environment[MARKER_VARIABLE]}"
        try:
            process = self._launcher.launch(
                prepared.command,
                cwd=prepared.copy.script.parent,
                env=prepared.environment,
                marker=marker,
                lease=lease,
            )
        except LeaseEnded as error:
            prepared.release()
            raise NotAllowed(str(error)) from error
        except LaunchError as error:
            prepared.release()
            raise CannotStart(str(error)) from error
        return Child(
            process,
            sink=sink,
            limits=limits,
            shutdown_file=prepared.copy.shutdown_file,
            secrets=prepared.settings.secrets,
        )

    def remove(self, job: WebJob) -> None:
        """Delete the files of a WebJob that is gone."""
        self.workspace.remove(key_of(job))


def _existing(keys: Collection[JobKey]) -> set[JobKey]:
    """Those of which a slot of the app has the WebJob, if only for a while. The files of another
    slot stay with it: it may be swapped back."""
    names = {key.job.casefold() for key in keys}
    jobs = WebJob.objects.annotate(folded=Lower("name")).filter(folded__in=names)
    columns = jobs.order_by().values_list("slot__app__name", "type", "folded")
    known = set(columns.distinct())
    return {key for key in keys if (key.app, key.job_type, key.job.casefold()) in known}


def lease_of_runs(instance: Instance) -> str:
    """What the guardian calls the right of `instance` to execute what it has claimed."""
    return f"runs-{instance.pk}-{instance.epoch}"


def key_of(job: WebJob) -> JobKey:
    """The name of the WebJob's folders."""
    return JobKey(job.slot.app.name, job.slot.name, JobType(job.type), job.name)


def free_port() -> int:
    """A loopback TCP port that was free a moment ago, for WEBJOBS_PORT or a debugger."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
