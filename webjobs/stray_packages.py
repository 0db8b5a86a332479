"""Files in the package storage that no row knows: an older database was restored, or two uploads
of the same bytes met and the storage gave the second one another name."""

from __future__ import annotations

import logging
import re
from datetime import datetime

from django.core.files.storage import storages

from webjobs.models import PackageFile
from webjobs.packages import KEPT_UNUSED

# As PackageFile names them, and what a storage adds to a name that is taken.
_NAME = re.compile(r"([0-9a-f]{64})(_\w+)?")
FOLDERS = 256
# One folder in each period: listing a bucket costs money, and nothing here is in a hurry.
PERIOD = KEPT_UNUSED / FOLDERS

logger = logging.getLogger(__name__)


class Finder:
    """Looks at one folder of the storage in each period, wherever and since when it runs."""

    def __init__(self) -> None:
        self._period = 0

    def work(self, now: datetime) -> int:
        """Give each file that no row knows one, from which on it is an unused package like others;
        returns how many. Nothing is deleted that could be in use."""
        period = int(now.timestamp() / PERIOD.total_seconds())
        if period == self._period:
            return 0
        self._period = period
        folder = f"{period % FOLDERS:02x}"
        try:
            names = storages["packages"].listdir(folder)[1]
            found = [match for name in names if (match := _NAME.fullmatch(name))]
            _delete_doubles(folder, [match[0] for match in found if match[2]], now)
        except FileNotFoundError:
            return 0
        except OSError as error:
            logger.warning("The package storage cannot be listed: %s", error)
            return 0
        hashes = {match[1] for match in found if not match[2] and match[1].startswith(folder)}
        known = PackageFile.objects.filter(sha256__in=hashes).values_list("sha256", flat=True)
        new = [PackageFile(sha256=sha256, wanted_at=now) for sha256 in hashes.difference(known)]
        PackageFile.objects.bulk_create(new, ignore_conflicts=True)
        return len(new)


def _delete_doubles(folder: str, names: list[str], now: datetime) -> None:
    """Nothing ever reads these; the age is for an upload that is still being written."""
    storage = storages["packages"]
    for name in names:
        if storage.get_modified_time(f"{folder}/{name}") < now - KEPT_UNUSED:
            storage.delete(f"{folder}/{name}")
