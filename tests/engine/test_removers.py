"""Two removers of unused packages, each with a connection of its own."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.files.storage import storages
from django.db import connection, connections
from django.utils import timezone

from tests.web.objects import make_upload
from webjobs import packages
from webjobs.models import Package, PackageFile
from webjobs.models.package import REMOVAL_LASTS
from webjobs.packages import KEPT_UNUSED, NotKept
from webjobs.unused_packages import Remover

IS_SQLITE = connection.vendor == "sqlite"


def test_one_that_stands_still_loses_no_file_of_a_later_upload(
    transactional_db: None, data_dir: Path
) -> None:
    storage, upload = storages["packages"], make_upload("echo one\n")
    packages.keep(upload)
    begun, wakes = threading.Event(), threading.Event()
    delete = storage.delete

    def stand_still(name: str) -> None:
        begun.set()
        wakes.wait(30)
        delete(name)

    now = timezone.now() + KEPT_UNUSED + timedelta(minutes=1)
    later = now + REMOVAL_LASTS + timedelta(minutes=1)
    done: list[Any] = []

    def remove() -> None:
        try:
            done.append(Remover().work(now))
        finally:
            connections.close_all()

    with mock.patch.object(type(storage), "delete", side_effect=stand_still):
        slow = threading.Thread(target=remove)
        slow.start()
        try:
            assert begun.wait(10)
            if IS_SQLITE:  # Everybody who writes waits for it.
                threading.Timer(1, wakes.set).start()
            assert Remover().work(later) == 0, "another one took over"
            if IS_SQLITE:
                packages.keep(upload)
            else:
                with mock.patch.object(packages, "REMOVED_WITHIN", 0), pytest.raises(NotKept):
                    packages.keep(upload)
        finally:
            wakes.set()
            slow.join()
    assert done == [1]
    packages.keep(upload)
    assert storage.exists(Package(sha256=upload.checked.sha256).storage_name)
    assert PackageFile.objects.get().removing_at is None
