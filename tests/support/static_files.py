"""The static files that a portal prepares at its first start: made once, then lent to those of all
tests. A portal to which they do not belong any more makes its own, as after an upgrade."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from django.conf import settings

STAMP = "static.stamp"


def _kept() -> Path:
    return Path(settings.BASE_DIR) / ".pytest_cache" / "static-files"


def lend(data_dir: Path) -> None:
    """Give a new data directory what an earlier portal has made."""
    if data_dir.exists() and any(data_dir.glob("static*")):
        return
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copytree(_kept() / "static", data_dir / "static")
        shutil.copy2(_kept() / STAMP, data_dir / STAMP)
    except OSError:  # There is nothing yet, or another process of tests replaces it just now.
        shutil.rmtree(data_dir / "static", ignore_errors=True)


def keep(data_dir: Path) -> None:
    """Keep what the portal in `data_dir` has made, unless it is what was lent to it."""
    stamp, kept = data_dir / STAMP, _kept()
    with suppress(OSError):
        if not stamp.exists() or stamp.read_text() == (kept / STAMP).read_text():
            return
    kept.parent.mkdir(exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=kept.parent))
    shutil.copytree(data_dir / "static", fresh / "static")
    shutil.copy2(stamp, fresh / STAMP)
    shutil.rmtree(kept, ignore_errors=True)
    try:
        os.rename(fresh, kept)
    except OSError:  # Another process of tests was faster.
        shutil.rmtree(fresh)
