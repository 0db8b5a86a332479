"""Start debugging and Stop debugging: who may, what is asked, and what the pages show."""

from __future__ import annotations

from datetime import timedelta

from django.test import TestCase
from django.utils import timezone

from tests.web.objects import make_instance, make_job, make_member, make_slot
from webjobs import dispatch, housekeeping
from webjobs.dispatch import Actor, Refused
from webjobs.engine.attaching import DebugState
from webjobs.models import AuditEntry, Copy, DebugSession, Role, WebJob
from webjobs.models.debugging import OVERDUE_AFTER
from webjobs.states import CopyStatus, JobType

DORA = Actor(user=None, name="dora")


class DebuggingTests(TestCase):
    def setUp(self) -> None:
        self.slot = make_slot()
        self.job = self._job("worker", "run.py")
        self.instance = make_instance("alpha")
        self.copy = self._copy(self.job)
        self.cora = make_member(self.slot.app, "cora", Role.CONTRIBUTOR)
        self.client.force_login(self.cora)
        self.page = "/apps/demo/history/continuous/worker/"
        self.start = f"/apps/demo/webjobs/continuous/worker/debug/{self.instance.key}/start"
        self.stop = self.start.removesuffix("start") + "stop"

    def _job(self, name: str, script: str, type: JobType = JobType.CONTINUOUS) -> WebJob:
        job = make_job(self.slot, name, type)
        WebJob.objects.filter(pk=job.pk).update(script=script)
        job.refresh_from_db()
        return job

    def _copy(self, job: WebJob, status: CopyStatus = CopyStatus.RUNNING) -> Copy:
        return Copy.objects.create(
            job=job, instance=self.instance, epoch=1, status=status, changed_at=timezone.now()
        )

    def _actor(self) -> Actor:
        return Actor(user=self.cora, name="cora")

    def test_it_asks_for_how_long_and_starts(self) -> None:
        self.assertContains(self.client.get(self.page), "No debugger")
        self.assertContains(self.client.get(self.start), "30 minutes")
        answer = self.client.post(self.start, {"minutes": "30"}, follow=True)
        self.assertContains(answer, "The debugger starts")
        self.assertContains(
            answer,
            "python manage.py debug demo worker --instance alpha --url http://testserver/",
        )
        session = DebugSession.objects.get()
        self.assertEqual((session.by_name, session.language), ("cora", "python"))
        self.assertEqual(session.until - session.requested_at, timedelta(minutes=30))
        entry = AuditEntry.objects.get(action="debug.start")
        self.assertEqual(entry.target, "demo/continuous/worker")
        self.assertEqual(entry.details, {"instance": "alpha", "minutes": 30.0})

    def test_the_lists_show_it(self) -> None:
        for page in ("/apps/demo/webjobs/", "/apps/demo/history/"):
            self.assertNotContains(self.client.get(page), ">debugging<")
        dispatch.start_debugging(self.job, self.instance, self._actor())
        for page in ("/apps/demo/webjobs/", "/apps/demo/history/"):
            self.assertContains(self.client.get(page), ">debugging<")

    def test_it_stops_after_a_question(self) -> None:
        session = dispatch.start_debugging(self.job, self.instance, self._actor())
        self.assertContains(self.client.get(self.stop), "without its debugger")
        answer = self.client.post(self.stop, follow=True)
        self.assertContains(answer, "Debugging ends")
        session.refresh_from_db()
        self.assertEqual(session.stop_requested_by, "cora")
        self.client.post(self.stop)
        self.assertEqual(AuditEntry.objects.filter(action="debug.stop").count(), 1)
        self.assertTrue(session.end(timezone.now(), "cora stopped it."))
        self.assertContains(self.client.get(self.page), "cora stopped it.")

    def test_only_contributors_may(self) -> None:
        for name, role, status in (
            ("otto", Role.OPERATOR, 403),
            ("rita", Role.READER, 403),
            ("sven", None, 404),
        ):
            self.client.force_login(make_member(self.slot.app, name, role))
            for address in (self.start, self.stop):
                with self.subTest(name=name, address=address):
                    self.assertEqual(self.client.post(address).status_code, status)
        self.assertFalse(DebugSession.objects.exists())
        self.client.force_login(make_member(self.slot.app, "ruth", Role.READER))
        self.assertContains(self.client.get(self.page), "this needs Contributor")

    def test_it_refuses_other_times_instances_and_methods(self) -> None:
        self.assertEqual(self.client.post(self.start, {"minutes": "61"}).status_code, 400)
        other = self.start.replace(self.instance.key, "0" * 32)
        self.assertEqual(self.client.post(other, {"minutes": "5"}).status_code, 404)
        self.assertEqual(self.client.put(self.start).status_code, 405)
        for lasts in (timedelta(0), timedelta(minutes=61)):
            with self.assertRaisesMessage(Refused, "from 1 to 60 minutes"):
                dispatch.start_debugging(self.job, self.instance, self._actor(), lasts)

    def test_a_webjob_without_a_debugger_is_refused_in_words(self) -> None:
        shell = self._job("shell", "run.sh")
        self._copy(shell)
        page = "/apps/demo/history/continuous/shell/"
        self.assertNotContains(self.client.get(page), "Remote debugging")
        with self.assertRaisesMessage(Refused, "run.sh cannot be debugged remotely"):
            dispatch.start_debugging(shell, self.instance, self._actor())
        triggered = self._job("nightly", "run.py", JobType.TRIGGERED)
        with self.assertRaisesMessage(Refused, "Only continuous WebJobs"):
            dispatch.start_debugging(triggered, None, self._actor())

    def test_what_does_not_run_there_is_refused(self) -> None:
        Copy.objects.update(status=CopyStatus.STOPPED)
        with self.assertRaisesMessage(Refused, "does not run on that instance"):
            dispatch.start_debugging(self.job, self.instance, self._actor())
        answer = self.client.post(self.start, {"minutes": "5"}, follow=True)
        self.assertContains(answer, "Debugging was not started")

    def test_the_second_developer_is_told(self) -> None:
        first = dispatch.start_debugging(self.job, None, self._actor())
        with self.assertRaisesMessage(Refused, "cora debugs this WebJob on alpha until"):
            dispatch.start_debugging(self.job, self.instance, DORA)
        self.assertEqual(dispatch.start_debugging(self.job, None, self._actor()), first)
        with self.assertRaisesMessage(Refused, "Only cora"):
            dispatch.check_connectable(first, DORA)
        # They see it, but no command that would not work.
        self.client.force_login(make_member(self.slot.app, "dora", Role.CONTRIBUTOR))
        self.assertNotContains(self.client.get(self.page), "manage.py debug")

    def test_a_session_that_nobody_ended_does_not_keep_others_away(self) -> None:
        old = dispatch.start_debugging(self.job, None, self._actor())
        until = timezone.now() - OVERDUE_AFTER - timedelta(seconds=1)
        DebugSession.objects.update(until=until)
        self.assertNotEqual(dispatch.start_debugging(self.job, None, DORA), old)
        old.refresh_from_db()
        self.assertEqual(old.reason, "Its time was over.")

    def test_housekeeping_ends_what_nobody_else_can(self) -> None:
        dispatch.start_debugging(self.job, None, self._actor())
        late = timezone.now() + timedelta(minutes=16) + OVERDUE_AFTER
        self.assertEqual(housekeeping.end_debug_sessions(timezone.now()), 0)
        self.assertEqual(housekeeping.end_debug_sessions(late), 1)
        self.assertEqual(housekeeping.end_debug_sessions(late), 0)

    def test_nobody_connects_when_it_is_over(self) -> None:
        session = dispatch.start_debugging(self.job, None, self._actor())
        dispatch.stop_debugging(session, DORA)
        session.refresh_from_db()
        with self.assertRaisesMessage(Refused, "The debug session is over"):
            dispatch.check_connectable(session, self._actor())

    def test_facts_of_another_epoch_are_not_written(self) -> None:
        session = dispatch.start_debugging(self.job, None, self._actor())
        epoch = self.instance.epoch
        self.assertFalse(session.note(epoch + 1, port=5678))
        self.assertTrue(session.note(epoch, port=5678))
        self.assertTrue(session.end(timezone.now(), "over"))
        self.assertFalse(session.note(epoch, port=5678))
        self.assertFalse(session.end(timezone.now(), "over again"))


class DebugStateTests(TestCase):
    def test_only_the_start_of_what_is_debugged_is_news(self) -> None:
        """News make the supervisor look at every wish again."""
        state = DebugState()
        state.begin()
        state.started(None)
        state.over()
        self.assertFalse(state.is_news)
        state.set_wish(DebugSession(pk=1))
        state.begin()
        state.started(None)  # It was refused, which has to be told.
        self.assertTrue(state.is_news)
