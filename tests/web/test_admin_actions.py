"""Actions of the admin go the way of the portal's: through dispatch, recorded, refused in words."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from tests.web.objects import make_instance, make_job, make_run, make_setting, make_slot
from webjobs.models import App, AuditEntry, Membership, Role, Run, Schedule, Slot, WebJob
from webjobs.states import JobType, RunStatus


class _AsOperator(TestCase):
    def setUp(self) -> None:
        self.operator = User.objects.create_superuser("admin", password="correct-horse-9")
        self.client.force_login(self.operator)
        self.slot = make_slot()

    def act(self, model: str, action: str, *objects: object, **more: str) -> list[str]:
        """Do a list's action on `objects`; returns the messages."""
        keys = [getattr(found, "pk", None) for found in objects]
        response = self.client.post(
            reverse(f"admin:{model}_changelist"),
            {"action": action, "_selected_action": keys, **more},
        )
        self.assertEqual(response.status_code, 302)
        return self.messages(response)

    def post(self, name: str, /, *args: object, **values: object) -> HttpResponse:
        return self.client.post(reverse(f"admin:{name}", args=args), values)  # type: ignore[return-value]

    def messages(self, response: object) -> list[str]:
        return [str(message) for message in get_messages(response.wsgi_request)]  # type: ignore[attr-defined]

    def actions(self) -> list[tuple[str, str]]:
        """What was recorded, oldest first; by whom and from where is checked here."""
        entries = AuditEntry.objects.order_by("pk")
        for entry in entries:
            self.assertEqual((entry.user, entry.user_name), (self.operator, "admin"))
            self.assertEqual(entry.address, "127.0.0.1")
        return [(entry.action, entry.target) for entry in entries]


class WebJobActionTests(_AsOperator):
    def test_run_queues_a_run_of_each(self) -> None:
        jobs = [make_job(self.slot, "one"), make_job(self.slot, "two")]
        self.assertEqual(self.act("webjobs_webjob", "run", *jobs), ["2 WebJobs were triggered."])
        self.assertEqual(Run.objects.queued().count(), 2)
        self.assertEqual(Run.objects.first().requested_by, self.operator)  # type: ignore[union-attr]
        expected = [("webjob.run", "demo/triggered/one"), ("webjob.run", "demo/triggered/two")]
        self.assertEqual(sorted(self.actions()), expected)

    def test_refusals_are_told_one_by_one_and_the_others_go_on(self) -> None:
        busy, daemon = make_job(self.slot, "busy"), make_job(self.slot, "d", JobType.CONTINUOUS)
        make_run(busy, RunStatus.RUNNING)
        found = self.act("webjobs_webjob", "run", busy, daemon, make_job(self.slot, "free"))
        self.assertEqual(
            found,
            [
                "1 WebJobs were triggered.",
                "busy: Cannot start a new run since job is already running.",
                "d: A continuous WebJob is started and stopped, not run.",
            ],
        )

    def test_many_refusals_are_summed_up(self) -> None:
        jobs = [make_job(self.slot, f"d{index}", JobType.CONTINUOUS) for index in range(12)]
        found = self.act("webjobs_webjob", "run", *jobs)
        self.assertEqual((len(found), found[-1]), (11, "2 more were refused."))

    def test_stop_and_start_write_the_wish(self) -> None:
        daemon = make_job(self.slot, "daemon", JobType.CONTINUOUS)
        self.act("webjobs_webjob", "stop", daemon)
        daemon.refresh_from_db()
        self.assertTrue(daemon.is_stopped)
        self.act("webjobs_webjob", "start", daemon)
        daemon.refresh_from_db()
        self.assertFalse(daemon.is_stopped)
        self.assertEqual([action for action, _ in self.actions()], ["webjob.stop", "webjob.start"])

    def test_deleting_the_selected_asks_first_and_then_only_wishes(self) -> None:
        job = make_job(self.slot)
        run = make_run(job, RunStatus.RUNNING)
        form = {"action": "delete_selected", "_selected_action": [job.pk]}
        page = self.client.post(reverse("admin:webjobs_webjob_changelist"), form)
        self.assertContains(page, "demo/triggered/nightly")
        self.assertTrue(WebJob.objects.living().exists())
        self.act("webjobs_webjob", "delete_selected", job, post="yes")
        self.assertEqual(WebJob.objects.living().count(), 0)
        self.assertEqual(WebJob.objects.count(), 1)
        run.refresh_from_db()
        self.assertEqual(run.stop_reason, "The WebJob was deleted by admin.")
        self.assertEqual(self.actions(), [("webjob.delete", "demo/triggered/nightly")])

    def test_deleting_on_its_page_is_the_same(self) -> None:
        job = make_job(self.slot)
        self.post("webjobs_webjob_delete", job.pk, post="yes")
        job.refresh_from_db()
        self.assertIsNotNone(job.deleted_at)
        self.assertEqual(self.actions(), [("webjob.delete", "demo/triggered/nightly")])

    def test_the_question_does_not_read_the_history(self) -> None:
        job = make_job(self.slot)
        for number in range(30):
            make_run(job, at=timezone.now() - timedelta(minutes=number))
        with self.assertNumQueries(3):
            self.client.get(reverse("admin:webjobs_webjob_delete", args=[job.pk]))

    def test_a_webjob_is_not_edited_here(self) -> None:
        job = make_job(self.slot)
        self.assertEqual(self.post("webjobs_webjob_change", job.pk, name="x").status_code, 403)
        self.assertEqual(self.post("webjobs_webjob_add", name="x").status_code, 403)

    def test_schedules_are_switched_off_and_on(self) -> None:
        job = make_job(self.slot)
        schedule = Schedule.objects.create(job=job, expression="0 0 * * * *")
        self.act("webjobs_schedule", "switch_off", schedule)
        schedule.refresh_from_db()
        self.assertFalse(schedule.is_enabled)
        self.act("webjobs_schedule", "switch_on", schedule)
        schedule.refresh_from_db()
        self.assertTrue(schedule.is_enabled)
        self.assertEqual(self.actions(), [("webjob.schedule", "demo/triggered/nightly")] * 2)


class RunActionTests(_AsOperator):
    def test_stop_asks_those_that_are_active_and_refuses_the_others(self) -> None:
        running = make_run(make_job(self.slot, "one"), RunStatus.QUEUED)
        running.claim(make_instance(), timezone.now())
        ended = make_run(make_job(self.slot, "two"))
        found = self.act("webjobs_run", "stop", running, ended)
        self.assertEqual(
            sorted(found),
            sorted(["1 runs were asked to stop.", f"{ended.number}: This run has ended already."]),
        )
        running.refresh_from_db()
        self.assertEqual(running.stop_reason, "Stopped by admin.")
        self.assertEqual(self.actions(), [("run.stop", "demo/triggered/one")])

    def test_an_occurrence_that_executes_is_stopped_the_same_way(self) -> None:
        run = make_run(make_job(self.slot), RunStatus.QUEUED, scheduled_for=timezone.now())
        self.act("webjobs_occurrence", "stop", run)
        run.refresh_from_db()
        self.assertEqual(run.status, RunStatus.ABORTED)


class AppTests(_AsOperator):
    def test_a_new_app_is_created_as_in_the_portal(self) -> None:
        self.post("webjobs_app_add", name="shop")
        app = App.objects.get(name="shop")
        self.assertTrue(Slot.objects.get(app=app).is_production)
        self.assertEqual(self.actions(), [("app.create", "shop")])

    def test_a_taken_or_bad_name_is_told_beside_the_field(self) -> None:
        for name in ("DEMO", "-a", "a b", ""):
            with self.subTest(name):
                page = self.post("webjobs_app_add", name=name)
                self.assertEqual(page.status_code, 200)
                self.assertContains(page, "errorlist")
        self.assertEqual(App.objects.count(), 1)
        self.assertEqual(self.actions(), [])

    def test_an_app_keeps_its_name(self) -> None:
        self.post("webjobs_app_change", self.slot.app_id, name="other")
        self.assertEqual(App.objects.get().name, "demo")

    def test_an_app_with_webjobs_is_not_deleted(self) -> None:
        make_job(self.slot)
        self.assertEqual(
            self.post("webjobs_app_delete", self.slot.app_id, post="yes").status_code, 403
        )
        self.assertTrue(App.objects.exists())

    def test_an_empty_app_is_deleted_with_its_slots_and_the_record_stays(self) -> None:
        make_setting(self.slot, "A", "b")
        self.post("webjobs_app_delete", self.slot.app_id, post="yes")
        self.assertFalse(App.objects.exists())
        self.assertEqual(self.actions(), [("app.delete", "demo")])

    def test_slots_are_added_and_production_is_never_deleted(self) -> None:
        self.post("webjobs_slot_add", app=self.slot.app_id, name="staging")
        self.assertEqual(Slot.objects.count(), 2)
        self.assertEqual(
            self.post("webjobs_slot_delete", self.slot.pk, post="yes").status_code, 403
        )
        staging = Slot.objects.get(name="staging")
        self.post("webjobs_slot_delete", staging.pk, post="yes")
        expected = [("slot.add", "demo/slot/staging"), ("slot.delete", "demo/slot/staging")]
        self.assertEqual(self.actions(), expected)

    def test_memberships_are_recorded_with_the_role(self) -> None:
        bob = User.objects.create_user("bob")
        self.post(
            "webjobs_membership_add", app=self.slot.app_id, user=bob.pk, role=int(Role.OPERATOR)
        )
        member = Membership.objects.get()
        self.post(
            "webjobs_membership_change",
            member.pk, app=self.slot.app_id, user=bob.pk, role=int(Role.READER),
        )  # fmt: skip
        self.act("webjobs_membership", "delete_selected", member, post="yes")
        self.assertFalse(Membership.objects.exists())
        verbs = ["membership.add", "membership.change", "membership.delete"]
        self.assertEqual(self.actions(), [(verb, "demo/membership/bob") for verb in verbs])
        roles = AuditEntry.objects.order_by("pk").values_list("details__role", flat=True)
        self.assertEqual(list(roles), ["Operator", "Reader", "Reader"])
        self.assertEqual(set(AuditEntry.objects.values_list("app", flat=True)), {self.slot.app_id})


class PeopleTests(_AsOperator):
    def test_a_new_user_is_recorded_without_the_password(self) -> None:
        secret = "correct-horse-11"
        self.post(
            "auth_user_add",
            username="bob", usable_password="true", password1=secret, password2=secret,
        )  # fmt: skip
        self.assertEqual(self.actions(), [("user.add", "user/bob")])
        self.assertNotIn(secret, str(AuditEntry.objects.values().get()))

    def test_a_new_password_is_recorded_as_changed_and_nothing_more(self) -> None:
        bob = User.objects.create_user("bob")
        secret = "correct-horse-12"
        self.post(
            "auth_user_password_change",
            bob.pk, usable_password="true", password1=secret, password2=secret,
        )  # fmt: skip
        bob.refresh_from_db()
        self.assertTrue(bob.check_password(secret))
        self.assertEqual(self.actions(), [("user.change", "user/bob")])
        entry = AuditEntry.objects.values().get()
        self.assertEqual(entry["details"], {"changed": ["password"]})
        self.assertNotIn(bob.password, str(entry))

    def test_deleted_users_leave_their_name_in_the_record(self) -> None:
        bob = User.objects.create_user("bob")
        AuditEntry.objects.create(user=bob, user_name="bob", action="webjob.run", target="demo")
        self.post("auth_user_delete", bob.pk, post="yes")
        kept = AuditEntry.objects.get(action="webjob.run")
        self.assertEqual((kept.user, kept.user_name), (None, "bob"))
        self.assertTrue(AuditEntry.objects.filter(action="user.delete").exists())

    def test_groups_are_recorded(self) -> None:
        self.post("auth_group_add", name="night shift")
        self.act("auth_group", "delete_selected", Group.objects.get(), post="yes")
        expected = [("group.add", "group/night shift"), ("group.delete", "group/night shift")]
        self.assertEqual(self.actions(), expected)


class PeriodicTaskTests(_AsOperator):
    def setUp(self) -> None:
        super().setUp()
        every = IntervalSchedule.objects.create(every=10, period="seconds")
        self.task = PeriodicTask.objects.create(
            name="tidy", task="webjobs.clean_up", interval=every
        )

    def test_switching_is_recorded(self) -> None:
        self.act("django_celery_beat_periodictask", "disable_tasks", self.task)
        self.task.refresh_from_db()
        self.assertFalse(self.task.enabled)
        self.act("django_celery_beat_periodictask", "enable_tasks", self.task)
        self.act("django_celery_beat_periodictask", "toggle_tasks", self.task)
        verbs = [action for action, _ in self.actions()]
        self.assertEqual(
            verbs, ["periodictask.disable", "periodictask.enable", "periodictask.toggle"]
        )

    def test_another_interval_is_recorded(self) -> None:
        self.post(
            "django_celery_beat_intervalschedule_change",
            self.task.interval_id,
            every=20,
            period="seconds",
            **{"periodictask_set-TOTAL_FORMS": 0, "periodictask_set-INITIAL_FORMS": 0},
        )
        self.assertEqual([action for action, _ in self.actions()], ["intervalschedule.change"])
