"""The one place that reads the portal's environment variables.

Every value becomes typed here; a bad one is refused by name with what would be right.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url

MIB = 1024 * 1024
BASE_DIR = Path(__file__).resolve().parent.parent
# A Unix socket's path is at most 107 bytes on Linux and 103 on macOS.
MAX_SOCKET_PATH = 100
DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
USER_NAME = re.compile(r"[\w.@+-]{1,150}")
# As a host these mean: every address of this machine.
WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104


class ConfigError(Exception):
    """An environment variable that cannot be used; the message is one line for the operator."""


@dataclass(frozen=True)
class Bucket:
    """Where packages are kept when a storage that speaks S3 keeps them."""

    name: str
    prefix: str
    endpoint: str  # empty: AWS
    region: str
    key_id: str  # empty: what the machine's own role allows
    secret_key: str


@dataclass(frozen=True)
class Config:
    """What the environment asks for. Sizes are bytes."""

    host: str
    port: int
    data_dir: Path
    packages_dir: Path
    bucket: Bucket | None  # set when packages are kept there instead of in packages_dir
    admin_username: str
    admin_password: str
    admin_password_set_by: str  # the variable that it comes from
    database_url: str
    redis_url: str
    broker_socket: Path | None  # set when the embedded broker is to be used
    secret_key: str
    allowed_hosts: list[str]
    scm_domain: str  # Kudu's API answers at {app}.{scm_domain} too; empty: only below /scm/
    trusted_origins: list[str]
    debug: bool
    trust_proxy: bool  # X-Forwarded-Proto and -Host come from a proxy of ours
    max_upload: int
    run_log_limit: int
    continuous_log_limit: int
    worker_threads: int
    web_threads: int
    instance_name: str
    lost_after: int  # seconds
    idle_after: int  # seconds
    swap_patience: int  # seconds
    interpreters: dict[str, str]
    source_paths: list[str]  # folders that repositories of this machine may lie in


def read(environ: Mapping[str, str]) -> Config:
    """Read `environ`; creates the data directory and the secret key when they are missing."""
    host = environ.get("HOST") or "127.0.0.1"
    data_dir = _data_dir(environ)
    redis_url = _redis_url(environ)
    broker_socket = None if redis_url else _socket_path(data_dir)
    return Config(
        host=host,
        port=_integer(environ, "PORT", 8000, 1, 65535),
        data_dir=data_dir,
        packages_dir=_packages_dir(environ, data_dir),
        bucket=_bucket(environ),
        admin_username=_user_name(environ),
        admin_password=_secret(environ, "ADMIN_PASSWORD"),
        admin_password_set_by=_variable(environ, "ADMIN_PASSWORD"),
        database_url=_database_url(environ, data_dir),
        redis_url=redis_url or f"redis+socket://{broker_socket}",
        broker_socket=broker_socket,
        secret_key=_secret(environ, "SECRET_KEY") or _kept_secret(data_dir / "secret_key"),
        allowed_hosts=_list(environ, "ALLOWED_HOSTS") or _own_names(host),
        scm_domain=_domain(environ, "SCM_DOMAIN"),
        trusted_origins=_origins(environ),
        debug=_boolean(environ, "DEBUG", default=False),
        trust_proxy=_boolean(environ, "TRUST_PROXY", default=False),
        max_upload=_integer(environ, "MAX_UPLOAD_MB", 100, 1, 100_000) * MIB,
        run_log_limit=_integer(environ, "RUN_LOG_LIMIT_MB", 256, 1, 100_000) * MIB,
        continuous_log_limit=_integer(environ, "CONTINUOUS_LOG_LIMIT_MB", 64, 1, 100_000) * MIB,
        worker_threads=_integer(environ, "WORKER_THREADS", 20, 1, 1000),
        web_threads=_integer(environ, "WEB_THREADS", 8, 1, 1000),
        instance_name=environ.get("INSTANCE_NAME", "") or socket.gethostname(),
        lost_after=_integer(environ, "LOST_AFTER", 30, 5, 600),
        idle_after=_integer(environ, "IDLE_AFTER", 1200, 1, 1_000_000),
        swap_patience=_integer(environ, "SWAP_PATIENCE", 300, 0, 100_000),
        interpreters=_interpreters(environ),
        source_paths=_source_paths(environ),
    )


def _variable(environ: Mapping[str, str], name: str) -> str:
    """Which variable sets the secret `name`."""
    return f"{name}_FILE" if environ.get(f"{name}_FILE") else name


def _secret(environ: Mapping[str, str], name: str) -> str:
    """The value of `name`, or the content of the file that `name`_FILE points to."""
    variable = _variable(environ, name)
    value = environ.get(variable, "")
    if variable == name:
        return value
    try:
        return Path(value).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{variable}: cannot read {value}: {error.strerror}.") from error


def _data_dir(environ: Mapping[str, str]) -> Path:
    path = Path(environ.get("DATA_DIR") or BASE_DIR / "var").expanduser().resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise ConfigError(
            f"DATA_DIR: cannot write to {path}: {error.strerror}. "
            "Choose a directory that this user may write to."
        ) from error
    return path


def _packages_dir(environ: Mapping[str, str], data_dir: Path) -> Path:
    value = environ.get("PACKAGES_STORAGE", "").strip()
    if not value or value.startswith("s3:"):
        return data_dir / "packages"
    path = Path(value).expanduser()
    # Made here, it would hide that the shared folder is not mounted.
    if not path.is_absolute() or not path.is_dir():
        raise ConfigError(
            f"PACKAGES_STORAGE: there is no folder {value}; mount or make it, or write "
            "s3://bucket/prefix."
        )
    if not os.access(path, os.W_OK | os.X_OK):
        raise ConfigError(f"PACKAGES_STORAGE: this user may not write to {value}.")
    return path


def _bucket(environ: Mapping[str, str]) -> Bucket | None:
    endpoint = environ.get("S3_ENDPOINT_URL", "").strip()
    region = environ.get("S3_REGION", "").strip()
    key_id = _secret(environ, "AWS_ACCESS_KEY_ID")
    secret_key = _secret(environ, "AWS_SECRET_ACCESS_KEY")
    value = environ.get("PACKAGES_STORAGE", "").strip()
    if not value.startswith("s3:"):
        return None
    parts = urlsplit(value)
    if not BUCKET.fullmatch(parts.netloc) or parts.query or parts.fragment:
        raise ConfigError("PACKAGES_STORAGE: write it as s3://bucket or s3://bucket/prefix.")
    if endpoint and not urlsplit(endpoint).netloc:
        raise ConfigError("S3_ENDPOINT_URL: write it as https://s3.example.org.")
    if endpoint and not endpoint.startswith(("https://", "http://")):
        raise ConfigError("S3_ENDPOINT_URL: must begin with https:// or http://.")
    if bool(key_id) != bool(secret_key):
        missing = "AWS_SECRET_ACCESS_KEY" if key_id else "AWS_ACCESS_KEY_ID"
        raise ConfigError(f"{missing}: is missing; set both keys, or none for the machine's role.")
    if find_spec("storages") is None or find_spec("boto3") is None:
        raise ConfigError(
            "PACKAGES_STORAGE: S3 needs more packages; "
            "install them with pip install -r requirements-s3.txt."
        )
    return Bucket(parts.netloc, parts.path.strip("/"), endpoint, region, key_id, secret_key)


def _user_name(environ: Mapping[str, str]) -> str:
    name = environ.get("ADMIN_USERNAME") or "admin"
    if not USER_NAME.fullmatch(name):
        raise ConfigError(
            f"ADMIN_USERNAME: may have letters, digits and @ . + - _ only, not {name!r}."
        )
    return name


def _database_url(environ: Mapping[str, str], data_dir: Path) -> str:
    value = _secret(environ, "DATABASE_URL") or f"sqlite:///{data_dir / 'db.sqlite3'}"
    if not value.startswith(("sqlite:///", "postgres://", "postgresql://")):
        raise ConfigError("DATABASE_URL: must begin with postgres://, postgresql:// or sqlite:///.")
    try:
        parsed = dj_database_url.parse(value)
    except ValueError:
        # Without the value: it may have a password in it.
        raise ConfigError(
            "DATABASE_URL: cannot be read; write it as postgres://user:password@host:5432/database."
        ) from None
    if parsed.get("NAME") in {"", ":memory:"}:
        raise ConfigError(
            "DATABASE_URL: names no database that several processes can share; "
            "put its name at the end, such as sqlite:////srv/webjobs/db.sqlite3."
        )
    return value


def _redis_url(environ: Mapping[str, str]) -> str:
    value = _secret(environ, "REDIS_URL")
    if value and not value.startswith(("redis://", "rediss://", "redis+socket://")):
        raise ConfigError("REDIS_URL: must begin with redis://, rediss:// or redis+socket://.")
    return value


def _own_names(host: str) -> list[str]:
    """The names by which a browser may ask for the portal when ALLOWED_HOSTS is not set."""
    names = ["localhost", "127.0.0.1", "[::1]"]
    return [*names, socket.gethostname() if host in WILDCARDS else host]


def _domain(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip().strip(".").lower()
    if value and not DOMAIN.fullmatch(value):
        raise ConfigError(f"{name}: must be a domain such as scm.example.org, not {value!r}.")
    return value


def _origins(environ: Mapping[str, str]) -> list[str]:
    origins = _list(environ, "CSRF_TRUSTED_ORIGINS")
    for origin in origins:
        if not origin.startswith(("http://", "https://")):
            raise ConfigError(
                f"CSRF_TRUSTED_ORIGINS: {origin!r} must begin with https:// or http://."
            )
    return origins


def _socket_path(data_dir: Path) -> Path:
    path = data_dir / "run" / "broker.sock"
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        digest = sha256(os.fsencode(data_dir)).hexdigest()[:16]
        path = Path(tempfile.gettempdir()) / f"webjobs-{os.getuid()}-{digest}" / "broker.sock"
    return path


def _kept_secret(path: Path) -> str:
    """The key in `path`, made at the first start and readable by its owner only."""
    if not path.exists():
        # Complete before it has its name, and never over another: several processes may start.
        with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="ascii") as file:
            file.write(secrets.token_urlsafe(50))
            file.flush()
            with suppress(FileExistsError):
                os.link(file.name, path)
    return _existing_secret(path)


def _existing_secret(path: Path) -> str:
    try:
        value = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"SECRET_KEY: cannot read {path}: {error.strerror}.") from error
    if not value:
        raise ConfigError(f"SECRET_KEY: {path} is empty. Restore it, or set SECRET_KEY.")
    return value


def _integer(environ: Mapping[str, str], name: str, default: int, lowest: int, highest: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        value = lowest - 1
    if not lowest <= value <= highest:
        raise ConfigError(
            f"{name}: must be a whole number from {lowest} to {highest}, not {text!r}."
        )
    return value


def _boolean(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = environ.get(name, "").strip().lower()
    if not text:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ConfigError(f"{name}: must be 1 or 0, not {text!r}.")


def _list(environ: Mapping[str, str], name: str) -> list[str]:
    return [item.strip() for item in environ.get(name, "").split(",") if item.strip()]


def _source_paths(environ: Mapping[str, str]) -> list[str]:
    paths = _list(environ, "SOURCE_CONTROL_PATHS")
    for path in paths:
        if not Path(path).is_absolute() or Path(path) == Path("/"):
            raise ConfigError(
                f"SOURCE_CONTROL_PATHS: must be folders such as /srv/git with commas between "
                f"them, not {path!r}."
            )
    return paths


def _interpreters(environ: Mapping[str, str]) -> dict[str, str]:
    text = environ.get("INTERPRETERS", "")
    if not text:
        return {}
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"INTERPRETERS: not valid JSON: {error}.") from error
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ConfigError(
            'INTERPRETERS: must be a JSON object such as {".py": "/usr/bin/python3.12 {script}"}.'
        )
    return value
