"""The environment of a job's process: all that Azure sets, and nothing of the portal's own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from webjobs.states import JobType

IS_WINDOWS = os.name == "nt"
# Our own mark of one execution; whatever carries it belongs to it and dies with it.
MARKER_VARIABLE = "WEBJOBS_EXECUTION_MARKER"
# The same wherever the portal was started from, and always UTF-8, in which logs are read.
LANGUAGE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
_RUNNING = {
    JobType.TRIGGERED: "WEBSITE_TRIGGERED_JOB_RUNNING_",
    JobType.CONTINUOUS: "WEBSITE_ALWAYS_ON_JOB_RUNNING_",
}
_SYSTEM_PATH = (
    "/opt/homebrew/bin",
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
)
# Without these, programs do not start on Windows. None of them is a secret.
_WINDOWS_BASE = (
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "WINDIR",
    "COMSPEC",
    "PATHEXT",
    "OS",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "PROGRAMFILES(X86)",
    "PROGRAMW6432",
    "COMMONPROGRAMFILES",
    "NUMBER_OF_PROCESSORS",
    "PROCESSOR_ARCHITECTURE",
)


@dataclass(frozen=True)
class JobContext:
    """One execution of a job, as its process shall see it.

    `run_id` is empty for a continuous job, `port` is None for a triggered one; `arguments` is the
    text as it was given. `settings` are the app settings. `extra` are defaults that app settings
    may replace, such as those of Wine. `marker` is unique to this execution.
    """

    app: str
    slot: str
    job_name: str
    job_type: JobType
    run_id: str
    arguments: str
    settings: Mapping[str, str]
    instance_id: str
    home: Path
    working_dir: Path
    data_path: Path
    temp_dir: Path
    shutdown_file: Path
    port: int | None
    marker: str
    hostname: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    windows_paths: bool = False  # Under Wine: drive Z: is the root of this machine.


def build_environment(ctx: JobContext, base: Mapping[str, str]) -> dict[str, str]:
    """The whole environment for the process; of `base` only the search path (on Windows: and
    what the system needs) goes in.

    App settings win over defaults, and what describes the job wins over app settings. A setting
    that no process can receive (empty name, "=" or NUL in it) is left out.
    """
    environment = _defaults(ctx, base)
    for name, value in ctx.settings.items():
        if name and "=" not in name and "\0" not in name + value:
            environment[name] = value
            environment[f"APPSETTING_{name}"] = value
    environment.update(_job_variables(ctx))
    return environment


def marker_entry(ctx: JobContext) -> str:
    """The environment entry, `NAME=value`, that no other execution has."""
    return f"{MARKER_VARIABLE}={ctx.marker}"


def _defaults(ctx: JobContext, base: Mapping[str, str]) -> dict[str, str]:
    temp = str(ctx.temp_dir)
    defaults = {
        "PATH": search_path(base.get("PATH", "")),
        "LANG": LANGUAGE,
        "HOME": str(ctx.home),
        "TMPDIR": temp,
        "TEMP": temp,
        "TMP": temp,
        # Output shall be seen while the job runs, in the encoding in which logs are read.
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        **ctx.extra,
    }
    if IS_WINDOWS:
        defaults["HOMEDRIVE"] = ctx.home.drive
        defaults["HOMEPATH"] = str(ctx.home)[len(ctx.home.drive) :]
        defaults["USERPROFILE"] = str(ctx.home)
        defaults.update({name: base[name] for name in _WINDOWS_BASE if name in base})
    return defaults


def _job_variables(ctx: JobContext) -> dict[str, str]:
    variables = {
        "WEBROOT_PATH": _path(ctx, ctx.home / "site" / "wwwroot"),
        "WEBSITE_SITE_NAME": ctx.app,
        "WEBSITE_SLOT_NAME": ctx.slot,
        "WEBSITE_INSTANCE_ID": ctx.instance_id,
        "WEBJOBS_PATH": _path(ctx, ctx.working_dir),
        "WEBJOBS_NAME": ctx.job_name,
        "WEBJOBS_TYPE": ctx.job_type.value,
        "WEBJOBS_DATA_PATH": _path(ctx, ctx.data_path),
        "WEBJOBS_RUN_ID": ctx.run_id,
        "WEBJOBS_COMMAND_ARGUMENTS": ctx.arguments,
        "WEBJOBS_SHUTDOWN_FILE": _path(ctx, ctx.shutdown_file),
        f"{_RUNNING[ctx.job_type]}{ctx.job_name}": "true",
        MARKER_VARIABLE: ctx.marker,
    }
    if ctx.hostname:
        variables["WEBSITE_HOSTNAME"] = ctx.hostname
    if ctx.port is not None:
        variables["WEBJOBS_PORT"] = str(ctx.port)
    return variables


def _path(ctx: JobContext, path: Path) -> str:
    return "Z:" + str(path).replace("/", "\\") if ctx.windows_paths else str(path)


def search_path(base: str) -> str:
    """PATH for jobs: `base` without virtual environments and relative folders, with the system's
    own folders behind it.
    """
    own = (sys.prefix,) if sys.prefix != sys.base_prefix else ()
    return _search_path(base, own)


@lru_cache(maxsize=8)
def _search_path(base: str, left_out: Sequence[str]) -> str:
    folders = [folder for folder in base.split(os.pathsep) if _is_wanted(folder, left_out)]
    if not IS_WINDOWS:
        folders += [folder for folder in _SYSTEM_PATH if os.path.isdir(folder)]
    return os.pathsep.join(dict.fromkeys(folders))


def _is_wanted(folder: str, left_out: Sequence[str]) -> bool:
    path = Path(folder)
    if not path.is_absolute() or any(path.is_relative_to(prefix) for prefix in left_out):
        return False
    return not (path.parent / "pyvenv.cfg").exists()
