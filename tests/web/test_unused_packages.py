"""Packages that nothing refers to are deleted; no upload of the same bytes loses its file."""

from __future__ import annotations

import time
from datetime import timedelta
from importlib import import_module
from unittest import mock

import pytest
from django.apps import apps
from django.core.files.storage import storages
from django.test import TestCase
from django.utils import timezone

from tests.web.objects import make_run, make_slot, make_upload
from webjobs import dispatch, packages, unused_packages
from webjobs.models import Deployment, Package, PackageFile, PackageVersion, WebJob
from webjobs.models.package import REMOVAL_LASTS
from webjobs.packages import KEPT_UNUSED, NotKept
from webjobs.states import DeploymentTrigger, JobType
from webjobs.unused_packages import Remover, delete, forget

ACTOR = dispatch.Actor(user=None, name="dora")


@pytest.mark.usefixtures("data_dir")
class UnusedPackagesTests(TestCase):
    def setUp(self) -> None:
        self.slot = make_slot()
        self.upload = make_upload("echo one\n")
        self.now = timezone.now() + KEPT_UNUSED + timedelta(minutes=1)

    def kept(self, upload: packages.Upload | None = None) -> Package:
        upload = upload or self.upload
        packages.keep(upload)
        return packages.store(upload, None)

    def job(self) -> WebJob:
        new = dispatch.NewWebJob(name="nightly", type=JobType.TRIGGERED, upload=self.upload)
        return dispatch.add_webjob(self.slot, new, ACTOR)

    def file(self) -> PackageFile:
        return PackageFile.objects.get(sha256=self.upload.checked.sha256)

    def is_there(self) -> bool:
        name = Package(sha256=self.upload.checked.sha256).storage_name
        return storages["packages"].exists(name)

    def test_what_nothing_refers_to_goes_with_its_file(self) -> None:
        self.kept()
        self.assertEqual(Remover().work(self.now), 1)
        self.assertFalse(Package.objects.exists() or PackageFile.objects.exists())
        self.assertFalse(self.is_there())

    def test_an_upload_that_came_to_nothing_goes_too(self) -> None:
        packages.keep(self.upload)
        self.assertEqual(Remover().work(self.now), 1)
        self.assertFalse(self.is_there())

    def test_it_stays_for_a_while(self) -> None:
        self.kept()
        self.assertEqual(Remover().work(self.now - timedelta(minutes=2)), 0)
        self.assertTrue(self.is_there())

    def test_it_stays_while_a_webjob_has_it(self) -> None:
        job = self.job()
        PackageVersion.objects.all().delete()
        self.assertEqual(Remover().work(self.now), 0)
        job.delete()
        self.assertEqual(Remover().work(self.now), 1)

    def test_it_stays_while_it_can_be_rolled_back_to(self) -> None:
        job = self.job()
        dispatch.replace_package(job, make_upload("echo two\n"), ACTOR)
        self.assertEqual(Remover().work(self.now), 0)
        job.versions.filter(number=1).delete()
        self.assertEqual(Remover().work(self.now), 1)
        self.assertFalse(self.is_there())

    def test_it_stays_while_a_run_of_the_history_had_it(self) -> None:
        job = self.job()
        run = make_run(job, package=job.package)
        dispatch.replace_package(job, make_upload("echo two\n"), ACTOR)
        job.versions.filter(number=1).delete()
        self.assertEqual(Remover().work(self.now), 0)
        run.delete()
        self.assertEqual(Remover().work(self.now), 1)

    def test_it_stays_while_it_can_be_deployed_again(self) -> None:
        deployment = Deployment.objects.create(
            slot=self.slot, trigger=DeploymentTrigger.PUSH, requested_at=self.now,
            results=[{"package": self.kept().pk}, {"package": None}],
        )  # fmt: skip
        self.assertEqual(Remover().work(self.now), 0)
        deployment.delete()
        self.assertEqual(Remover().work(self.now), 1)

    def test_it_stays_while_another_package_has_the_same_bytes(self) -> None:
        job = self.job()
        other = self.kept(make_upload("echo one\n", "other.sh"))
        self.assertNotEqual(job.package_id, other.pk)
        self.assertEqual(Remover().work(self.now), 0)
        job.delete()
        self.assertEqual(Remover().work(self.now), 1)
        self.assertFalse(Package.objects.exists())

    def test_many_take_turns(self) -> None:
        for number in range(5):
            self.kept(make_upload(f"echo {number}\n"))
        remover = Remover()
        with mock.patch.multiple(unused_packages, BATCH=3, AT_ONCE=2):
            self.assertEqual([remover.work(self.now) for _ in range(4)], [2, 2, 1, 0])

    def test_an_upload_after_the_look_wins(self) -> None:
        self.kept()
        file = self.file()
        with mock.patch.object(timezone, "now", lambda: self.now):
            packages.keep(self.upload)
        self.assertFalse(forget(file, self.now))
        self.assertTrue(self.is_there())
        packages.store(self.upload, None)

    def test_a_reference_after_the_look_wins(self) -> None:
        package = self.kept()
        file = self.file()
        WebJob.objects.create(
            slot=self.slot, name="x", type=JobType.TRIGGERED, package=package, script="run.sh"
        )
        self.assertFalse(forget(file, self.now))
        self.assertIsNone(self.file().removing_at)
        self.assertTrue(self.is_there())

    def test_an_upload_after_the_claim_waits_and_puts_the_file_there_again(self) -> None:
        self.kept()
        file = self.file()
        self.assertTrue(forget(file, self.now))
        with mock.patch.object(time, "sleep", lambda _: delete(file)):
            self.kept()
        self.assertTrue(self.is_there())
        self.assertIsNone(self.file().removing_at)

    def test_two_removers_do_it_once(self) -> None:
        self.kept()
        one, other = self.file(), self.file()
        self.assertTrue(forget(one, self.now))
        self.assertFalse(forget(other, self.now))
        self.assertTrue(delete(one))

    def test_a_remover_that_was_lost_is_replaced_and_does_no_harm_when_it_wakes(self) -> None:
        self.kept()
        lost, later = self.file(), self.now + REMOVAL_LASTS + timedelta(seconds=1)
        self.assertTrue(forget(lost, self.now))
        with (
            mock.patch.object(packages, "REMOVED_WITHIN", 0),
            self.assertRaisesMessage(NotKept, "Try again"),
        ):
            packages.keep(self.upload)
        self.assertEqual(Remover().work(later), 1)
        self.kept()
        self.assertFalse(delete(lost))
        self.assertTrue(self.is_there())

    def test_what_the_storage_refuses_is_tried_again(self) -> None:
        self.kept()
        refused = OSError("read-only")
        with (
            mock.patch.object(type(storages["packages"]), "delete", side_effect=refused),
            self.assertLogs("webjobs.unused_packages", "WARNING"),
        ):
            self.assertEqual(Remover().work(self.now), 0)
        self.assertTrue(self.is_there())
        later = self.now + REMOVAL_LASTS + timedelta(seconds=1)
        self.assertEqual(Remover().work(later), 1)
        self.assertFalse(self.is_there())

    def test_packages_from_before_are_known(self) -> None:
        self.kept()
        PackageFile.objects.all().delete()
        migration = import_module("webjobs.migrations.0006_package_files")
        migration.note_files(apps, None)
        self.assertEqual(Remover().work(self.now), 1)
