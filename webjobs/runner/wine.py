"""Running Windows programs elsewhere: a private Wine prefix for every execution.

Programs that share a prefix share its servers, and those belong to whoever came first: when that
execution ends, its servers are killed and the others die with them. So every execution gets a
prefix of its own, copied in some milliseconds from one template per machine. Killing it at any
moment harms nobody else.
"""

from __future__ import annotations

import contextlib
import filecmp
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

from webjobs.reasons import gettext_noop
from webjobs.runner import tree
from webjobs.runner.environment import LANGUAGE

# The first start of Wine in an empty prefix takes 10 seconds on two idle cores.
CREATE_SECONDS = 180.0
_LIBRARIES = (
    "lib/wine/x86_64-windows",
    "lib/x86_64-linux-gnu/wine/x86_64-windows",
    "lib64/wine/x86_64-windows",
)
_SHARED_MARK = "complete"


_NO_PREFIX = gettext_noop(
    "Wine's folder for this run could not be made (%(why)s). Free some space on the disk of this "
    "instance and check the rights of its data folder."
)
_NO_TEMPLATE = gettext_noop(
    "Wine's folder could not be made (%(why)s). Free some space on the disk of this instance and "
    "check the rights of its data folder."
)
_TOO_SLOW = gettext_noop(
    'Wine did not get ready within %(time)s. Try "%(program)s wineboot" on this instance and see '
    "what it says."
)
_FAILED = gettext_noop('"%(program)s wineboot" failed with exit code %(code)s: %(output)s')


class WineError(Exception):
    """Wine could not be made ready; the message says why and what to do."""


class Wine:
    """The prefixes below `root`, a folder of this worker. Thread-safe."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()

    def prepare(self, program: str) -> Path:
        """The template for the Wine at `program`; made now if it is not there yet, which takes
        seconds, and others that ask meanwhile wait. Raises WineError.
        """
        template = self.root / f"template-{_version(program)}"
        with self._lock:
            if not (template / _SHARED_MARK).exists():
                self._create(program, template)
        return template

    def prepare_in_background(self, program: str) -> None:
        """Begin to make the template, so that the first run finds it."""

        def work() -> None:
            # Whoever needs Wine tries again and tells the reason then.
            with contextlib.suppress(WineError):
                self.prepare(program)

        threading.Thread(target=work, name="wine-template", daemon=True).start()

    def new_prefix(self, program: str, temp_dir: Path) -> Path:
        """A prefix for one execution whose temporary files go to `temp_dir`.

        Give it back with `discard`. Raises WineError.
        """
        template = self.prepare(program)
        prefix = self.root / f"run-{tree.random_name()}"
        try:
            _clone(template, prefix, temp_dir)
        except OSError as error:
            self.discard(prefix)
            raise WineError(_NO_PREFIX % {"why": error.strerror}) from error
        return prefix

    def discard(self, prefix: Path) -> None:
        """Delete the prefix of an execution that has ended."""
        _delete_server_folders(prefix)
        tree.delete(prefix)

    def sweep(self) -> None:
        """Delete the prefixes that a worker which died left behind."""
        for prefix in self.root.glob("run-*"):
            self.discard(prefix)

    def _create(self, program: str, template: Path) -> None:
        fresh = self.root / f"run-{tree.random_name()}"
        try:
            fresh.mkdir(parents=True)
            _boot(program, fresh)
            _delete_server_folders(fresh)
            _share_libraries(fresh, Path(program))
            (fresh / _SHARED_MARK).touch()
            for old in self.root.glob("template-*"):
                tree.delete(old)
            fresh.rename(template)
        except OSError as error:
            raise WineError(_NO_TEMPLATE % {"why": error.strerror or error}) from error
        finally:
            self.discard(fresh)


def environment(prefix: Path) -> dict[str, str]:
    """What a process in `prefix` needs; app settings may replace all but the prefix."""
    return {
        "WINEPREFIX": str(prefix),
        # Its own remarks are not output of the job.
        "WINEDEBUG": "-all",
        # In a language that is not installed it cannot even find its script.
        "LC_ALL": LANGUAGE,
        # No desktop menus: there is no desktop.
        "WINEDLLOVERRIDES": "winemenubuilder.exe=d",
    }


def is_wine(program: str) -> bool:
    """Whether a command's program is Wine, so that it needs a prefix."""
    return os.name != "nt" and Path(program).name.startswith("wine")


def _version(program: str) -> str:
    path = Path(program).resolve()
    what = path.stat()
    text = f"{path} {what.st_size} {what.st_mtime_ns}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _boot(program: str, prefix: Path) -> None:
    """Let Wine fill an empty prefix and wait for the end of all that it started."""
    environment_ = _boot_environment(program, prefix)
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603
            [program, "wineboot", "--init"],
            env=environment_,
            cwd=prefix,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(CREATE_SECONDS)
            _wineserver(environment_, "-w")
        except subprocess.TimeoutExpired as error:
            places = {"time": f"{CREATE_SECONDS:.0f} seconds", "program": program}
            raise WineError(_TOO_SLOW % places) from error
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            _wineserver(environment_, "-k")
        output.seek(0)
        words = output.read(2000).decode(errors="replace").strip()
    if code != 0 or not (prefix / "system.reg").exists():
        places = {"program": program, "code": str(code), "output": words or "-"}
        raise WineError(_FAILED % places)


def _boot_environment(program: str, prefix: Path) -> dict[str, str]:
    has_mono = any((folder / "mono").is_dir() for folder in _data_folders(Path(program)))
    # Without these Wine would offer to download Mono and Gecko, in a window nobody sees.
    overrides = "mshtml=" if has_mono else "mscoree,mshtml="
    return {
        **environment(prefix),
        "PATH": str(Path(program).parent) + os.pathsep + os.defpath,
        "HOME": str(prefix),
        "WINEDLLOVERRIDES": f"{overrides};winemenubuilder.exe=d",
    }


def _data_folders(program: Path) -> list[Path]:
    roots = dict.fromkeys((program.parent.parent, program.resolve().parent.parent))
    return [root / "share" / "wine" for root in roots]


def _wineserver(environment_: Mapping[str, str], option: str) -> None:
    server = shutil.which("wineserver", path=environment_["PATH"])
    if server is not None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(  # noqa: S603
                [server, option],
                env=dict(environment_),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=30,
                check=False,
            )


def _share_libraries(prefix: Path, program: Path) -> None:
    """Replace Wine's copies of its own libraries (700 MB) by links to where they came from."""
    roots = dict.fromkeys((program.parent.parent, program.resolve().parent.parent))
    folders = [root / name for root in roots for name in _LIBRARIES]
    sources = {
        path.name.lower(): path
        for folder in folders
        for path in tree.files_in(folder)
        if path.is_file()
    }
    for path in (prefix / "drive_c" / "windows").rglob("*"):
        source = sources.get(path.name.lower())
        if source is None or path.is_symlink() or not path.is_file():
            continue
        if filecmp.cmp(source, path, shallow=False):
            path.unlink()
            path.symlink_to(source)


def _clone(template: Path, prefix: Path, temp_dir: Path) -> None:
    """Own registry and user folders; the programs are shared."""
    drive = prefix / "drive_c"
    drive.mkdir(parents=True)
    for path in template.iterdir():
        if path.suffix == ".reg" or path.name == ".update-timestamp":
            shutil.copy2(path, prefix)
    shutil.copytree(template / "dosdevices", prefix / "dosdevices", symlinks=True)
    for path in (template / "drive_c").iterdir():
        if path.name != "users":
            (drive / path.name).symlink_to(path)
    shutil.copytree(template / "drive_c" / "users", drive / "users", symlinks=True)
    for temp in (drive / "users").glob("*/Temp"):
        temp.rmdir()
        temp.symlink_to(temp_dir)


def _delete_server_folders(prefix: Path) -> None:
    """Where the servers of `prefix` kept their sockets; a killed one leaves it behind."""
    folders = []
    # Debian's Wine notes the name of a folder of its own.
    name = tree.read_text(prefix / "wineserver")
    if name and name.startswith("wine-") and "/" not in name:
        folders.append(Path(tempfile.gettempdir()) / name.strip())
    with contextlib.suppress(OSError):
        what = prefix.stat()
        server = f"server-{what.st_dev:x}-{what.st_ino:x}"
        folders.append(Path(tempfile.gettempdir()) / f".wine-{os.getuid()}" / server)
        folders.append(Path("/run/user") / str(os.getuid()) / "wine" / server)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
