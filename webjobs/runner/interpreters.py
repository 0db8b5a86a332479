"""Which program runs which type of file, and whether this machine has it."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from webjobs.reasons import Param, Reason, gettext_noop

IS_WINDOWS = os.name == "nt"
WINDOWS_EXTENSIONS = (".cmd", ".bat", ".exe")
_SCRIPT = "{script}"
# A newly installed interpreter is seen after this many seconds.
_LOOKUP_SECONDS = 5.0
# Signs that `cmd` acts on even inside an argument; there is no way to quote all of them.
_CMD_SIGNS = frozenset('&|<>^%"\r\n')


class MissingInterpreter(Exception):
    """This machine has no program for a script; the message names it and how to get it."""


class ArgumentsError(Reason, ValueError):
    """Arguments that cannot be passed on; the message says why."""

    def __init__(self, text: str, **params: Param) -> None:
        super().__init__("arguments", text, **params)


@dataclass(frozen=True)
class Interpreter:
    """How files of one type are run.

    The first of `programs` that exists is started with `arguments`, in which "{script}" stands
    for the script; with no programs the script starts itself. `host` is Azure's name for it in
    the log of a run.
    """

    extension: str
    name: str
    host: str
    programs: tuple[str, ...]
    arguments: tuple[str, ...]
    how_to_get: str

    @property
    def template(self) -> str:
        """The command as an administrator would write it in the setting."""
        return " ".join(["|".join(self.programs), *self.arguments]).strip()


def _row(
    extension: str, name: str, host: str, programs: str, arguments: str, how_to_get: str
) -> Interpreter:
    return Interpreter(
        extension, name, host, tuple(programs.split()), tuple(arguments.split()), how_to_get
    )


_MISSING = gettext_noop(
    '"%(script)s" needs %(name)s, which this instance does not have (not in its PATH: '
    "%(programs)s)."
)
_MISSING_OVERRIDE = gettext_noop(
    'The setting for "%(extension)s" names %(program)s: install it or correct that.'
)
_WINE = gettext_noop(
    "Install Wine (Debian and Ubuntu: apt install wine; macOS: brew install --cask wine-stable)."
)
_PWSH = gettext_noop(
    "Install PowerShell from https://learn.microsoft.com/powershell (macOS: brew install "
    "powershell; Windows: winget install Microsoft.PowerShell)."
)
_BASH = gettext_noop(
    "Install bash (Debian and Ubuntu: apt install bash; Windows: winget install Git.Git)."
)
_PYTHON = gettext_noop(
    "Install Python 3 (Debian and Ubuntu: apt install python3; macOS: brew install python; "
    "Windows: winget install Python.Python.3.13)."
)
_PHP = gettext_noop(
    "Install PHP (Debian and Ubuntu: apt install php-cli; macOS: brew install php; "
    "Windows: winget install PHP.PHP.8.4)."
)
_NODE = gettext_noop(
    "Install Node.js (Debian and Ubuntu: apt install nodejs; macOS: brew install node; "
    "Windows: winget install OpenJS.NodeJS.LTS)."
)
_JAVA = gettext_noop(
    "Install a Java runtime (Debian and Ubuntu: apt install default-jre-headless; "
    "macOS: brew install openjdk; Windows: winget install Microsoft.OpenJDK.21)."
)
_WINDOWS_ROWS = (
    _row(".cmd", "Windows command processor", "WindowsScriptHost", "cmd", "/c {script}", ""),
    _row(".bat", "Windows command processor", "WindowsScriptHost", "cmd", "/c {script}", ""),
    _row(".exe", "Windows", "WindowsScriptHost", "", "{script}", ""),
)
_WINE_ROWS = (
    _row(".cmd", "Wine", "WindowsScriptHost", "wine wine64", "cmd /c {script}", _WINE),
    _row(".bat", "Wine", "WindowsScriptHost", "wine wine64", "cmd /c {script}", _WINE),
    _row(".exe", "Wine", "WindowsScriptHost", "wine wine64", "{script}", _WINE),
)
_ROWS = (
    *(_WINDOWS_ROWS if IS_WINDOWS else _WINE_ROWS),
    _row(
        ".ps1",
        "PowerShell",
        "PowerShellScriptHost",
        "pwsh powershell.exe",
        "-NoProfile -ExecutionPolicy RemoteSigned -File {script}",
        _PWSH,
    ),
    _row(".sh", "bash", "BashScriptHost", "bash", "{script}", _BASH),
    _row(".py", "Python", "PythonScriptHost", "python3 python", "{script}", _PYTHON),
    _row(".php", "PHP", "PhpScriptHost", "php", "{script}", _PHP),
    _row(".js", "Node.js", "NodeScriptHost", "node", "{script}", _NODE),
    _row(".jar", "Java", "JarScriptHost", "java", "-jar {script}", _JAVA),
)


def table(overrides: Mapping[str, str] | None = None) -> dict[str, Interpreter]:
    """Extension (lower case, with its dot) to interpreter, in order of preference.

    `overrides` maps an extension to a command such as "/opt/php/bin/php -q {script}"; an
    extension that is not known yet is added at the end. Raises ValueError naming a bad one.
    """
    rows = {row.extension: row for row in _ROWS}
    for extension, command in (overrides or {}).items():
        key = extension.lower()
        if not key.startswith(".") or len(key) < 2 or not key[1:].isalnum():
            raise ValueError(f'"{extension}" is not a file extension such as ".py".')
        rows[key] = _overridden(key, command, rows.get(key))
    return rows


def _overridden(extension: str, command: str, old: Interpreter | None) -> Interpreter:
    try:
        words = shlex.split(command, posix=not IS_WINDOWS)
    except ValueError as error:
        raise ValueError(f'The command for "{extension}" has an unclosed quote.') from error
    if not words:
        raise ValueError(f'The command for "{extension}" is empty.')
    arguments = words[1:] if _SCRIPT in words else [*words[1:], _SCRIPT]
    programs = () if words[0] == _SCRIPT else (words[0],)
    return Interpreter(
        extension=extension,
        name=PurePosixPath(words[0]).name if programs else extension,
        host=old.host if old else "CustomScriptHost",
        programs=programs,
        arguments=tuple(arguments if programs else words),
        how_to_get=_MISSING_OVERRIDE % {"extension": extension, "program": words[0]},
    )


def available(
    interpreters: Mapping[str, Interpreter], search_path: str | None = None
) -> dict[str, str | None]:
    """Extension to the path of its program on this machine, or None.

    `search_path` is a PATH; without it, this process's own is used.
    """
    return {ext: _resolve(row, search_path) for ext, row in interpreters.items()}


def command_for(
    script: Path,
    arguments: Sequence[str],
    interpreters: Mapping[str, Interpreter],
    search_path: str | None = None,
) -> list[str]:
    """The argument list that runs `script`. Raises MissingInterpreter or ArgumentsError."""
    extension = script.suffix.lower()
    row = interpreters.get(extension)
    if row is None:
        text = gettext_noop('No interpreter is set up for files of type "%(extension)s".')
        raise MissingInterpreter(text % {"extension": extension})
    check_arguments(script.name, arguments)
    program = _resolve(row, search_path)
    if program is None:
        programs = ", ".join(row.programs)
        what = _MISSING % {"script": script.name, "name": row.name, "programs": programs}
        raise MissingInterpreter(f"{what} {row.how_to_get}".rstrip())
    filled = [str(script) if word == _SCRIPT else word for word in row.arguments]
    return [*([program] if row.programs else []), *filled, *arguments]


def check_arguments(script_name: str, arguments: Sequence[str]) -> None:
    """Raises ArgumentsError when a script of this type cannot receive the arguments as they are."""
    if any("\0" in argument for argument in arguments):
        raise ArgumentsError(
            gettext_noop("An argument holds a NUL character, which no program can receive.")
        )
    if not script_name.lower().endswith((".cmd", ".bat")):
        return
    bad = sorted(_CMD_SIGNS.intersection("".join(arguments)))
    if bad:
        signs = " ".join(sign if sign.isprintable() else "line break" for sign in bad)
        raise ArgumentsError(
            gettext_noop(
                "The arguments of a .cmd or .bat script cannot contain %(signs)s because the "
                "Windows command processor would act on them. Leave them out, or read the values "
                "from an app setting or a file."
            ),
            signs=signs,
        )


def split_arguments(text: str) -> list[str]:
    """Split by shell quoting rules. Raises ArgumentsError for an unclosed quote."""
    try:
        return shlex.split(text)
    except ValueError as error:
        if "escaped" in str(error):
            end = gettext_noop("The arguments end in a backslash.")
            raise ArgumentsError(end) from error
        quote = gettext_noop(
            "The arguments hold a quotation mark that is not closed. Close it, or write \\ "
            "before it."
        )
        raise ArgumentsError(quote) from error


_found: dict[tuple[str, str | None], tuple[float, str | None]] = {}


def _resolve(row: Interpreter, search_path: str | None) -> str | None:
    if not row.programs:
        return row.extension
    for program in row.programs:
        if path := _which(program, search_path):
            return path
    if row.extension == ".py" and "python3" in row.programs:
        return _own_python()
    return None


def _which(program: str, search_path: str | None) -> str | None:
    now = time.monotonic()
    known = _found.get((program, search_path))
    if known is None or now - known[0] > _LOOKUP_SECONDS:
        known = (now, shutil.which(program, path=search_path))
        _found[program, search_path] = known
    return known[1]


def _own_python() -> str | None:
    """The Python that the portal's virtual environment was made from."""
    base = Path(sys.base_prefix)
    path = base / "python.exe" if IS_WINDOWS else base / "bin" / "python3"
    return str(path) if path.exists() else None
