"""The packages that a WebJob has had."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from importlib import import_module
from pathlib import Path

from django.apps import apps
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.support.zips import write
from tests.web.objects import ALICE, make_job, make_run, make_upload
from tests.web.pages import PagesTestCase
from webjobs import dispatch, packages
from webjobs.models import AuditEntry, PackageVersion, Run, WebJob
from webjobs.models.version import trim_versions
from webjobs.states import JobType

URL = "/apps/demo/webjobs/triggered/nightly/versions/"


def upload(files: dict[str, str], name: str = "job.zip") -> packages.Upload:
    path = write(Path(tempfile.mkdtemp()) / name, files)
    return packages.check_upload(path, name)


class VersionsTestCase(PagesTestCase):
    def setUp(self) -> None:
        new = dispatch.NewWebJob("nightly", JobType.TRIGGERED, make_upload("echo one\n"))
        self.job = dispatch.add_webjob(self.slot, new, ALICE)

    def replace(self, text: str) -> None:
        dispatch.replace_package(self.job, make_upload(text), ALICE)

    def served(self) -> str:
        job = WebJob.objects.get(pk=self.job.pk)
        with storages["packages"].open(job.package.storage_name) as file:
            return str(file.read().decode())


class VersionsTests(VersionsTestCase):
    def test_every_upload_is_one_with_who_and_when(self) -> None:
        self.replace("echo two\n")
        found = list(PackageVersion.objects.filter(job=self.job).values_list("number", "by_name"))
        self.assertEqual(found, [(2, "alice"), (1, "alice")])
        response = self.get(URL, self.carol)
        self.assertContains(response, self.job.package.short_hash)
        self.assertContains(response, "by alice", count=2)
        self.assertContains(response, "in use", count=1)

    def test_a_refused_upload_makes_none(self) -> None:
        bad = upload({"run.sh": "x", "settings.job": '{"schedule": "never"}'})
        with self.assertRaises(dispatch.Refused):
            dispatch.replace_package(self.job, bad, ALICE)
        self.assertEqual(PackageVersion.objects.filter(job=self.job).count(), 1)

    def test_it_tells_which_runs_used_one(self) -> None:
        old = self.job.package
        runs = [make_run(self.job, at=timezone.now() - timedelta(hours=n)) for n in (3, 2)]
        Run.objects.update(package=old)
        self.replace("echo two\n")
        response = self.get(URL)
        self.assertContains(response, "2 runs")
        self.assertContains(response, f"runs/{runs[1].number}/")

    def test_a_reader_sees_the_list_without_commands(self) -> None:
        self.replace("echo two\n")
        response = self.get(URL, self.carol)
        for command in ("roll-back", "/download", "changes?"):
            self.assertNotContains(response, command)

    def test_it_costs_the_same_for_many(self) -> None:
        self.get(URL)  # Signs in.
        with CaptureQueriesContext(connection) as one:
            self.get(URL)
        for number in range(6):
            self.replace(f"echo {number}\n")
        with CaptureQueriesContext(connection) as many:
            self.get(URL)
        self.assertEqual(len(one), len(many))

    def test_they_are_for_members_only(self) -> None:
        self.assert_for_members_only(URL)
        for path in ("changes?from=1&to=1", "1/download", "1/roll-back"):
            self.assert_for_members_only(URL + path)
            self.assert_refused_to(URL + path, self.carol, self.bob, method="get")
        self.assert_refused_to(URL + "1/roll-back", self.carol, self.bob)

    def test_what_serves_already_is_version_1_after_the_migration(self) -> None:
        other = make_job(self.slot, "older")
        PackageVersion.objects.all().delete()
        migration = import_module("webjobs.migrations.0002_packageversion")
        migration.note_present_packages(apps, None)
        found = PackageVersion.objects.get(job=other)
        self.assertEqual((found.number, found.package), (1, other.package))
        self.assertGreaterEqual(found.created_at, other.created_at)


class ChangesTests(VersionsTestCase):
    def test_they_show_the_lines_that_differ(self) -> None:
        self.replace("echo two\n")
        response = self.get(URL + "changes?from=1&to=2")
        self.assertContains(response, "\N{MINUS SIGN} echo one")
        self.assertContains(response, "+ echo two")

    def test_what_is_in_a_file_is_shown_as_text(self) -> None:
        self.replace("echo '<script>x</script>'\n")
        self.assertNotContains(self.get(URL + "changes?from=1&to=2"), "<script>x")

    def test_they_list_the_files_of_zips(self) -> None:
        dispatch.replace_package(self.job, upload({"run.sh": "a\n", "old.txt": "1"}), ALICE)
        dispatch.replace_package(self.job, upload({"run.sh": "b\n", "new.txt": "1"}), ALICE)
        response = self.get(URL + "changes?from=2&to=3")
        for text in ("old.txt", "removed", "new.txt", "added", "run.sh", "changed"):
            self.assertContains(response, text)

    def test_an_unknown_version_is_not_found(self) -> None:
        for query in ("from=1&to=9", "from=x&to=1", "", "from=1&to=" + "9" * 30):
            self.assertEqual(self.get(URL + "changes?" + query).status_code, 404, query)

    def test_a_lost_file_is_not_found(self) -> None:
        self.replace("echo three, which the storage loses\n")
        storages["packages"].delete(self.job.package.storage_name)
        self.assertEqual(self.get(URL + "changes?from=1&to=2").status_code, 404)
        self.assertEqual(self.get(URL + "2/download").status_code, 404)


class DownloadTests(VersionsTestCase):
    def test_it_is_the_upload_byte_for_byte(self) -> None:
        response = self.get(URL + "1/download")
        self.assertEqual(b"".join(response), b"echo one\n")
        self.assertEqual(response["Content-Disposition"], 'attachment; filename="run.sh"')
        self.assertEqual(response["Content-Type"], "application/octet-stream")


class RollBackTests(VersionsTestCase):
    def roll_back(self, number: int, user: User | None = None) -> None:
        self.assertEqual(self.post(f"{URL}{number}/roll-back", user=user).status_code, 200)

    def test_it_serves_the_old_files_again_as_a_new_version(self) -> None:
        self.replace("echo two\n")
        self.roll_back(1)
        self.assertEqual(self.served(), "echo one\n")
        newest = PackageVersion.objects.filter(job=self.job)[0]
        self.assertEqual((newest.number, newest.restored, newest.by_name), (3, 1, "alice"))

    def test_it_is_recorded(self) -> None:
        self.replace("echo two\n")
        self.roll_back(1)
        entry = AuditEntry.objects.get(action="webjob.rollback")
        self.assertEqual(entry.details["version"], 1)
        self.assertEqual(entry.user, self.alice)

    def test_settings_of_the_old_package_replace_and_others_stay(self) -> None:
        first = upload({"run.sh": "a", "settings.job": '{"stopping_wait_time": 7}'})
        dispatch.replace_package(self.job, first, ALICE)
        second = upload({"run.sh": "b", "settings.job": '{"stopping_wait_time": 9}'})
        dispatch.replace_package(self.job, second, ALICE)
        dispatch.set_schedule(self.job, "0 0 1 * * *", "", True, ALICE)
        self.roll_back(2)
        job = WebJob.objects.get(pk=self.job.pk)
        self.assertEqual(job.stopping_wait_time, 7)
        self.assertEqual(job.schedule.expression, "0 0 1 * * *")

    def test_a_copy_that_runs_starts_anew(self) -> None:
        self.replace("echo two\n")
        before = WebJob.objects.get(pk=self.job.pk).revision
        self.roll_back(1)
        self.assertGreater(WebJob.objects.get(pk=self.job.pk).revision, before)

    def test_what_serves_is_not_rolled_back_to(self) -> None:
        response = self.post(URL + "1/roll-back")
        self.assertEqual(response.status_code, 409)
        self.assertIn("serves already", response.json()["error"])
        self.assertEqual(PackageVersion.objects.filter(job=self.job).count(), 1)

    def test_it_asks_first_and_works_without_script(self) -> None:
        self.replace("echo two\n")
        self.assertContains(self.get(URL + "1/roll-back"), "Are you sure")
        self.assertEqual(self.served(), "echo two\n")
        response = self.post(URL + "1/roll-back", script=False)
        self.assertRedirects(response, URL)
        self.assertEqual(self.served(), "echo one\n")


class TrimTests(VersionsTestCase):
    def numbers(self) -> list[int]:
        found = PackageVersion.objects.filter(job=self.job).order_by("number")
        return list(found.values_list("number", flat=True))

    def test_old_ones_go_but_the_newest_the_serving_and_the_used(self) -> None:
        used = self.job.package
        for number in range(2, 8):
            self.replace(f"echo {number}\n")
        make_run(self.job, package=used)
        serving = PackageVersion.objects.get(job=self.job, number=3).package
        WebJob.objects.filter(pk=self.job.pk).update(package=serving)
        self.assertEqual(trim_versions(kept=2), 3)
        self.assertEqual(self.numbers(), [1, 3, 6, 7])
        self.assertEqual(trim_versions(kept=2), 0)

    def test_few_stay(self) -> None:
        self.replace("echo 2\n")
        self.assertEqual(trim_versions(), 0)
        self.assertEqual(self.numbers(), [1, 2])
