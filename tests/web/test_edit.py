"""Edit: everything at once, shown before it is applied, and two people at the same time."""

from __future__ import annotations

import re
import tempfile
from html import unescape
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.support.zips import write
from tests.web.objects import ALICE, make_job, make_upload
from tests.web.pages import PagesTestCase
from webjobs import dispatch, packages
from webjobs.models import AuditEntry, PackageVersion, Schedule, WebJob
from webjobs.states import JobType

URL = "/apps/demo/webjobs/triggered/nightly/edit"


class EditTestCase(PagesTestCase):
    def setUp(self) -> None:
        new = dispatch.NewWebJob("nightly", JobType.TRIGGERED, make_upload("echo one\n"))
        self.job = dispatch.add_webjob(self.slot, new, ALICE)
        dispatch.set_schedule(self.job, "0 0 1 * * *", "", True, ALICE)

    def fields(self, text: str) -> dict[str, Any]:
        """What a browser would send of the page's form."""
        form = text[text.index('enctype="multipart/form-data"') :]
        found: dict[str, Any] = {}
        for tag in re.findall(r"<input [^>]*>", form):
            name = re.search(r'name="([^"]*)"', tag)
            value = re.search(r'value="([^"]*)"', tag)
            kind = re.search(r'type="([^"]*)"', tag)
            if not name or (kind and kind[1] == "file"):
                continue
            if kind and kind[1] == "checkbox" and "checked" not in tag:
                continue
            default = "on" if kind and kind[1] == "checkbox" else ""
            found.setdefault(name[1], []).append(unescape(value[1]) if value else default)
        for name_, chosen in re.findall(
            r'<select name="([^"]*)".*?value="([^"]*)" selected', form, re.S
        ):
            found[name_] = chosen
        for name_, text_ in re.findall(
            r'<textarea name="([^"]*)"[^>]*>\s?(.*?)</textarea>', form, re.S
        ):
            found[name_] = unescape(text_)
        return found

    def begin(self, **values: Any) -> dict[str, Any]:
        return self.fields(self.get(URL).content.decode()) | values

    def send(self, data: dict[str, Any], action: str) -> Any:
        return self.post(URL, data | {"action": action}, script=False)

    def present(self) -> WebJob:
        return WebJob.objects.select_related("schedule", "package").get(pk=self.job.pk)

    def zip(self, files: dict[str, str]) -> SimpleUploadedFile:
        path = write(Path(tempfile.mkdtemp()) / "job.zip", files)
        return SimpleUploadedFile("job.zip", path.read_bytes())


class EditTests(EditTestCase):
    def test_it_shows_what_would_change_and_changes_nothing_yet(self) -> None:
        response = self.send(self.begin(cron="0 30 2 * * *", retry_attempts="3"), "review")
        for text in ("0 0 1 * * *", "0 30 2 * * *", "Retries", "default"):
            self.assertContains(response, text)
        self.assertNotContains(response, "Time zone")
        self.assertEqual(self.present().schedule.expression, "0 0 1 * * *")

    def test_it_applies_what_was_reviewed(self) -> None:
        data = self.begin(
            cron="0 30 2 * * *", time_zone="Europe/Paris", retry_attempts="3",
            concurrency="queue", is_in_place="true", stopping_wait_time="9", other='{"x": [1]}',
        )  # fmt: skip
        data.pop("is_enabled")
        review = self.send(data, "review")
        response = self.send(self.fields(review.content.decode()), "apply")
        self.assertRedirects(response, "/apps/demo/history/triggered/nightly/")
        job = self.present()
        self.assertEqual(job.settings_job["schedule"], "0 30 2 * * *")
        self.assertEqual((job.schedule.time_zone, job.schedule.is_enabled), ("Europe/Paris", False))
        self.assertEqual((job.retry_attempts, job.concurrency, job.is_in_place), (3, "queue", True))
        self.assertEqual((job.stopping_wait_time, job.extra_settings), (9, {"x": [1]}))
        entry = AuditEntry.objects.get(action="webjob.edit")
        self.assertEqual(entry.details["settings"]["retry_attempts"], 3)

    def test_what_was_not_touched_is_no_change(self) -> None:
        response = self.send(self.begin(), "review")
        self.assertContains(response, "Nothing would change.")
        self.assertNotContains(response, 'value="apply"')

    def test_bad_input_is_told_beside_the_field_and_all_stays(self) -> None:
        data = self.begin(cron="every day", retry_attempts="99", time_zone="Europe/Paris")
        response = self.send(data | {"other": '{"schedule": "x"}'}, "review")
        self.assertEqual(response.status_code, 400)
        for text in ('value="every day"', 'value="99"', 'value="Europe/Paris"'):
            self.assertContains(response, text, status_code=400)
        self.assertContains(response, "has a field of its own", status_code=400)
        self.assertEqual(len(response.context["form"].errors), 3)

    def test_back_keeps_what_was_typed(self) -> None:
        review = self.send(self.begin(cron="0 30 2 * * *"), "review")
        response = self.send(self.fields(review.content.decode()), "back")
        self.assertContains(response, 'value="0 30 2 * * *"')

    def test_a_removed_expression_removes_the_schedule(self) -> None:
        review = self.send(self.begin(cron=""), "review")
        self.send(self.fields(review.content.decode()), "apply")
        self.assertFalse(Schedule.objects.filter(job=self.job).exists())

    def test_it_is_for_contributors(self) -> None:
        self.assert_for_members_only(URL)
        self.assert_refused_to(URL, self.bob, self.carol, method="get")
        self.assert_refused_to(URL, self.bob, self.carol)

    def test_a_continuous_webjob_has_its_own_settings(self) -> None:
        make_job(self.slot, "listener", JobType.CONTINUOUS)
        response = self.get("/apps/demo/webjobs/continuous/listener/edit")
        self.assertContains(response, "Single Instance")
        self.assertNotContains(response, "CRON Expression")


class PackageTests(EditTestCase):
    def test_a_new_package_is_shown_file_by_file_and_then_served(self) -> None:
        data = self.begin(file=self.zip({"run.sh": "echo two\n", "data.txt": "x"}))
        review = self.send(data, "review")
        self.assertContains(review, "data.txt")
        self.assertEqual(self.present().package, self.job.package)
        self.send(self.fields(review.content.decode()), "apply")
        self.assertEqual(self.present().package.file_name, "job.zip")
        self.assertEqual(PackageVersion.objects.filter(job=self.job).count(), 2)

    def test_its_settings_count_unless_others_were_typed(self) -> None:
        settings = '{"stopping_wait_time": 7, "retry_attempts": 2}'
        package = self.zip({"run.sh": "echo", "settings.job": settings})
        review = self.send(self.begin(file=package, retry_attempts="5"), "review")
        self.send(self.fields(review.content.decode()), "apply")
        job = self.present()
        self.assertEqual((job.stopping_wait_time, job.retry_attempts), (7, 5))

    def test_a_good_file_stays_while_a_field_is_mended(self) -> None:
        package = self.zip({"run.sh": "echo three\n"})
        bad = self.send(self.begin(file=package, cron="never"), "review")
        self.assertContains(bad, "is kept; another one replaces it", status_code=400)
        again = self.fields(bad.content.decode()) | {"cron": "0 0 1 * * *"}
        review = self.send(again, "review")
        self.assertContains(review, "job.zip")

    def test_a_bad_file_is_told_and_the_rest_stays(self) -> None:
        data = self.begin(file=self.zip({"readme.txt": "x"}), retry_delay="77")
        response = self.send(data, "review")
        self.assertContains(response, "No runnable script file was found", status_code=400)
        self.assertContains(response, 'value="77"', status_code=400)

    def test_a_schedule_of_the_package_that_means_nothing_is_told_beside_the_file(self) -> None:
        for settings in ('{"schedule": "* *"}', '{"time_zone": "Mars"}'):
            with self.subTest(settings):
                package = self.zip({"run.sh": "echo", "settings.job": settings})
                page = self.send(self.begin(file=package), "review")
                self.assertEqual(list(page.context["form"].errors), ["file"])
                self.assertContains(page, "settings.job: ", status_code=400)

    def test_a_package_of_another_webjob_cannot_be_taken(self) -> None:
        package = self.zip({"run.sh": "echo secret\n"})
        review = self.send(self.begin(file=package), "review")
        token = self.fields(review.content.decode())["package"]
        other = make_job(self.slot, "other")
        url = "/apps/demo/webjobs/triggered/other/edit"
        data = self.fields(self.get(url).content.decode()) | {"package": token}
        response = self.post(url, data | {"action": "review"}, script=False)
        self.assertContains(response, "Nothing would change.")
        forged = self.post(url, data | {"package": "x", "action": "review"}, script=False)
        self.assertContains(forged, "Choose the file again.", status_code=400)
        other.refresh_from_db()
        self.assertEqual(other.package.file_name, "run.sh")


class ScriptTests(EditTestCase):
    def setUp(self) -> None:
        super().setUp()
        files = {"run.sh": "echo run\n", "a.py": "", "b.py": ""}
        review = self.send(self.begin(file=self.zip(files)), "review")
        self.send(self.fields(review.content.decode()), "apply")

    def test_another_script_of_the_package_can_be_chosen(self) -> None:
        page = self.get(URL)
        self.assertContains(page, '<option value="run.sh" selected>run.sh</option>', html=True)
        review = self.send(self.begin(script="b.py"), "review")
        self.assertContains(review, "Run command")
        self.assertEqual(self.present().script, "run.sh")
        self.send(self.fields(review.content.decode()), "apply")
        self.assertEqual(self.present().script, "b.py")

    def test_the_choice_stays_with_the_next_package_that_has_the_file(self) -> None:
        self.send(self.begin(script="b.py"), "apply")
        files = {"run.sh": "echo again\n", "b.py": "print()"}
        path = write(Path(tempfile.mkdtemp()) / "job.zip", files)
        dispatch.replace_package(self.present(), packages.check_upload(path, "job.zip"), ALICE)
        self.assertEqual(self.present().script, "b.py")
        dispatch.replace_package(self.present(), make_upload("echo only\n"), ALICE)
        self.assertEqual(self.present().script, "run.sh")

    def test_the_script_of_a_new_package_is_chosen_on_the_review(self) -> None:
        files = {"run.sh": "echo new\n", "first.py": "", "second.py": ""}
        review = self.send(self.begin(file=self.zip(files)), "review")
        self.assertContains(review, '<option value="run.sh" selected>run.sh</option>', html=True)
        chosen = self.fields(review.content.decode()) | {"script": "second.py"}
        self.send(chosen, "apply")
        self.assertEqual(self.present().script, "second.py")

    def test_a_file_that_is_not_there_is_refused_beside_the_field(self) -> None:
        response = self.send(self.begin(script="../../bin/sh"), "review")
        self.assertContains(response, "The package has no file", status_code=400)
        response = self.send(self.begin(script="../../bin/sh"), "apply")
        self.assertEqual(response.status_code, 400)
        self.assertEqual(self.present().script, "run.sh")

    def test_a_package_with_one_script_offers_no_choice(self) -> None:
        make_job(self.slot, "single")
        page = self.get("/apps/demo/webjobs/triggered/single/edit")
        self.assertNotContains(page, 'name="script"')


class ScaleTests(EditTestCase):
    def test_it_is_greyed_for_a_triggered_webjob(self) -> None:
        self.assertRegex(self.get(URL).content.decode(), r'<select name="scale"[^>]* disabled')
        self.send(self.begin(scale="single"), "apply")
        self.assertIsNone(self.present().is_singleton)

    def test_it_is_chosen_for_a_continuous_one(self) -> None:
        job = make_job(self.slot, "listener", JobType.CONTINUOUS)
        url = "/apps/demo/webjobs/continuous/listener/edit"
        data = self.fields(self.get(url).content.decode())
        for scale, expected in (("multi", None), ("single", True), ("multi", False)):
            self.post(url, data | {"scale": scale, "action": "apply"}, script=False)
            job.refresh_from_db()
            self.assertEqual(job.is_singleton, expected)
            data = self.fields(self.get(url).content.decode())


class TwoEditorsTests(EditTestCase):
    def test_the_second_is_told_who_was_first_and_loses_nothing(self) -> None:
        review = self.send(self.begin(retry_attempts="3"), "review")
        dispatch.set_schedule(self.job, "0 0 5 * * *", "", True, ALICE)
        response = self.send(self.fields(review.content.decode()), "apply")
        self.assertContains(response, "alice has changed this WebJob meanwhile", status_code=409)
        self.assertIsNone(self.present().retry_attempts)
        self.assertNotContains(response, "CRON Expression", status_code=409)
        self.send(self.fields(response.content.decode()), "apply")
        job = self.present()
        self.assertEqual((job.retry_attempts, job.schedule.expression), (3, "0 0 5 * * *"))

    def test_a_change_before_the_review_is_told_there(self) -> None:
        data = self.begin(retry_attempts="3")
        dispatch.set_schedule(self.job, "0 0 5 * * *", "", True, ALICE)
        self.assertContains(
            self.send(data, "review"), "Somebody else has changed this WebJob since"
        )
