"""Whether a folder of this machine takes what the portal has to write there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

# Less than this is full: SQLite alone has some of it beside its file while it works.
LEAST_FREE = 16 * 1024 * 1024


def check(folder: Path, *files: Path) -> None:
    """Raises OSError when this user may not write into `folder` and `files`, as on a disk that
    became read-only, or when the disk has no room left. Writes nothing."""
    facts = os.statvfs(folder)
    if facts.f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    if not all(os.access(path, os.W_OK) for path in (folder, *files)):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    if facts.f_bavail * facts.f_frsize < LEAST_FREE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def is_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def is_read_only(error: OSError) -> bool:
    return error.errno in (errno.EROFS, errno.EACCES, errno.EPERM)
