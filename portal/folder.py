"""Packages in a folder, which several machines may share."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from django.core.files import File
from django.core.files.storage import FileSystemStorage
from django.utils.crypto import get_random_string


class PackageFolder(FileSystemStorage):
    """A file has its name from the moment on when it is whole, and takes the place of another.

    So two uploads of the same bytes at once find either nothing or all of them. What a power cut
    leaves half-written is named like a double, which webjobs.stray_packages deletes.
    """

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def _save(self, name: str, content: File[Any]) -> str:
        partial = f"{name}_{get_random_string(7)}"
        try:
            super()._save(partial, content)  # type: ignore[misc]
            os.replace(self.path(partial), self.path(name))
        except BaseException:
            with suppress(OSError):
                self.delete(partial)
            raise
        return name
