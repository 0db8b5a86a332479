from datetime import UTC, datetime, timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.web.objects import make_instance, make_job, make_run, make_setting, make_slot
from tests.web.pages import PagesTestCase
from webjobs.models import Copy, Instance, Schedule, WebJob
from webjobs.states import CopyStatus, JobType, RunStatus
from webjobs.views.rows import Row, Rows

URL = "/apps/demo/webjobs/"


class WebJobsTests(PagesTestCase):
    def test_it_shows_every_webjob_with_type_status_and_schedule(self) -> None:
        job = make_job(self.slot, "nightly")
        Schedule.objects.create(job=job, expression="0 30 2 * * *")
        make_job(self.slot, "listener", JobType.CONTINUOUS)
        response = self.get(URL, self.carol)
        for text in ["nightly", "Triggered", "Ready", "0 30 2 * * *", "listener", "Continuous"]:
            self.assertContains(response, text)

    def test_an_empty_app_says_how_to_start(self) -> None:
        self.assertContains(self.get(URL), "Click ADD to get started.")

    def test_an_empty_app_tells_nobody_to_click_what_is_disabled(self) -> None:
        response = self.get(URL, self.carol)
        self.assertContains(response, "There are no WebJobs in this app.")
        self.assertNotContains(response, "Click ADD")

    def test_a_reader_sees_disabled_commands_that_say_why(self) -> None:
        response = self.get(URL, self.carol)
        self.assertContains(response, "Your role is Reader; this needs Contributor.")
        self.assertNotContains(response, "/webjobs/add")

    def test_a_contributor_can_add(self) -> None:
        self.assertContains(self.get(URL), 'href="/apps/demo/webjobs/add"')

    def test_it_is_for_members_only(self) -> None:
        self.assert_for_members_only(URL)
        self.assert_for_members_only(URL + "rows")

    def test_an_unknown_app_or_slot_is_not_found(self) -> None:
        self.assertEqual(self.get("/apps/none/webjobs/").status_code, 404)
        self.assertEqual(self.get("/apps/demo/slots/none/webjobs/").status_code, 404)

    def test_it_rejects_post(self) -> None:
        self.assert_method_refused(URL, "post")
        self.assert_method_refused(URL + "rows", "post")

    def test_a_slot_has_its_own_blade(self) -> None:
        staging = make_slot("demo", "staging")
        make_job(staging, "only-here")
        response = self.get("/apps/demo/slots/staging/webjobs/")
        self.assertContains(response, "only-here")
        self.assertContains(response, "/apps/demo/slots/staging/webjobs/add")
        self.assertNotContains(self.get(URL), "only-here")

    def test_names_are_shown_as_text(self) -> None:
        job = make_job(self.slot)
        WebJob.objects.filter(pk=job.pk).update(name="<b>x</b>")
        self.assertNotContains(self.get(URL), "<b>x</b>")

    def test_the_pages_forbid_inline_scripts(self) -> None:
        policy = self.get(URL).headers["Content-Security-Policy"]
        self.assertIn("default-src 'self'", policy)
        self.assertNotIn("unsafe-inline", policy)
        self.assertNotContains(self.get(URL), "<script>")
        self.assertNotContains(self.get(URL), "style=")

    def test_stopped_by_setting_shows_in_a_banner(self) -> None:
        make_setting(self.slot, "WEBJOBS_STOPPED", "1")
        self.assertContains(self.get(URL), "are stopped by the app setting")

    def test_without_an_instance_it_says_that_webjobs_wait(self) -> None:
        self.assertContains(self.get(URL), "No instance is running")
        make_instance()
        self.assertNotContains(self.get(URL), "No instance is running")


class WebJobPagesTests(PagesTestCase):
    def test_many_webjobs_come_in_pages_that_hold_each_once(self) -> None:
        for number in range(119):
            make_job(self.slot, f"{'Job' if number % 2 else 'job'}-{number:03d}")
        make_job(self.slot, "job-049", JobType.CONTINUOUS)
        self.assertContains(self.get(URL), "1–50 of 120")
        pages = [self.get(URL).context["page"]]
        while pages[-1].following:
            pages.append(self.client.get(URL, {"after": pages[-1].following}).context["page"])
        keys = [row.key.lower() for page in pages for row in page.rows]
        self.assertEqual(len(set(keys)), 120)
        self.assertEqual(keys, sorted(keys, key=lambda key: key.split("/")[::-1]))
        self.assertEqual([(p.first, p.last) for p in pages], [(1, 50), (51, 100), (101, 120)])
        self.assertEqual([p.count for p in pages], [120, 120, 120])

    def test_the_way_back_meets_the_same_pages(self) -> None:
        for number in range(105):
            make_job(self.slot, f"job-{number:03d}")
        second = self.get(URL + "?after=job-049/triggered").context["page"]
        third = self.client.get(URL, {"after": second.following}).context["page"]
        self.assertEqual((self.get(URL).context["page"].previous, second.previous), (None, ""))
        self.assertEqual(third.previous, "job-049/triggered")
        self.assertContains(self.client.get(URL, {"after": second.following}), "Previous page")

    def test_it_finds_by_name(self) -> None:
        for name in ("nightly", "hourly"):
            make_job(self.slot, name)
        rows = self.get(URL + "?q=NIGHT").context["page"].rows
        self.assertEqual([row.job.name for row in rows], ["nightly"])
        self.assertContains(self.get(URL + "rows?q=none"), "No WebJob has such a name.")


class WebJobRowsTests(PagesTestCase):
    def test_an_unchanged_grid_is_not_sent_again(self) -> None:
        make_job(self.slot)
        first = self.get(URL + "rows")
        again = self.get(URL + "rows", If_None_Match=first.headers["ETag"])
        self.assertEqual(again.status_code, 304)
        make_job(self.slot, "another")
        changed = self.get(URL + "rows", If_None_Match=first.headers["ETag"])
        self.assertEqual(changed.status_code, 200)

    def test_the_number_of_queries_does_not_grow_with_the_webjobs(self) -> None:
        for index in range(3):
            make_run(make_job(self.slot, f"job-{index}"))
        self.client.force_login(self.alice)
        few = self.queries()
        for index in range(3, 12):
            make_run(make_job(self.slot, f"job-{index}"))
        self.assertEqual(self.queries(), few)

    def queries(self) -> int:
        with CaptureQueriesContext(connection) as captured:
            self.client.get(URL + "rows")
        return len(captured)


class RowTests(PagesTestCase):
    def row(self, job: WebJob) -> Row:
        return Rows(self.slot).one(job)

    def copy(self, job: WebJob, status: CopyStatus, instance: Instance | None = None) -> Copy:
        instance = instance or make_instance(status)
        return Copy.objects.create(
            job=job, instance=instance, epoch=1, status=status, changed_at=timezone.now()
        )

    def test_a_triggered_webjob_that_never_ran_is_ready(self) -> None:
        self.assertEqual(self.row(make_job(self.slot)).status_words, "Ready")

    def test_a_success_reads_completed_with_its_time(self) -> None:
        job = make_job(self.slot)
        ended = timezone.now() - timedelta(days=3)
        make_run(job, RunStatus.SUCCESS, ended_at=ended)
        row = self.row(job)
        self.assertEqual((row.status_words, row.at, row.kind), ("Completed", ended, "ok"))

    def test_skipped_and_missed_occurrences_do_not_hide_the_last_run(self) -> None:
        job = make_job(self.slot)
        now = timezone.now()
        make_run(job, RunStatus.FAILED, now - timedelta(hours=2), ended_at=now)
        make_run(job, RunStatus.SKIPPED, now)
        self.assertEqual(self.row(job).status_words, "Failed")

    def test_an_active_run_shows_its_status_and_forbids_another(self) -> None:
        job = make_job(self.slot)
        make_run(job, RunStatus.RUNNING)
        row = self.row(job)
        self.assertEqual(row.status_words, "Running")
        self.assertTrue(row.is_active)

    def test_a_continuous_webjob_shows_what_its_copies_do(self) -> None:
        job = make_job(self.slot, type=JobType.CONTINUOUS)
        self.assertEqual(self.row(job).status_words, "Initializing")
        self.copy(job, CopyStatus.RUNNING)
        self.assertEqual(self.row(job).status_words, "Running")
        self.copy(job, CopyStatus.INACTIVE_INSTANCE)
        self.assertEqual(self.row(job).status_words, "Running")

    def test_copies_on_lost_instances_do_not_count(self) -> None:
        job = make_job(self.slot, type=JobType.CONTINUOUS)
        copy = self.copy(job, CopyStatus.RUNNING)
        Instance.objects.filter(pk=copy.instance_id).update(
            heartbeat_at=timezone.now() - timedelta(minutes=5)
        )
        self.assertEqual(self.row(job).status_words, "Initializing")

    def test_a_stop_wish_shows_at_once(self) -> None:
        job = make_job(self.slot, type=JobType.CONTINUOUS)
        self.copy(job, CopyStatus.RUNNING)
        self.assertTrue(self.row(job).can_stop)
        job.request_stop()
        job.refresh_from_db()
        row = self.row(job)
        self.assertEqual(row.status_words, "Stopping")
        self.assertTrue(row.can_start)
        self.assertFalse(row.can_stop)

    def test_the_next_run_is_told_in_the_zone_of_the_webjob(self) -> None:
        job = make_job(self.slot)
        Schedule.objects.create(
            job=job, expression="0 0 12 1 1 *", time_zone="W. Europe Standard Time"
        )
        row = self.row(job)
        assert row.next_run is not None
        self.assertEqual(row.next_run.astimezone(UTC).hour, 11)
        self.assertIn("12:00:00 Europe/Berlin", row.next_title)

    def test_times_and_schedules_are_told_on_hover_and_none_twice(self) -> None:
        job = make_job(self.slot)
        Schedule.objects.create(job=job, expression="0 0 12 1 1 *")
        page = self.get(URL).content.decode()
        self.assertIn('<code title="0 0 12 1 1 *\nAt 12:00 PM, on January 1">', page)
        self.assertRegex(page, r'title="\d+-01-01 12:00:00 UTC">')
        Schedule.objects.update(expression="0 0")
        self.assertIn('<code title="0 0">', self.get(URL).content.decode())

    def test_a_schedule_that_does_not_fire_says_why(self) -> None:
        job = make_job(self.slot)
        schedule = Schedule.objects.create(job=job, expression="0 0 0 30 2 *")
        self.assertEqual((self.row(job).next_run, self.row(job).next_title), (None, "Never"))
        Schedule.objects.filter(pk=schedule.pk).update(is_enabled=False)
        self.assertEqual(self.row(job).next_title, "Schedule is off")
        Schedule.objects.filter(pk=schedule.pk).update(is_enabled=True)
        make_setting(self.slot, "WEBJOBS_DISABLE_SCHEDULE", "1")
        self.assertEqual(self.row(job).next_title, "Off by app setting")

    def test_a_deleted_webjob_is_gone_from_the_list(self) -> None:
        job = make_job(self.slot)
        job.request_delete(datetime.now(UTC))
        self.assertEqual(Rows(self.slot).page().rows, [])
