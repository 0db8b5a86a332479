"""What the article on background tasks with WebJobs says, chapter by chapter, in our own words.

Most of it is tested at length elsewhere; here each sentence that describes behaviour has one
check, so that it can be seen that none was forgotten.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from tests.api.calling import basic
from tests.support.engine import ACTOR, Engine, add_job, member, text_of, wait_copy, wait_log
from tests.support.poll import until
from tests.web.objects import make_instance, make_job, make_run, make_setting, make_slot
from tests.web.pages import PagesTestCase
from tests.web.test_add import a_file, typed, zipped
from tests.web.test_runs import write
from webjobs import dispatch, housekeeping, idling
from webjobs.models import App, Copy, Instance, Role, Run, Schedule, Slot, SourceConnection, WebJob
from webjobs.models.webjob import KEEP_DELETED
from webjobs.runner.interpreters import table
from webjobs.scheduler import Scheduler
from webjobs.states import CopyStatus, JobType, RunStatus, Tier

PAGE = "/apps/demo/webjobs/"
ADD = PAGE + "add"
HISTORY = "/apps/demo/history/"
LOOP = 'echo at work\nwhile [ ! -e "$WEBJOBS_SHUTDOWN_FILE" ]; do sleep 0.05; done'


class Overview(PagesTestCase):
    """WebJobs run a program in the same instance as a web app, API app or mobile app."""

    def test_every_plan_and_kind_of_app_runs_webjobs(self) -> None:
        job = make_job(self.slot)
        for tier in Tier:
            for kind in ("web", "api", "mobile"):
                App.objects.update(tier=tier, kind=kind, always_on=False)
                Run.objects.all().delete()
                self.assertEqual(self.post(f"{PAGE}triggered/nightly/run").status_code, 200)
        self.assertEqual(Run.objects.get().job, job)

    def test_several_webjobs_live_in_one_app_and_the_portal_lists_them(self) -> None:
        for name in ("one", "two"):
            make_job(self.slot, name)
        response = self.get(PAGE)
        self.assertContains(response, 'data-name="one"')
        self.assertContains(response, 'data-name="two"')


def test_a_continuous_one_starts_at_once_and_can_be_started_again_after_its_end(
    engine: Engine, slot: Slot
) -> None:
    job = add_job(slot, "echo at work", JobType.CONTINUOUS)
    copy = wait_copy(job, CopyStatus.PENDING_RESTART)
    dispatch.start(job, ACTOR)
    until(lambda: text_of(copy).count("] at work") == 2, what="it was started again")


def test_a_triggered_one_starts_only_when_asked_and_runs_on_one_instance(
    engine: Engine, slot: Slot, data_dir: Path
) -> None:
    second = Engine(data_dir / "second").start()
    try:
        job = add_job(slot, "echo $WEBSITE_INSTANCE_ID", name="asked")
        daemon = add_job(slot, LOOP, JobType.CONTINUOUS, "everywhere")
        running = Copy.objects.filter(job=daemon, status=CopyStatus.RUNNING)
        until(lambda: running.count() == 2, what="the continuous one runs on all instances")
        assert not Run.objects.filter(job=job).exists()
        run = engine.run(job)
        assert run.instance is not None
        assert text_of(run).count(run.instance.key) == 1

        single = add_job(slot, {"run.sh": LOOP, "settings.job": '{"is_singleton": true}'},
                         JobType.CONTINUOUS, "restricted")  # fmt: skip
        wait_copy(single, CopyStatus.RUNNING)
        wait_copy(single, CopyStatus.INACTIVE_INSTANCE)
    finally:
        second.close()


def test_its_code_is_where_the_article_says(engine: Engine, slot: Slot) -> None:
    for type, folder in ((JobType.TRIGGERED, "triggered"), (JobType.CONTINUOUS, "continuous")):
        files: dict[str, str | bytes] = {
            "run.sh": "echo in $PWD; sleep 60",
            "settings.job": '{"is_in_place": true}',
        }
        job = add_job(slot, files, type, f"where-{folder}")
        shown = f"/site/wwwroot/App_Data/jobs/{folder}/where-{folder}"
        if type == JobType.CONTINUOUS:
            wait_log(wait_copy(job, CopyStatus.RUNNING), shown)
        else:
            run = engine.wait_running(dispatch.run_now(job, ACTOR))
            wait_log(run, shown)
            dispatch.stop_run(run, ACTOR)


def test_remote_debugging_is_for_continuous_ones_only(slot: Slot) -> None:
    job = add_job(slot, {"run.py": "print(1)"})
    with pytest.raises(dispatch.Refused, match="Only continuous WebJobs can be debugged"):
        dispatch.start_debugging(job, None, ACTOR)


class AlwaysOn(PagesTestCase):
    """A web app can time out after 20 minutes of inactivity."""

    def test_twenty_minutes_without_use_and_not_one_less(self) -> None:
        now = timezone.now()
        App.objects.update(always_on=False, last_used_at=now - timedelta(minutes=19))
        self.assertEqual(idling.let_idle(now), 0)
        self.assertEqual(idling.let_idle(now + timedelta(minutes=1)), 1)

    def test_always_on_prevents_it_from_the_basic_tier_on(self) -> None:
        App.objects.update(last_used_at=timezone.now() - timedelta(days=1))
        idles = {}
        for tier in Tier:
            App.objects.update(tier=tier, always_on=True, is_idle=False)
            idles[tier.value] = idling.let_idle(timezone.now())
        expected = {"free": 1, "shared": 1, "basic": 0, "standard": 0, "premium": 0}
        self.assertEqual(idles, expected)

    def test_the_page_of_an_app_without_it_says_so(self) -> None:
        App.objects.update(always_on=False)
        self.assertContains(self.get(PAGE), "Always On is off")


class SupportedFileTypes(PagesTestCase):
    """.cmd .bat .exe, .ps1, .sh, .php, .py, .js, .jar."""

    def test_each_has_a_program_that_runs_it_and_others_are_refused(self) -> None:
        types = {".cmd", ".bat", ".exe", ".ps1", ".sh", ".php", ".py", ".js", ".jar"}
        self.assertLessEqual(types, set(table({})))

    @pytest.mark.usefixtures("data_dir")
    def test_what_cannot_run_is_refused_in_words(self) -> None:
        file = a_file(zipped({"readme.txt": "hello"}))
        response = self.post(ADD, typed(file=file))
        self.assertEqual(response.status_code, 400)
        self.assertIn("file", response.json()["errors"])


@pytest.mark.usefixtures("data_dir")
class CreatingWebJobs(PagesTestCase):
    """Add, the settings of the panel, OK."""

    def test_the_panel_has_the_fields_of_the_article(self) -> None:
        response = self.get(ADD)
        for label in ("Name", "File Upload", "Type", "Triggers", "CRON Expression", "Scale"):
            self.assertContains(response, f">{label}</label>")
        self.assertContains(response, '<button class="button primary">OK</button>')

    def test_the_name_is_unique_within_the_app_and_begins_with_a_letter_or_number(self) -> None:
        self.assertEqual(self.post(ADD, typed(name="my-Job_1")).status_code, 200)
        for name in ("my-Job_1", "-x", "_x", "a b", "é", "a.b"):
            response = self.post(ADD, typed(name=name))
            self.assertEqual(response.status_code, 400, name)
            self.assertIn("name", response.json()["errors"])

    def test_ok_adds_it_notifies_and_refresh_shows_it(self) -> None:
        message = self.post(ADD, typed(name="fresh")).json()["message"]
        self.assertEqual(message, "Successfully added WebJob 'fresh'")
        self.assertContains(self.get(PAGE + "rows"), 'data-name="fresh"')

    def test_type_and_scale_of_a_continuous_one(self) -> None:
        self.post(ADD, typed(name="all", type="continuous", scale="multi"))
        self.post(ADD, typed(name="one", type="continuous", scale="single"))
        found = dict(WebJob.objects.values_list("name", "is_singleton"))
        self.assertEqual(found, {"all": None, "one": True})

    def test_scale_is_for_continuous_ones_and_not_for_free_and_shared(self) -> None:
        self.post(ADD, typed(name="t", scale="single"))
        self.assertIsNone(WebJob.objects.get().is_singleton)
        for tier in (Tier.FREE, Tier.SHARED):
            App.objects.update(tier=tier)
            self.assertContains(self.get(ADD), "Multi Instance needs a Basic")
            self.assertTrue(WebJob.objects.select_related("slot__app").get().runs_once)

    def test_a_manual_trigger_is_the_default_and_a_webhook_runs_it_too(self) -> None:
        self.post(ADD, typed(name="manual"))
        self.assertFalse(Schedule.objects.exists())
        self.client.logout()
        header = {"Authorization": basic("$demo", self.slot.publishing_password)}
        answer = self.client.post("/scm/demo/api/triggeredwebjobs/manual/run", headers=header)
        self.assertEqual(answer.status_code, 202)
        self.assertEqual(Run.objects.get().job.name, "manual")

    def test_a_scheduled_trigger_has_a_cron_expression_and_asks_for_always_on(self) -> None:
        self.post(ADD, typed(name="s", triggers="scheduled", cron="0 0/20 * * * *"))
        schedule = Schedule.objects.get()
        self.assertEqual(schedule.expression, "0 0/20 * * * *")
        self.assertEqual(schedule.job.settings_job["schedule"], "0 0/20 * * * *")
        self.assertContains(self.get(ADD), "enable the Always On feature")

    def test_a_scheduled_one_is_run_by_hand_at_any_time(self) -> None:
        self.post(ADD, typed(name="s", triggers="scheduled", cron="0 0 0 1 1 *"))
        self.assertEqual(self.post(f"{PAGE}triggered/s/run").status_code, 200)

    def test_with_source_control_none_is_added_in_the_portal(self) -> None:
        SourceConnection.objects.create(slot=self.slot, url="/srv/x", branch="main", by_name="x")
        response = self.post(ADD, typed(name="late"))
        self.assertEqual(response.status_code, 400, response.content)
        self.assertIn("source control", str(response.json()["errors"]))
        self.assertFalse(WebJob.objects.exists())


def test_a_schedule_is_read_in_utc_or_in_the_zone_of_the_app(slot: Slot, broker: str) -> None:
    add_job(slot, "true", schedule="0 0 15 * * *")
    beat = Scheduler(lambda pks: None)
    day = timezone.now().replace(hour=14, minute=59, second=0, microsecond=0) + timedelta(days=1)
    Schedule.objects.update(since=day, changed_at=day)
    for moment in (day, day + timedelta(minutes=1)):
        beat.step(moment)
    change = dispatch.SettingChange("WEBSITE_TIME_ZONE", "Asia/Kolkata")
    dispatch.change_settings(slot, [change], ACTOR)
    for hours in (2, 18.6):
        beat.step(day + timedelta(hours=hours))
    found = Run.objects.order_by("scheduled_for").values_list("scheduled_for", flat=True)
    assert [f"{moment:%H:%M}" for moment in found if moment] == ["15:00", "09:30"]


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
        self.assertContains(self.get(PAGE), 'data-command="logs"')
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
    client.post(ADD, typed(name="hello", file=a_file(zipped({"run.sh": "echo it works"}))))
    client.post(f"{PAGE}triggered/hello/run")
    run = engine.wait(Run.objects.get())
    assert run.status == RunStatus.SUCCESS
    url = f"{HISTORY}triggered/hello/runs/{run.number}/"
    assert "it works" in client.get(url + "log").content.decode()
    assert Instance.objects.count() == 1
