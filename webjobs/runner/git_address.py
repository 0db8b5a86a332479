"""Which addresses of repositories and which branches are taken, and how they are told to git."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from webjobs.reasons import Reason, gettext_noop

MAX_LENGTH = 500
MAX_BRANCH = 200
# Of repositories that borrow objects from one another.
_MOST_STORES = 100

_HTTPS = re.compile(r"https://[A-Za-z0-9.\-\[\]:]+/[A-Za-z0-9._~/+@%=,-]+")
_SSH = re.compile(
    r"ssh://(?:[A-Za-z0-9._][A-Za-z0-9._-]*@)?[A-Za-z0-9\[][A-Za-z0-9.\-\]:]*/[A-Za-z0-9._~/+@-]+"
)
_SCP = re.compile(
    r"(?:[A-Za-z0-9._][A-Za-z0-9._-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:[A-Za-z0-9._~/][A-Za-z0-9._~/+@-]*"
)
# What git-check-ref-format allows, and less.
_BRANCH = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_./#+@=-]*")
_BAD_IN_BRANCH = re.compile(r"\.\.|//|@\{|/\.|^\.|\.$|/$|\.lock(/|$)|^@$")

BAD_ADDRESS = gettext_noop(
    "This is no address of a repository. Write it as https://host/path.git, as "
    "git@host:path.git, or as ssh://git@host/path.git."
)
WITH_PASSWORD = gettext_noop(
    "The address must hold no user name and no password. Enter the token in its own field."
)
NOT_ALLOWED = gettext_noop(
    "This folder is not among those that the operator allows (SOURCE_CONTROL_PATHS)."
)
NO_PATHS = gettext_noop(
    "Folders of the portal's machine are not allowed here. An operator can allow some with "
    "SOURCE_CONTROL_PATHS."
)
ELSEWHERE = gettext_noop(
    "The repository in this folder takes its objects from another folder, which is not among those "
    "that the operator allows (SOURCE_CONTROL_PATHS)."
)
BAD_BRANCH = gettext_noop(
    "This is no name of a branch. Write it without refs/heads/, such as main or release/1.2."
)


class AddressError(Reason):
    """An address or a branch that is refused; nothing was asked of any machine."""


@dataclass(frozen=True)
class Address:
    """`url` as git gets it; it begins with https://, ssh://, a host name or a slash."""

    url: str
    protocol: str  # https, ssh or file


def parse(text: str, paths: Sequence[str]) -> Address:
    """The address in what somebody typed; local folders only below `paths`. AddressError."""
    text = text.strip()
    if not text or len(text) > MAX_LENGTH:
        raise AddressError("bad_address", BAD_ADDRESS)
    if text.startswith("/"):
        return Address(_local(text, paths), "file")
    if text.lower().startswith("https://"):
        return Address(_https(text), "https")
    if _SSH.fullmatch(text) or (_SCP.fullmatch(text) and "://" not in text):
        return Address(text, "ssh")
    raise AddressError("bad_address", BAD_ADDRESS)


def _https(text: str) -> str:
    text = "https" + text[5:]
    try:
        parts = urlsplit(text)
        has_user, port_is_good = "@" in parts.netloc, parts.port != 0
    except ValueError:
        raise AddressError("bad_address", BAD_ADDRESS) from None
    if has_user:
        raise AddressError("with_password", WITH_PASSWORD)
    if not _HTTPS.fullmatch(text) or not parts.hostname or not port_is_good:
        raise AddressError("bad_address", BAD_ADDRESS)
    return text


def _local(text: str, paths: Sequence[str]) -> str:
    if not paths:
        raise AddressError("not_allowed", NO_PATHS)
    if not text.isprintable() or any(c in text for c in '%"\\?#*'):
        raise AddressError("bad_address", BAD_ADDRESS)
    # Links are followed first, so that none leads out of what is allowed.
    path = Path(text).resolve()
    allowed = [Path(one).resolve() for one in paths]
    if not _is_below(path, allowed):
        raise AddressError("not_allowed", NOT_ALLOWED)
    if not all(_is_below(store.resolve(), allowed) for store in _stores(path)):
        raise AddressError("elsewhere", ELSEWHERE)
    return str(path)


def _is_below(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _stores(path: Path) -> Iterator[Path]:
    """Where git reads the repository in `path`, as the repository itself says."""
    git_dir = path / ".git"
    if git_dir.is_file():  # Of a work tree, or a submodule.
        git_dir = path / _text(git_dir).removeprefix("gitdir:").strip()
    elif not git_dir.exists():
        git_dir = path
    common = git_dir / _text(git_dir / "commondir").strip()
    yield from (git_dir, common)
    waiting = [common / "objects"]
    for objects in waiting:
        yield objects
        if len(waiting) < _MOST_STORES:
            lines = _text(objects / "info" / "alternates").splitlines()
            waiting += [objects / line for line in lines if line and not line.startswith("#")]


def _text(path: Path) -> str:
    try:
        with path.open(errors="surrogateescape") as file:
            return file.read(64 * 1024).replace("\0", "")
    except OSError:
        return ""


def parse_branch(text: str) -> str:
    """The name of a branch; raises AddressError."""
    text = text.strip().removeprefix("refs/heads/")
    if len(text) > MAX_BRANCH or not _BRANCH.fullmatch(text) or _BAD_IN_BRANCH.search(text):
        raise AddressError("bad_branch", BAD_BRANCH)
    return text
