from typing import Any

import pytest

from tests.web.objects import make_job, make_run, make_slot
from tests.web.pages import PagesTestCase
from tests.web.test_add import a_file, zipped
from webjobs.models import AuditEntry, Schedule, Slot, WebJob
from webjobs.states import JobType, RunStatus

BASE = "/apps/demo/webjobs/triggered/nightly/"


class PropertiesTests(PagesTestCase):
    def setUp(self) -> None:
        self.job = make_job(self.slot, "nightly")

    def test_it_shows_what_azure_shows(self) -> None:
        Schedule.objects.create(job=self.job, expression="0 30 9 * * 1-5")
        response = self.get(BASE + "properties", self.carol)
        for text in [
            "run.sh",
            "http://testserver/scm/demo/api/triggeredwebjobs/nightly/run",
            "$demo",
            "0 30 9 * * 1-5",
            "http://testserver/apps/demo/history/triggered/nightly/",
        ]:
            self.assertContains(response, text)

    def test_the_webhook_of_a_slot_names_the_slot(self) -> None:
        make_job(make_slot("demo", "staging"), "nightly")
        response = self.get("/apps/demo/slots/staging/webjobs/triggered/nightly/properties")
        self.assertContains(response, "/scm/demo/slots/staging/api/triggeredwebjobs/nightly/run")
        self.assertContains(response, "$demo__staging")

    def test_the_password_is_never_in_the_page(self) -> None:
        response = self.get(BASE + "properties")
        self.assertNotContains(response, self.slot.publishing_password)

    def test_a_failure_shows_its_reason(self) -> None:
        make_run(self.job, RunStatus.FAILED, reason="The process ended with exit code 3.")
        self.assertContains(self.get(BASE + "properties"), "exit code 3")

    def test_a_continuous_webjob_has_no_webhook(self) -> None:
        make_job(self.slot, "listener", JobType.CONTINUOUS, is_singleton=True)
        response = self.get("/apps/demo/webjobs/continuous/listener/properties")
        self.assertContains(response, "Single Instance")
        self.assertNotContains(response, "Web Hook")

    def test_the_panel_is_a_fragment(self) -> None:
        self.assertNotContains(self.get(BASE + "properties", X_Fragment="1"), "<html")
        self.assertContains(self.get(BASE + "properties"), "<html")

    def test_it_is_for_members_only(self) -> None:
        self.assert_for_members_only(BASE + "properties")
        self.assert_method_refused(BASE + "properties", "post")

    def test_an_unknown_webjob_is_not_found(self) -> None:
        self.assertEqual(self.get("/apps/demo/webjobs/triggered/none/properties").status_code, 404)


class PasswordTests(PagesTestCase):
    url = BASE + "password"

    def setUp(self) -> None:
        make_job(self.slot, "nightly")

    def test_a_contributor_may_see_it_which_is_recorded(self) -> None:
        response = self.post(self.url, {"action": "reveal"})
        self.assertEqual(response.json()["password"], self.slot.publishing_password)
        self.assertIn("no-store", response.headers["Cache-Control"])
        entry = AuditEntry.objects.get()
        self.assertEqual((entry.action, entry.user), ("slot.password.reveal", self.alice))

    def test_without_script_the_page_shows_it(self) -> None:
        response = self.post(self.url, {"action": "reveal"}, script=False)
        self.assertContains(response, self.slot.publishing_password)

    def test_it_can_be_changed(self) -> None:
        self.post(self.url, {"action": "change", "password": "correct-horse-battery"})
        slot = Slot.objects.get(pk=self.slot.pk)
        self.assertEqual(slot.publishing_password, "correct-horse-battery")
        entry = AuditEntry.objects.get()
        self.assertEqual(entry.action, "slot.password")
        self.assertNotIn("correct-horse-battery", str(entry.details))

    def test_an_empty_one_asks_for_a_generated_one(self) -> None:
        self.post(self.url, {"action": "change", "password": ""})
        password = Slot.objects.get(pk=self.slot.pk).publishing_password
        self.assertEqual(len(password), 60)
        self.assertNotEqual(password, self.slot.publishing_password)

    def test_a_short_one_is_refused(self) -> None:
        response = self.post(self.url, {"action": "change", "password": "short"})
        self.assertEqual(response.status_code, 400)
        self.assertIn("password", response.json()["errors"])

    def test_others_see_nothing(self) -> None:
        self.assert_refused_to(self.url, self.bob, self.carol)
        self.assert_for_members_only(self.url, method="post")
        self.assert_method_refused(self.url, "get")


class ScheduleTests(PagesTestCase):
    url = BASE + "schedule"

    def setUp(self) -> None:
        self.job = make_job(self.slot, "nightly")

    def test_it_sets_expression_zone_and_switch(self) -> None:
        data = {"cron": "0 0 6 * * *", "time_zone": "Europe/Berlin", "is_enabled": "on"}
        self.assertEqual(self.post(self.url, data).status_code, 200)
        schedule = Schedule.objects.get(job=self.job)
        self.assertEqual(schedule.expression, "0 0 6 * * *")
        self.assertEqual((schedule.time_zone, schedule.is_enabled), ("Europe/Berlin", True))

    def test_it_switches_off_and_keeps_the_expression(self) -> None:
        Schedule.objects.create(job=self.job, expression="0 0 6 * * *")
        self.post(self.url, {"cron": "0 0 6 * * *"})
        schedule = Schedule.objects.get(job=self.job)
        self.assertEqual((schedule.expression, schedule.is_enabled), ("0 0 6 * * *", False))

    def test_an_empty_expression_removes_it(self) -> None:
        Schedule.objects.create(job=self.job, expression="0 0 6 * * *")
        self.post(self.url, {"cron": ""})
        self.assertFalse(Schedule.objects.exists())

    def test_what_cannot_be_is_refused_beside_its_field(self) -> None:
        response = self.post(self.url, {"cron": "0 0", "time_zone": "Mars/Base"})
        self.assertEqual(set(response.json()["errors"]), {"cron", "time_zone"})
        page = self.post(self.url, {"cron": "0 0"}, script=False)
        self.assertContains(page, 'value="0 0"', status_code=400)

    def test_only_contributors_change_it(self) -> None:
        self.assert_refused_to(self.url, self.bob, self.carol)
        self.assert_for_members_only(self.url, method="post")
        self.assert_method_refused(self.url, "get")


class PolicyTests(PagesTestCase):
    url = BASE + "policy"

    def setUp(self) -> None:
        self.job = make_job(self.slot, "nightly", stopping_wait_time=7)

    def kept(self) -> dict[str, Any]:
        self.job.refresh_from_db()
        return self.job.settings_job

    def test_it_sets_concurrency_and_retries_and_nothing_else(self) -> None:
        data = {
            "concurrency": "queue", "queue_limit": "5", "retry_attempts": "3",
            "retry_delay": "0", "retry_on": ["lost"],
        }  # fmt: skip
        self.assertEqual(self.post(self.url, data).status_code, 200)
        expected = {
            "concurrency": "queue", "queue_limit": 5, "retry_attempts": 3, "retry_delay": 0,
            "retry_on": ["lost"], "stopping_wait_time": 7,
        }  # fmt: skip
        self.assertEqual(self.kept(), expected)
        self.assertEqual(AuditEntry.objects.get().details["queue_limit"], 5)
        page = self.get(BASE + "properties", self.carol)
        self.assertContains(page, '<option value="queue" selected>')
        self.assertContains(page, 'value="lost" checked')
        self.assertNotContains(page, 'value="failure" checked')
        self.assertContains(page, 'name="queue_limit" min="1" max="1000" value="5"')
        self.assertContains(page, 'name="retry_delay" min="0" max="86400" value="0"')

    def test_what_is_as_by_default_is_not_kept(self) -> None:
        self.post(self.url, {"concurrency": "parallel", "max_parallel": "4"})
        self.post(self.url, {"concurrency": "skip", "retry_on": ["failure", "lost"]})
        self.assertEqual(self.kept(), {"stopping_wait_time": 7})

    def test_what_cannot_be_is_refused_beside_its_field(self) -> None:
        data = {
            "concurrency": "both", "max_parallel": "1", "queue_limit": "0", "retry_attempts": "x",
            "retry_delay": "-1", "retry_on": ["stop"],
        }  # fmt: skip
        response = self.post(self.url, data)
        self.assertEqual(set(response.json()["errors"]), set(data))
        page = self.post(self.url, data, script=False)
        self.assertContains(page, 'max="100" value="1"', status_code=400)

    def test_retries_must_be_after_something(self) -> None:
        response = self.post(self.url, {"concurrency": "skip", "retry_attempts": "1"})
        self.assertEqual(set(response.json()["errors"]), {"retry_on"})

    def test_a_continuous_webjob_has_none(self) -> None:
        make_job(self.slot, "listener", JobType.CONTINUOUS)
        base = "/apps/demo/webjobs/continuous/listener/"
        self.assertNotContains(self.get(base + "properties"), "/policy")
        self.assertEqual(self.post(base + "policy", {"concurrency": "queue"}).status_code, 400)

    def test_only_contributors_change_it(self) -> None:
        self.assert_refused_to(self.url, self.bob, self.carol)
        self.assert_for_members_only(self.url, method="post")
        self.assert_method_refused(self.url, "get")


@pytest.mark.usefixtures("data_dir")
class PackageTests(PagesTestCase):
    url = BASE + "package"

    def setUp(self) -> None:
        self.job = make_job(self.slot, "nightly")

    def test_new_files_replace_the_old_ones(self) -> None:
        file = a_file(zipped({"run.py": "print('new')"}), "new.zip")
        self.assertEqual(self.post(self.url, {"file": file}).status_code, 200)
        job = WebJob.objects.get(pk=self.job.pk)
        self.assertEqual((job.script, job.package.file_name), ("run.py", "new.zip"))
        self.assertEqual(AuditEntry.objects.get().action, "webjob.replace")

    def test_a_bad_upload_changes_nothing(self) -> None:
        response = self.post(self.url, {"file": a_file(b"PK rubbish")})
        self.assertEqual(response.status_code, 400)
        self.assertIn("file", response.json()["errors"])
        self.assertEqual(WebJob.objects.get(pk=self.job.pk).script, "run.sh")

    def test_only_contributors_upload(self) -> None:
        self.assert_refused_to(self.url, self.bob, self.carol)
        self.assert_for_members_only(self.url, method="post")
        self.assert_method_refused(self.url, "get")
