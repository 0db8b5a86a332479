import io
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from tests.web.objects import make_job, make_setting
from tests.web.pages import PagesTestCase
from webjobs.models import AuditEntry, WebJob
from webjobs.states import JobType

URL = "/apps/demo/webjobs/add"


def zipped(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def a_file(content: bytes | None = None, name: str = "job.zip") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content or zipped({"run.sh": "echo hello"}))


def typed(**changes: Any) -> dict[str, Any]:
    values = {"name": "nightly", "type": "triggered", "triggers": "manual", "scale": "multi"}
    return {**values, "file": a_file(), **changes}


@pytest.mark.usefixtures("data_dir")
class AddTests(PagesTestCase):
    def added(self, **changes: Any) -> WebJob:
        response = self.post(URL, typed(**changes))
        self.assertEqual(response.status_code, 200, response.content)
        return WebJob.objects.get()

    def errors(self, **changes: Any) -> dict[str, list[str]]:
        response = self.post(URL, typed(**changes))
        self.assertEqual(response.status_code, 400, response.content)
        self.assertFalse(WebJob.objects.filter(name=typed(**changes)["name"]).exists())
        found: dict[str, list[str]] = response.json()["errors"]
        return found

    def test_it_adds_a_triggered_webjob_which_is_recorded(self) -> None:
        job = self.added()
        self.assertEqual((job.name, job.type, job.script), ("nightly", "triggered", "run.sh"))
        self.assertFalse(hasattr(job, "schedule"))
        self.assertEqual(AuditEntry.objects.get().action, "webjob.add")

    def test_it_adds_a_scheduled_one(self) -> None:
        job = self.added(triggers="scheduled", cron=" 0 */5 * * * * ")
        self.assertEqual(job.schedule.expression.strip(), "0 */5 * * * *")

    def test_it_adds_a_continuous_one_on_a_single_instance(self) -> None:
        job = self.added(type="continuous", scale="single")
        self.assertEqual((job.type, job.is_singleton), ("continuous", True))

    def test_scale_means_nothing_for_a_triggered_one(self) -> None:
        self.assertIsNone(self.added(scale="single").is_singleton)

    def test_a_forgotten_expression_of_another_type_does_no_harm(self) -> None:
        job = self.added(type="continuous", triggers="scheduled", cron="rubbish")
        self.assertEqual(job.type, "continuous")

    def test_a_single_script_will_do(self) -> None:
        job = self.added(file=a_file(b"print('hello')", "hello.py"))
        self.assertEqual(job.script, "hello.py")

    def test_without_script_it_leads_back_to_the_blade(self) -> None:
        response = self.post(URL, typed(), script=False)
        self.assertEqual(response.headers["Location"], "/apps/demo/webjobs/")
        follow = self.client.get("/apps/demo/webjobs/")
        self.assertContains(follow, "Successfully added WebJob &#x27;nightly&#x27;")

    def test_without_script_what_was_typed_stays(self) -> None:
        response = self.post(URL, typed(name="no good", triggers="scheduled"), script=False)
        self.assertContains(response, 'value="no good"', status_code=400)
        self.assertContains(response, 'value="scheduled" selected', status_code=400)

    def test_a_bad_name_is_refused_beside_the_field(self) -> None:
        for name in ["", "-a", "a b", "é", "a" * 101, "a/b", ".."]:
            with self.subTest(name=name):
                self.assertEqual(list(self.errors(name=name)), ["name"])

    def test_a_taken_name_is_refused_whatever_its_case(self) -> None:
        make_job(self.slot, "Nightly")
        self.assertEqual(self.errors(), {"name": ["The WebJob already exists."]})

    def test_the_other_type_may_have_the_same_name(self) -> None:
        make_job(self.slot, "nightly", JobType.CONTINUOUS)
        response = self.post(URL, typed())
        self.assertEqual(response.status_code, 200)

    def test_a_bad_upload_is_refused_beside_the_field(self) -> None:
        for file, words in [
            (a_file(zipped({"readme.md": "no script"})), "No runnable script file was found"),
            (a_file(zipped({"run.sh": "x"})[:-30]), "zip"),
            (a_file(b"just text", "notes.txt"), "neither a zip"),
            (a_file(zipped({"../run.sh": "x"})), ".."),
            (a_file(zipped({"run.sh": "x", "settings.job": "{not json"})), "settings.job"),
        ]:
            with self.subTest(words=words):
                errors = self.errors(file=file)
                self.assertEqual(list(errors), ["file"])
                self.assertIn(words, errors["file"][0])

    def test_what_the_package_says_of_the_schedule_is_refused_beside_the_file(self) -> None:
        for settings, words in [
            ('{"schedule": "* *"}', "settings.job: schedule: A schedule has six fields"),
            ('{"schedule": "0 0 0 * * *", "time_zone": "Mars"}', "settings.job: time_zone: There"),
        ]:
            with self.subTest(settings):
                file = a_file(zipped({"run.sh": "x", "settings.job": settings}))
                errors = self.errors(file=file)
                self.assertEqual(list(errors), ["file"])
                self.assertTrue(errors["file"][0].startswith(words), errors)

    def test_a_huge_expression_is_told_once(self) -> None:
        errors = self.errors(triggers="scheduled", cron="0 " + "1," * 999 + "1 * * * *")
        self.assertEqual(len(errors["cron"]), 1)

    def test_a_missing_file_is_refused(self) -> None:
        response = self.post(URL, {**typed(), "file": ""})
        self.assertEqual(response.json()["errors"], {"file": ["This field is required"]})

    @override_settings(WEBJOBS_MAX_UPLOAD=10)
    def test_a_huge_file_is_refused(self) -> None:
        self.assertEqual(list(self.errors()), ["file"])

    def test_a_bad_expression_is_refused_beside_the_field(self) -> None:
        for cron, words in [
            ("", "required"),
            ("*/5 * * * *", "second"),
            ("0 0 0 * * * *", "six"),
            ("0 61 * * * *", "minute"),
            ("every five minutes", ""),
        ]:
            with self.subTest(cron=cron):
                errors = self.errors(triggers="scheduled", cron=cron)
                self.assertEqual(list(errors), ["cron"])
                self.assertIn(words, errors["cron"][0])

    def test_an_unknown_type_is_refused(self) -> None:
        self.assertIn("type", self.errors(type="sometimes"))


class AddAccessTests(PagesTestCase):
    def test_the_panel_is_a_fragment_for_the_script_and_a_page_without(self) -> None:
        self.assertContains(self.get(URL), "<!doctype html>")
        fragment = self.get(URL, X_Fragment="1")
        self.assertNotContains(fragment, "<html")
        labels = ["Name", "File Upload", "Type", "Triggers", "CRON Expression", "Scale", "OK"]
        places = [fragment.content.decode().index(f">{label}<") for label in labels]
        self.assertEqual(places, sorted(places))

    def test_only_contributors_add(self) -> None:
        self.assert_refused_to(URL, self.bob, self.carol)
        self.assert_refused_to(URL, self.bob, self.carol, method="get")

    def test_it_is_for_members_only(self) -> None:
        self.assert_for_members_only(URL)
        self.assert_for_members_only(URL, method="post")

    def test_other_methods_are_refused(self) -> None:
        self.assert_method_refused(URL, "put")


class SchedulePreviewTests(PagesTestCase):
    url = "/apps/demo/webjobs/schedule-preview"

    def preview(self, cron: str, zone: str = "") -> dict[str, Any]:
        response = self.client.get(self.url, {"cron": cron, "zone": zone})
        self.assertEqual(response.status_code, 200)
        found: dict[str, Any] = response.json()
        return found

    def setUp(self) -> None:
        self.client.force_login(self.carol)

    def test_it_tells_words_zone_and_the_next_five_times(self) -> None:
        shown = self.preview("0 30 9 * * 1-5")
        self.assertIn("9:30", shown["words"])
        self.assertEqual(shown["zone"], "UTC")
        self.assertEqual(len(shown["next"]), 5)
        days = "|".join(["Mon", "Tue", "Wed", "Thu", "Fri"])
        self.assertRegex(shown["next"][0]["text"], rf"^({days}) \d+-\d+-\d+ 09:30:00 UTC$")

    def test_the_zone_is_the_apps_unless_another_is_asked_for(self) -> None:
        make_setting(self.slot, "WEBSITE_TIME_ZONE", "Eastern Standard Time")
        self.assertEqual(self.preview("0 0 0 * * *")["zone"], "America/New_York")
        self.assertEqual(self.preview("0 0 0 * * *", "europe/berlin")["zone"], "Europe/Berlin")

    def test_it_warns_of_what_is_probably_not_meant(self) -> None:
        self.assertTrue(self.preview("* 5 * * * *")["warnings"])
        self.assertEqual(self.preview("0 0 0 30 2 *")["next"], [])

    def test_an_error_names_its_field(self) -> None:
        self.assertEqual(self.preview("* *")["field"], "cron")
        self.assertEqual(self.preview("0 0 0 * * *", "Mars/Base")["field"], "time_zone")

    def test_it_is_for_members_only(self) -> None:
        self.assert_for_members_only(self.url)
        self.assert_method_refused(self.url, "post")
