"""The repository of a connection, as git reaches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from webjobs.models import SourceConnection
from webjobs.models.fields import SecretUnreadable
from webjobs.reasons import Reason, gettext_noop
from webjobs.runner import git_address
from webjobs.runner.git import Git, Limits, Remote, temporary

# A history, or what else lies beside the WebJobs, may be larger than the largest upload.
_TIMES_LARGER = 4


UNREADABLE = gettext_noop(
    "The token or key of the repository cannot be read: SECRET_KEY has changed. Put the old key "
    "back, or disconnect the repository and connect it again."
)


def limits() -> Limits:
    """For everything that git does here."""
    return Limits(size=settings.WEBJOBS_MAX_UPLOAD * _TIMES_LARGER)


def _no_tick() -> None:
    """Nobody waits."""


@contextmanager
def repository(tick: Callable[[], None] = _no_tick) -> Iterator[Git]:
    """A bare repository of this moment."""
    with temporary(Path(settings.FILE_UPLOAD_TEMP_DIR), limits(), tick) as git:
        git.init()
        yield git


def remote_of(source: SourceConnection) -> Remote:
    """Checked anew, because what the operator allows may have changed. Raises Reason."""
    try:
        secret = source.secret
    except SecretUnreadable as error:
        raise Reason("secret", UNREADABLE) from error
    address = git_address.parse(source.url, settings.WEBJOBS_SOURCE_PATHS)
    return Remote(
        url=address.url,
        protocol=address.protocol,
        branch=git_address.parse_branch(source.branch),
        user_name=source.user_name,
        secret=secret,
        known_hosts=source.known_hosts,
    )


def newest_of(remote: Remote) -> tuple[str, str]:
    """The branch's last commit, and the host keys known by now. Raises GitError."""
    with repository() as git:
        return git.newest(remote), git.known_hosts


def remember_host(source: SourceConnection, known_hosts: str) -> None:
    """From the first contact on the host must show the same key."""
    if known_hosts and source.protocol == "ssh":
        mine = SourceConnection.objects.filter(pk=source.pk, known_hosts="")
        mine.update(known_hosts=known_hosts)
