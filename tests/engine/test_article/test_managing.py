"""From the list of WebJobs to the output of a run."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from tests.support.engine import ACTOR, Engine, add_job, member
from tests.web.objects import make_instance, make_job, make_run, make_setting, make_slot
from tests.web.pages import PagesTestCase
from tests.web.test_add import a_file, typed, zipped
from tests.web.test_runs import write
from webjobs import dispatch, housekeeping
from webjobs.models import Instance, Role, Run, Slot, WebJob
from webjobs.models.setting import lenient_engine_settings
from webjobs.models.webjob import KEEP_DELETED
from webjobs.runner.restart import restart_wait
from webjobs.scheduler import Scheduler
from webjobs.states import JobType, RunStatus

PAGE = "/apps/demo/webjobs/"
ADD = PAGE + "add"
HISTORY = "/apps/demo/history/"


class ManagingWebJobs(PagesTestCase):
    """Start and Stop, the webhook's password, deletion, the history."""

    def test_start_and_stop_are_for_continuous_ones_and_run_for_triggered_ones(self) -> None:
        make_job(self.slot, "worker", JobType.CONTINUOUS)
        make_job(self.slot)
        self.assertEqual(self.post(f"{PAGE}continuous/worker/stop").status_code, 200)
        self.assertTrue(WebJob.objects.get(name="worker").is_stopped)
        self.assertEqual(self.post(f"{PAGE}continuous/worker/start").status_code, 200)
        self.assertFalse(WebJob.objects.get(name="worker").is_stopped)
        self.assertEqual(self.post(f"{PAGE}triggered/nightly/run").status_code, 200)
        self.assertNotEqual(self.post(f"{PAGE}triggered/nightly/start").status_code, 200)

    def test_the_password_of_the_webhook_is_seen_and_changed(self) -> None:
        make_job(self.slot)
        url = f"{PAGE}triggered/nightly/password"
        shown = self.post(url, {"action": "reveal"}).json()["password"]
        self.assertEqual(shown, self.slot.publishing_password)
        self.post(url, {"action": "change", "password": "another-long-word"})
        self.assertEqual(Slot.objects.get().publishing_password, "another-long-word")

    def test_a_deleted_one_is_gone_from_every_list(self) -> None:
        make_job(self.slot)
        self.post(f"{PAGE}triggered/nightly/delete")
        self.assertNotContains(self.get(PAGE), 'data-name="nightly"')
        self.assertNotContains(self.get(HISTORY), "nightly")
        housekeeping.purge_deleted(timezone.now() + KEEP_DELETED)
        self.assertFalse(WebJob.objects.exists())

    def test_it_is_in_the_menu_and_has_a_question_before_it_acts(self) -> None:
        self.assertContains(self.get("/apps/demo/settings/"), f'href="{PAGE}"')
        for what in ("run", "start", "stop", "delete"):
            self.assertContains(self.get(PAGE), f"want to {what} the selected WebJob?")


class Statuses(PagesTestCase):
    """Ready, Running, PendingRestart, Stopped, Aborted."""

    def test_a_triggered_one_is_ready_until_it_runs(self) -> None:
        job = make_job(self.slot)
        self.assertContains(self.get(PAGE + "rows"), "Ready")
        make_run(job, RunStatus.RUNNING)
        self.assertContains(self.get(PAGE + "rows"), "Running")

    def test_a_continuous_one_that_exits_within_two_minutes_waits_sixty_seconds(self) -> None:
        wait = lenient_engine_settings({}).restart_time
        self.assertEqual(restart_wait(119, False, 0, wait).wait, 60)
        self.assertEqual(restart_wait(120, False, 0, wait).wait, 0)


def test_a_run_that_reaches_the_time_limit_is_ended_and_says_why(
    engine: Engine, slot: Slot
) -> None:
    """The article calls it Aborted; the engine has always written Failed."""
    dispatch.change_settings(slot, [dispatch.SettingChange("WEBJOBS_IDLE_TIMEOUT", "1")], ACTOR)
    run = engine.run(add_job(slot, "sleep 600"))
    assert run.status == RunStatus.FAILED
    assert "Nothing was printed" in run.reason and "WEBJOBS_IDLE_TIMEOUT" in run.reason


class StopAndDisable(PagesTestCase):
    """WEBJOBS_STOPPED (the article's WEBJOB_STOPPED) and WEBJOBS_DISABLE_SCHEDULE."""

    def test_both_spellings_stop_everything(self) -> None:
        make_job(self.slot)
        for name in ("WEBJOB_STOPPED", "WEBJOBS_STOPPED"):
            setting = make_setting(self.slot, name, "1")
            self.assertEqual(self.post(f"{PAGE}triggered/nightly/run").status_code, 409, name)
            self.assertContains(self.get(PAGE), "All WebJobs of this app are stopped")
            setting.delete()
        self.assertEqual(self.post(f"{PAGE}triggered/nightly/run").status_code, 200)

    def test_a_slot_setting_stays_with_its_slot_in_a_swap(self) -> None:
        staging = make_slot("demo", "staging")
        make_setting(staging, "WEBJOBS_STOPPED", "1", is_slot_setting=True)
        with self.captureOnCommitCallbacks(execute=True):
            dispatch.swap_slots(staging, self.slot, ACTOR)
        self.assertEqual(staging.settings.get().name, "WEBJOBS_STOPPED")
        self.assertNotContains(self.get(PAGE), "All WebJobs of this app are stopped")
        stopped = self.get("/apps/demo/slots/staging/webjobs/")
        self.assertContains(stopped, "All WebJobs of this app are stopped")


def test_schedules_are_disabled_by_their_setting_and_other_runs_are_not(
    engine: Engine, slot: Slot
) -> None:
    job = add_job(slot, "true", schedule="* * * * * *")
    change = dispatch.SettingChange("WEBJOBS_DISABLE_SCHEDULE", "1")
    dispatch.change_settings(slot, [change], ACTOR)
    beat = Scheduler(lambda pks: None)
    for seconds in range(5):
        beat.step(timezone.now() + timedelta(seconds=seconds))
    assert not Run.objects.exists()
    assert engine.run(job).status == RunStatus.SUCCESS


class JobHistory(PagesTestCase):
    """Logs; the list, the details, a run, its output."""

    def setUp(self) -> None:
        self.job = make_job(self.slot)
        start = timezone.now() - timedelta(minutes=3)
        self.run_ = make_run(
            self.job, at=start, started_at=start, ended_at=start + timedelta(seconds=12)
        )
        write(self.run_, b"hello from the job\n")

    def test_logs_leads_to_the_details_whose_times_lead_to_the_runs(self) -> None:
        self.assertContains(self.get(PAGE), f'href="{HISTORY}" target="_blank" data-command="logs"')
        details = self.get(HISTORY + "triggered/nightly/")
        self.assertContains(details, "WebJob Details")
        self.assertContains(details, "12 seconds running time")
        self.assertContains(details, f"runs/{self.run_.number}/")

    def test_the_run_has_its_output_behind_a_button_and_as_a_download(self) -> None:
        url = f"{HISTORY}triggered/nightly/runs/{self.run_.number}/"
        page = self.get(url)
        self.assertContains(page, "WebJob Run Details")
        self.assertContains(page, "Toggle Output")
        text = self.get(url + "log.txt")
        self.assertTrue(text.headers["Content-Type"].startswith("text/plain"))
        body = b"".join(getattr(text, "streaming_content", [getattr(text, "content", b"")]))
        self.assertIn(b"hello from the job", body)

    def test_the_breadcrumb_leads_to_the_list_of_all_webjobs(self) -> None:
        make_job(self.slot, "other")
        url = f"{HISTORY}triggered/nightly/runs/{self.run_.number}/"
        self.assertContains(self.get(url), f'href="{HISTORY}"')
        listed = self.get(HISTORY)
        self.assertContains(listed, "nightly")
        self.assertContains(listed, "other")

    def test_a_continuous_one_has_no_runs_and_says_that_it_runs_continuously(self) -> None:
        make_job(self.slot, "worker", JobType.CONTINUOUS)
        make_instance()
        self.assertContains(self.get(HISTORY), "Runs continuously")


def test_a_person_follows_the_article_from_the_upload_to_the_output(
    engine: Engine, slot: Slot
) -> None:
    client = Client()
    client.force_login(member(slot, "cora", Role.CONTRIBUTOR))
    files = {"run.sh": "cat supporting/words", "supporting/words": "it works"}
    client.post(ADD, typed(name="hello", file=a_file(zipped(files))))
    client.post(f"{PAGE}triggered/hello/run")
    run = engine.wait(Run.objects.get())
    assert run.status == RunStatus.SUCCESS
    url = f"{HISTORY}triggered/hello/runs/{run.number}/"
    assert "it works" in client.get(url + "log").content.decode()
    assert Instance.objects.count() == 1
