"""From the overview to the CRON expressions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from tests.api.calling import basic
from tests.support.engine import ACTOR, Engine, add_job, text_of, wait_copy, wait_log
from tests.support.poll import until
from tests.web.objects import make_job
from tests.web.pages import PagesTestCase
from tests.web.test_add import a_file, typed, zipped
from webjobs import dispatch, idling, ncrontab
from webjobs.models import App, Copy, Run, Schedule, Slot, SourceConnection, WebJob
from webjobs.runner.interpreters import table
from webjobs.scheduler import Scheduler
from webjobs.states import CopyStatus, JobType, Tier

PAGE = "/apps/demo/webjobs/"
ADD = PAGE + "add"
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

    def test_a_use_of_the_app_resets_the_timer(self) -> None:
        long_ago = timezone.now() - timedelta(hours=1)
        App.objects.update(always_on=False, is_idle=True, last_used_at=long_ago)
        self.get(PAGE)
        app = App.objects.get()
        self.assertFalse(app.is_idle)
        self.assertGreater(app.last_used_at, long_ago + timedelta(minutes=59))

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
        self.assertEqual(WebJob.objects.get(name="one").settings_job, {"is_singleton": True})

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


class CronExpressions(PagesTestCase):
    """{second} {minute} {hour} {day} {month} {day-of-week}: a time and date, not a time span."""

    def test_the_examples_fire_when_the_article_says(self) -> None:
        start = datetime(2021, 1, 1, 4, 59, 59, tzinfo=UTC)  # A Friday.
        for expression, wanted in [
            ("0 5 * * * *", ["01 05:05:00", "01 06:05:00"]),
            ("0 * 5 * * *", ["01 05:00:00", "01 05:01:00"]),
            ("5-7 * * * * *", ["01 05:00:05", "01 05:00:06", "01 05:00:07", "01 05:01:05"]),
            ("5,8,10 * * * * *", ["01 05:00:05", "01 05:00:08", "01 05:00:10"]),
            ("0 */5 * * * *", ["01 05:00:00", "01 05:05:00"]),
            ("0 0/20 * * * *", ["01 05:00:00", "01 05:20:00", "01 05:40:00", "01 06:00:00"]),
            ("0 0 * * * *", ["01 05:00:00", "01 06:00:00"]),
            ("0 0 */2 * * *", ["01 06:00:00", "01 08:00:00"]),
            ("0 0 9-17 * * *", ["01 09:00:00", "01 10:00:00"]),
            ("0 30 9 * * *", ["01 09:30:00", "02 09:30:00"]),
            ("0 30 9 * * 1-5", ["01 09:30:00", "04 09:30:00"]),
            ("0 30 9 * Jan Mon", ["04 09:30:00", "11 09:30:00"]),
            ("0 30 9 * JANUARY monday", ["04 09:30:00"]),
        ]:
            at, found = start, []
            for _ in wanted:
                moment = ncrontab.parse(expression).next_in_zone(at, ZoneInfo("UTC"))
                assert moment is not None
                found.append(f"{moment:%d %H:%M:%S}")
                at = moment
            self.assertEqual(found, wanted, expression)

    def test_one_without_seconds_is_refused_and_told_what_to_add(self) -> None:
        response = self.post(ADD, typed(name="s", triggers="scheduled", cron="*/5 * * * *"))
        self.assertEqual(response.status_code, 400)
        self.assertIn("second", str(response.json()["errors"]["cron"]))


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
