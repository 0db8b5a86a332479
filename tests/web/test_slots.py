"""The pages of deployment slots."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.web.objects import ALICE, make_job, make_run, make_setting, make_slot, make_upload
from tests.web.pages import PagesTestCase
from webjobs import deploying, dispatch, housekeeping, swapping
from webjobs.deploying.asking import Wish
from webjobs.models import (
    AppSetting,
    AuditEntry,
    PackageVersion,
    Run,
    Schedule,
    Slot,
    SourceConnection,
    Swap,
    WebJob,
)
from webjobs.states import JobType, RunStatus, SlotHold, SwapState

URL = "/apps/demo/deployment-slots/"


class ListTests(PagesTestCase):
    def test_it_shows_the_slots_with_what_is_in_them(self) -> None:
        staging = make_slot("demo", "staging")
        make_job(staging, "worker", JobType.CONTINUOUS)
        make_setting(staging, "WEBJOBS_STOPPED", "1")
        response = self.get(URL, self.carol)
        self.assertContains(response, "/apps/demo/slots/staging/webjobs/")
        self.assertContains(response, 'class="status none">Stopped')
        self.assertContains(response, 'class="status ok">Running')
        self.assertNotContains(response, URL + "staging/delete")
        self.assertContains(self.get(URL), URL + "staging/delete")

    def test_it_is_for_members_only(self) -> None:
        for url in (URL, URL + "add", URL + "swap", URL + "staging/delete"):
            self.assert_for_members_only(url)
        make_slot("demo", "staging")
        for page in ("add", "swap", "swap/cancel", "staging/delete"):
            self.assert_refused_to(URL + page, self.bob, self.carol)
        self.assert_method_refused(URL, "post")
        self.assert_method_refused(URL + "swap/cancel", "get")

    def test_it_leads_there_from_the_menu_of_every_slot(self) -> None:
        make_slot("demo", "staging")
        response = self.get("/apps/demo/slots/staging/webjobs/")
        self.assertContains(response, "/apps/demo/slots/staging/deployment-slots/")


class AddTests(PagesTestCase):
    def test_an_empty_slot_has_credentials_of_its_own(self) -> None:
        response = self.post(URL + "add", {"name": "staging"})
        self.assertEqual(response.json()["message"], "Successfully added slot 'staging'")
        staging = Slot.objects.get(name="staging")
        self.assertNotEqual(staging.publishing_password, self.slot.publishing_password)
        self.assertEqual(staging.publishing_user, "$demo__staging")
        self.assertEqual(AuditEntry.objects.get().action, "slot.add")

    def test_a_clone_has_the_settings_and_if_wished_the_webjobs_but_starts_nothing(self) -> None:
        make_setting(self.slot, "COLOR", "blue", is_slot_setting=True)
        make_setting(self.slot, "KEY", "hidden", is_secret=True)
        make_job(self.slot, "worker", JobType.CONTINUOUS, is_singleton=True)
        nightly = make_job(self.slot, "nightly", retry_attempts=2)
        Schedule.objects.create(job=nightly, expression="0 0 3 * * *")

        data = {"name": "staging", "source": "production", "with_jobs": "on"}
        self.assertEqual(self.post(URL + "add", data).status_code, 200)

        staging = Slot.objects.get(name="staging")
        marks = AppSetting.objects.filter(slot=staging).values_list(
            "name", "is_secret", "is_slot_setting"
        )
        self.assertEqual(set(marks), {("COLOR", False, True), ("KEY", True, False)})
        self.assertEqual(AppSetting.objects.get(slot=staging, name="KEY").value, "hidden")
        worker, copy = staging.webjobs.get(name="worker"), staging.webjobs.get(name="nightly")
        self.assertTrue(worker.is_stopped)
        self.assertTrue(worker.is_singleton)
        self.assertEqual(copy.retry_attempts, 2)
        self.assertFalse(copy.schedule.is_enabled)
        self.assertEqual(copy.package, nightly.package)
        self.assertEqual(PackageVersion.objects.filter(job=copy).count(), 1)
        self.assertFalse(WebJob.objects.get(slot=self.slot, name="worker").is_stopped)

    def test_bad_names_are_refused_beside_the_field(self) -> None:
        make_slot("demo", "staging")
        for name in ("", "my slot", "-x", "STAGING", "Production", "x" * 61):
            response = self.post(URL + "add", {"name": name})
            self.assertEqual(response.status_code, 400, name)
            self.assertIn("name", response.json()["errors"], name)
        response = self.post(URL + "add", {"name": "new", "with_jobs": "on"})
        self.assertIn("source", response.json()["errors"])
        self.assertContains(self.get(URL + "add"), "stay stopped until you start them")


class DeleteTests(PagesTestCase):
    def setUp(self) -> None:
        self.staging = make_slot("demo", "staging")
        self.job = make_job(self.staging, "worker", JobType.CONTINUOUS)
        make_setting(self.staging, "COLOR", "green")

    def test_the_question_names_what_goes(self) -> None:
        response = self.get(URL + "staging/delete")
        self.assertContains(response, "worker")
        self.assertContains(response, "COLOR")
        self.assertNotContains(response, "green")

    def test_it_vanishes_at_once_and_its_rows_once_nothing_runs(self) -> None:
        triggered = make_job(self.staging)
        run = make_run(triggered, RunStatus.QUEUED)
        self.assertEqual(self.post(URL + "staging/delete").status_code, 200)
        self.assertEqual(self.get("/apps/demo/slots/staging/webjobs/").status_code, 404)
        run.refresh_from_db()
        self.assertEqual(run.status, RunStatus.ABORTED)
        self.assertIn("slot staging was deleted by alice", run.reason)
        # The name is free again.
        self.assertEqual(self.post(URL + "add", {"name": "staging"}).status_code, 200)
        housekeeping.purge_deleted(self.staging.app.created_at)
        self.assertFalse(Slot.objects.filter(pk=self.staging.pk).exists())
        self.assertFalse(WebJob.objects.filter(pk=self.job.pk).exists())
        self.assertTrue(Slot.objects.living().filter(name="staging").exists())

    def test_production_never(self) -> None:
        response = self.post(URL + "production/delete")
        self.assertEqual(response.status_code, 409)
        self.assertIn("cannot be deleted", response.json()["error"])
        self.assertEqual(self.post(URL + "nothing/delete").status_code, 404)


class SwapTests(PagesTestCase):
    def setUp(self) -> None:
        self.staging = make_slot("demo", "staging")

    def test_a_page_from_before_another_swap_does_not_take_it_back(self) -> None:
        page = self.get(URL + "swap")
        self.assertContains(page, 'name="seen" value="0"')
        self.post_swap()
        Swap.objects.update(state=SwapState.SUCCEEDED, ended_at=timezone.now())
        typed = {"source": "staging", "target": "production", "seen": "0"}
        page = self.post(URL + "swap", typed, script=False)
        self.assertContains(page, "have been swapped since this page was opened", status_code=400)
        self.assertEqual(Swap.objects.count(), 1)
        self.assertContains(page, f'name="seen" value="{Swap.objects.get().pk}"', status_code=400)

    def post_swap(self, source: str = "staging", target: str = "production") -> None:
        with self.captureOnCommitCallbacks(execute=True), patch.object(swapping, "nudge_workers"):
            response = self.post(URL + "swap", {"source": source, "target": target})
        self.assertEqual(response.status_code, 200, response.content)

    def test_the_preview_tells_before_and_after_without_values(self) -> None:
        new = dispatch.NewWebJob("report", JobType.TRIGGERED, make_upload("echo one\n"))
        dispatch.add_webjob(self.slot, new, ALICE)
        make_setting(self.slot, "COLOR", "blue")
        make_setting(self.staging, "COLOR", "green")
        make_setting(self.slot, "STAYS", "here", is_slot_setting=True)
        make_setting(self.staging, "ONLY", "there")
        make_run(WebJob.objects.get(), RunStatus.RUNNING)
        response = self.get(URL + "swap")
        self.assertContains(response, "gets the value of staging")
        self.assertContains(response, "goes to production")
        self.assertContains(response, "comes from staging")
        self.assertContains(response, "Deployment slot setting")
        self.assertContains(response, "waits for these runs in progress")
        self.assertNotContains(response, "blue")
        self.assertContains(self.get(URL + "swap?source=staging&target=staging"), "two different")

    def test_the_preview_tells_that_a_repository_stays_with_its_slot(self) -> None:
        self.assertNotContains(self.get(URL + "swap"), "repository")
        wish = Wish("https://host.invalid/jobs.git", "main")
        deploying.connect(self.staging, wish, ALICE)
        response = self.get(URL + "swap")
        words = "The slot staging stays connected with the repository https://host.invalid/jobs.git"
        self.assertContains(response, words)
        self.post_swap()
        self.assertEqual(SourceConnection.objects.get().slot, self.staging)

    def test_without_a_worker_it_is_done_at_once_and_told(self) -> None:
        job = make_job(self.staging)
        self.post_swap()
        job.refresh_from_db()
        self.assertEqual(job.slot, self.slot)
        swap = Swap.objects.get()
        self.assertEqual((swap.state, swap.by_name), (SwapState.SUCCEEDED, "alice"))
        response = self.get(URL, self.carol)
        self.assertContains(response, "1 WebJob and 0 settings changed places.")

    def test_schedules_go_on_where_they_were_unless_the_zone_is_another(self) -> None:
        job = make_job(self.staging)
        schedule = Schedule.objects.create(job=job, expression="0 * * * * *")
        self.post_swap()
        moved = Schedule.objects.get()
        self.assertEqual(moved.since, schedule.since)
        self.assertGreater(moved.changed_at, schedule.changed_at)
        make_setting(self.staging, "WEBSITE_TIME_ZONE", "Asia/Tokyo", is_slot_setting=True)
        self.post_swap()
        self.assertGreater(Schedule.objects.get().since, schedule.since)

    def test_what_waits_is_cancelled_in_words_in_a_slot_that_is_stopped(self) -> None:
        make_setting(self.staging, "WEBJOBS_STOPPED", "1", is_slot_setting=True)
        run = make_run(make_job(self.slot), RunStatus.QUEUED)
        self.post_swap()
        run.refresh_from_db()
        self.assertEqual(run.status, RunStatus.ABORTED)
        self.assertIn("WEBJOBS_STOPPED is 1", run.reason)

    def test_it_waits_for_a_run_can_be_cancelled_and_lets_the_queue_go_on(self) -> None:
        busy, other = make_job(self.slot, "busy"), make_job(self.staging, "other")
        make_run(busy, RunStatus.RUNNING)
        queued = make_run(other, RunStatus.QUEUED)
        self.post_swap()
        queued.refresh_from_db()
        self.assertIsNone(queued.lane)
        self.assertContains(self.get(URL), "It waits for runs in progress")
        self.assertContains(self.get("/apps/demo/webjobs/"), "being swapped")
        self.assertEqual(self.post(URL + "staging/delete").status_code, 409)

        self.assertEqual(self.post(URL + "swap/cancel").status_code, 200)
        queued.refresh_from_db()
        self.assertEqual(queued.lane, 0)
        self.assertEqual(Swap.objects.get().state, SwapState.FAILED)
        self.assertFalse(Slot.objects.exclude(hold=SlotHold.NONE).exists())
        self.assertEqual(self.post(URL + "swap/cancel").status_code, 409)
        self.assertEqual(Run.objects.get(pk=queued.pk).status, RunStatus.QUEUED)

    def test_an_exchange_that_always_fails_is_given_up_and_all_is_as_it_was(self) -> None:
        job = make_job(self.staging)
        make_setting(self.slot, "COLOR", "blue")
        make_run(job, RunStatus.RUNNING)
        self.post_swap()
        Run.objects.update(status=RunStatus.SUCCESS, lane=None)
        swap = Swap.objects.get()
        later = swap.deadline + timedelta(seconds=200)
        with (
            patch.object(swapping, "_settle", side_effect=IntegrityError("never")),
            patch.object(swapping, "nudge_workers"),
            self.assertLogs("webjobs.swapping", "ERROR"),
        ):
            swapping.advance_all(swap.started_at)
            swap.refresh_from_db()
            self.assertEqual(swap.state, SwapState.STOPPING)
            swapping.advance_all(later)
        swap.refresh_from_db()
        self.assertEqual(swap.state, SwapState.FAILED)
        self.assertIn("everything goes on as it was", swap.reason)
        job.refresh_from_db()
        self.assertEqual(job.slot, self.staging)
        self.assertEqual(AppSetting.objects.get().slot, self.slot)
        self.assertFalse(Slot.objects.exclude(hold=SlotHold.NONE).exists())

    def test_a_swap_is_cancelled_also_when_it_has_just_gone_on(self) -> None:
        make_run(make_job(self.slot), RunStatus.RUNNING)
        self.post_swap()
        seen = Swap.objects.get()
        Swap.objects.update(state=SwapState.STOPPING)
        dispatch.cancel_swap(seen, ALICE)
        self.assertEqual(Swap.objects.get().state, SwapState.FAILED)

    def test_two_at_once_are_refused_by_the_database(self) -> None:
        make_run(make_job(self.slot), RunStatus.RUNNING)
        self.post_swap()
        response = self.post(URL + "swap", {"source": "staging", "target": "production"})
        self.assertEqual(response.status_code, 409)
        self.assertIn("under way", response.json()["error"])
        swap = Swap.objects.get()
        swap.pk = None
        with self.assertRaises(IntegrityError), transaction.atomic():
            swap.save(force_insert=True)

    def test_names_in_both_slots_change_places_also_in_another_case(self) -> None:
        make_job(self.slot, "report", stopping_wait_time=1)
        make_job(self.staging, "Report", stopping_wait_time=2)
        self.post_swap()
        found = WebJob.objects.values_list("slot__name", "name", "stopping_wait_time")
        self.assertEqual(set(found), {("production", "Report", 2), ("staging", "report", 1)})
        self.assertEqual(Slot.objects.count(), 2)
