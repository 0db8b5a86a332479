"""Files in the package storage that no row knows are found, and go when nothing uses them."""

from __future__ import annotations

from datetime import datetime, timedelta
from unittest import mock

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import TestCase
from django.utils import timezone

from tests.web.objects import make_slot, make_upload
from webjobs import dispatch, packages
from webjobs.models import Package, PackageFile
from webjobs.packages import KEPT_UNUSED
from webjobs.states import JobType
from webjobs.stray_packages import FOLDERS, PERIOD, Finder
from webjobs.unused_packages import Remover


@pytest.mark.usefixtures("data_dir")
class StrayPackagesTests(TestCase):
    def setUp(self) -> None:
        self.upload = make_upload("echo one\n")
        self.name = Package(sha256=self.upload.checked.sha256).storage_name
        self.now = timezone.now()
        self.later = self.now + 2 * KEPT_UNUSED + timedelta(minutes=1)
        self.storage = storages["packages"]

    def found(self, since: datetime | None = None) -> int:
        """In all folders, once, which takes two days."""
        finder, since = Finder(), since or self.now
        return sum(finder.work(since + number * PERIOD) for number in range(FOLDERS))

    def test_a_folder_is_looked_at_once_in_its_time(self) -> None:
        finder = Finder()
        with mock.patch.object(type(self.storage), "listdir", return_value=([], [])) as listed:
            for _ in range(5):
                finder.work(self.now)
        listed.assert_called_once()

    def test_one_without_a_row_goes_after_a_while(self) -> None:
        packages.keep(self.upload)
        PackageFile.objects.all().delete()
        self.assertEqual(self.found(), 1)
        self.assertEqual(Remover().work(self.now), 0)
        self.assertEqual(Remover().work(self.later), 1)
        self.assertFalse(self.storage.exists(self.name))

    def test_one_that_a_webjob_uses_stays(self) -> None:
        new = dispatch.NewWebJob(name="nightly", type=JobType.TRIGGERED, upload=self.upload)
        dispatch.add_webjob(make_slot(), new, dispatch.Actor(user=None, name="dora"))
        PackageFile.objects.all().delete()
        self.assertEqual(self.found(), 1)
        self.assertEqual(Remover().work(self.later), 0)
        self.assertTrue(self.storage.exists(self.name))

    def test_those_with_rows_are_left_alone(self) -> None:
        packages.keep(self.upload)
        before = PackageFile.objects.get().wanted_at
        self.assertEqual(self.found(), 0)
        self.assertEqual(PackageFile.objects.get().wanted_at, before)

    def test_a_second_file_of_the_same_bytes_goes_when_it_is_old(self) -> None:
        double = self.storage.save(f"{self.name}_Ab1xY9z", ContentFile(b"echo one\n"))
        for since, is_there in ((self.now, True), (self.later, False)):
            self.found(since)
            self.assertEqual(self.storage.exists(double), is_there)

    def test_what_the_portal_did_not_put_there_stays(self) -> None:
        for name in ("ab/README.md", "ab/" + "c" * 64):
            self.storage.save(name, ContentFile(b"x"))
            self.assertEqual(self.found(), 0)
            self.assertEqual(Remover().work(self.later), 0)
            self.assertTrue(self.storage.exists(name))
