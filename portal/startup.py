"""What `manage.py up` checks and prepares before it starts the processes."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from portal import tls
from portal.config import WILDCARDS, Config

BACKLOG = 2048
# The number of the advisory lock; any, as long as nothing else in this database uses it.
PREPARING = 8_273_645_109


class CannotStart(Exception):
    """Why the portal cannot start here; the message is one line that says what to do."""


def lock(data_dir: Path) -> int:
    """Take the data directory for this process; the descriptor holds it until it is closed."""
    folder = data_dir / "run"
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode().strip() or "unknown"
        os.close(descriptor)
        raise CannotStart(
            f"DATA_DIR: another portal (process {holder}) uses {data_dir}. "
            "Stop it first, or set another DATA_DIR and PORT."
        ) from None
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def listen(host: str, port: int) -> socket.socket:
    """The socket that the web processes serve; bound here, it outlives each of them."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise CannotStart(f"HOST: {host!r} is no address of a machine: {error.strerror}.") from None
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise CannotStart(
            f"PORT: cannot listen on {host}:{port}: {error.strerror}. "
            "Stop what uses it, or choose another, such as PORT=8001."
        ) from None
    listener.listen(BACKLOG)
    return listener


def certificate(config: Config) -> tls.Files:
    """A certificate for the names under which this machine may be asked."""
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname()]
    names += [name.strip("[]") for name in config.allowed_hosts if name[:1] not in ".*"]
    names += [] if config.host in WILDCARDS else [config.host]
    names += [f"*.{config.scm_domain}"] if config.scm_domain else []
    return tls.prepare(config.data_dir / "tls", sorted({name.lower() for name in names}))


def check_settings() -> None:
    """Raises CannotStart when Django finds the portal itself put together wrongly."""
    try:
        call_command("check", stdout=io.StringIO())
    except SystemCheckError as error:
        raise CannotStart(str(error)) from None


def check_database() -> None:
    """Raises CannotStart when the database of DATABASE_URL does not answer."""
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        reason = " ".join(str(error).split())
        raise CannotStart(
            f"DATABASE_URL: cannot use the database {_database()}: {reason}"
        ) from None


def prepare_broker(config: Config) -> None:
    """Make the folder of the broker's socket, which nobody else may have made before us."""
    if config.broker_socket is None:
        return
    folder = config.broker_socket.parent
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
        raise CannotStart(
            f"DATA_DIR: {folder}, for the broker's socket, belongs to somebody else. "
            "Remove it, or choose a DATA_DIR with a shorter path."
        )
    folder.chmod(0o700)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let one machine at a time prepare a PostgreSQL; SQLite has one machine only, and its lock."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [PREPARING])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [PREPARING])


def migrate(say: Callable[[str], None]) -> None:
    """Bring the tables up to date; says so only when there is something to do."""
    executor = MigrationExecutor(connection)
    steps = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if steps:
        say(f"preparing the database: {len(steps)} steps")
        call_command("migrate", interactive=False, verbosity=0)


def collect_static(say: Callable[[str], None]) -> None:
    """Copy, hash and compress the static files when they have changed since the last time."""
    if settings.DEBUG:
        return
    stamp = Path(settings.STATIC_ROOT).with_suffix(".stamp")
    now = _static_fingerprint()
    if stamp.exists() and stamp.read_text() == now:
        return
    say("preparing the static files")
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(now)


def address(host: str, port: int, scheme: str = "http") -> str:
    """Where a browser on this machine finds the portal."""
    shown = "localhost" if host in WILDCARDS else host
    return f"{scheme}://[{shown}]:{port}/" if ":" in shown else f"{scheme}://{shown}:{port}/"


def reachable(listener: socket.socket) -> tuple[str, int]:
    """An address at which this machine reaches `listener`."""
    host, port = listener.getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104


def _static_fingerprint() -> str:
    # Another version may name or compress the same files otherwise.
    how = (settings.STORAGES["staticfiles"]["BACKEND"], version("django"), version("whitenoise"))
    digest = hashlib.sha256(repr(how).encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            facts = os.stat(storage.path(path))
            digest.update(f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _database() -> str:
    """The database for people: never with its password."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(values["NAME"])
    return f"{values['NAME']} on {values['HOST'] or 'this machine'}"
