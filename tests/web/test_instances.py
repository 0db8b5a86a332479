"""The instances: their state in words, and what of them a viewer sees."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from tests.web.objects import make_instance, make_job, make_run, make_slot
from tests.web.pages import PagesTestCase
from webjobs.models import Beat, Copy, Instance
from webjobs.states import CopyStatus, JobType, RunStatus

GIB = 1024**3


def set_facts(instance: Instance, **facts: object) -> Instance:
    Instance.objects.filter(pk=instance.pk).update(**facts)
    instance.refresh_from_db()
    return instance


class InstancesTests(PagesTestCase):
    def states(self, user: User | None = None) -> dict[str, str]:
        """The state of each row by its name, in the order of the page."""
        self.get("/instances/", user)
        context = self.client.get("/instances/").context
        return {row.instance.name: row.state.word for row in context["rows"]}

    def test_without_a_worker_it_says_what_to_do(self) -> None:
        response = self.get("/instances/")
        self.assertContains(response, "No worker has registered yet.")
        self.assertContains(response, "Start a worker.")
        self.assertContains(response, "Start beat.")

    def test_it_tells_live_draining_lost_and_stopped_in_this_order(self) -> None:
        now = timezone.now()
        set_facts(make_instance("a-stopped"), stopped_at=now)
        set_facts(make_instance("b-silent"), heartbeat_at=now - timedelta(seconds=31))
        set_facts(make_instance("c-declared"), lost_at=now)
        set_facts(make_instance("d-draining"), is_draining=True)
        make_instance("e-live")
        self.assertEqual(
            list(self.states().items()),
            [
                ("e-live", "live"),
                ("d-draining", "draining"),
                ("b-silent", "lost"),
                ("c-declared", "lost"),
                ("a-stopped", "stopped"),
            ],
        )

    def test_thirty_seconds_of_silence_are_a_loss_and_less_are_none(self) -> None:
        instance = make_instance()
        now = timezone.now()
        set_facts(instance, heartbeat_at=now - timedelta(seconds=20))
        self.assertEqual(self.states(), {"one": "live"})
        set_facts(instance, heartbeat_at=now - timedelta(seconds=30))
        self.assertEqual(self.states(), {"one": "lost"})
        response = self.get("/instances/")
        self.assertContains(response, "Nothing was heard of it for 30 seconds")
        self.assertContains(response, "No instance is running")

    def test_a_row_says_how_busy_the_machine_is(self) -> None:
        instance = make_instance()
        set_facts(
            instance, busy=2, load=0.5, memory_used=GIB, memory_total=4 * GIB, host="jobs7.local"
        )
        response = self.get("/instances/")
        for text in ("2 of 5", "3 free", "0.50", "25 %", "4.0", "jobs7.local", instance.short_key):
            self.assertContains(response, text)

    def test_of_a_lost_instance_no_load_is_claimed(self) -> None:
        set_facts(make_instance(), lost_at=timezone.now(), load=0.77, busy=4)
        response = self.get("/instances/")
        self.assertNotContains(response, "0.77")
        self.assertNotContains(response, "4 of 5")

    def test_what_ended_long_ago_is_left_out(self) -> None:
        long_ago = timezone.now() - timedelta(days=8)
        set_facts(make_instance(), stopped_at=long_ago, heartbeat_at=long_ago)
        self.assertEqual(self.states(), {})

    def test_many_instances_cost_no_more_queries(self) -> None:
        make_instance("first")
        self.get("/instances/")
        with self.assertNumQueries(7):
            self.client.get("/instances/")
        for number in range(50):
            make_instance(f"more-{number}")
        with self.assertNumQueries(7):
            response = self.client.get("/instances/")
        self.assertContains(response, "more-49")

    def test_the_schedulers_are_shown_with_their_last_tick(self) -> None:
        now = timezone.now()
        Beat.objects.create(key="box-1 77", ticked_at=now)
        Beat.objects.create(key="box-2 78", ticked_at=now - timedelta(seconds=40))
        response = self.get("/instances/")
        beats = {beat.key: ticks for beat, ticks in response.context["beats"]}
        self.assertEqual(beats, {"box-1 77": True, "box-2 78": False})
        self.assertContains(response, "Silent")

    def test_a_script_gets_the_moving_part_alone(self) -> None:
        make_instance()
        response = self.get("/instances/", None, X_Fragment="1")
        self.assertNotContains(response, "<html")
        self.assertContains(response, 'id="instances"')

    def test_it_is_for_members_only(self) -> None:
        self.assert_for_members_only("/instances/")
        self.assert_method_refused("/instances/", "post")

    def test_a_superuser_sees_it_before_there_is_an_app(self) -> None:
        self.slot.app.delete()
        admin = User.objects.create_superuser("root")
        self.assertEqual(self.get("/instances/", admin).status_code, 200)

    def test_the_menu_and_the_list_of_apps_lead_there(self) -> None:
        for page in ("/apps/", "/apps/demo/webjobs/"):
            self.assertContains(self.get(page, self.carol), 'href="/instances/"')
        self.assertNotContains(self.get("/apps/", self.dave), 'href="/instances/"')


class InstanceTests(PagesTestCase):
    def setUp(self) -> None:
        self.instance = make_instance()
        self.url = f"/instances/{self.instance.key}/"
        self.hidden = make_slot("secret-app")

    def put(self, name: str, where: object = None) -> tuple[str, str]:
        """A run and a copy on the instance; the addresses of their pages."""
        slot = self.hidden if where else self.slot
        app = slot.app.name
        run = make_run(
            make_job(slot, f"{name}-run"),
            RunStatus.RUNNING,
            instance=self.instance,
            started_at=timezone.now(),
        )
        job = make_job(slot, f"{name}-copy", JobType.CONTINUOUS)
        Copy.objects.create(
            job=job,
            instance=self.instance,
            epoch=1,
            status=CopyStatus.RUNNING,
            changed_at=timezone.now(),
        )
        return (
            f"/apps/{app}/history/triggered/{name}-run/runs/{run.number}/",
            f"/apps/{app}/history/continuous/{name}-copy/?instance={self.instance.key}",
        )

    def test_it_links_to_what_runs_there(self) -> None:
        for link in self.put("mine"):
            self.assertContains(self.get(self.url, self.carol), f'href="{link}"')
            self.assertEqual(self.get(link, self.carol).status_code, 200)

    def test_what_runs_there_links_back(self) -> None:
        for link in self.put("mine"):
            self.assertContains(self.get(link, self.carol), f'href="{self.url}"')

    def test_the_jobs_of_other_apps_are_not_shown_nor_counted(self) -> None:
        self.put("theirs", where=self.hidden)
        response = self.get(self.url)
        self.assertNotContains(response, "theirs")
        self.assertNotContains(response, "secret-app")
        self.assertEqual((response.context["row"].runs, response.context["row"].copies), (0, 0))

    def test_a_superuser_sees_all_jobs(self) -> None:
        self.put("theirs", where=self.hidden)
        response = self.get(self.url, User.objects.create_superuser("root"))
        self.assertContains(response, "theirs-run")
        self.assertContains(response, "theirs-copy")

    def test_ended_runs_and_runs_elsewhere_are_not_there(self) -> None:
        job = make_job(self.slot, "nightly")
        make_run(job, RunStatus.SUCCESS, instance=self.instance)
        other = make_job(self.slot, "elsewhere")
        make_run(other, RunStatus.RUNNING, instance=make_instance("two"))
        self.assertContains(self.get(self.url), "No run of your apps is in progress there.")

    def test_on_a_lost_instance_nothing_runs_any_more(self) -> None:
        self.put("mine")
        set_facts(self.instance, heartbeat_at=timezone.now() - timedelta(minutes=1))
        response = self.get(self.url)
        self.assertContains(response, "Nothing runs there any more.")
        self.assertContains(response, "Instance is gone")

    def test_it_names_versions_and_how_to_get_what_is_missing(self) -> None:
        set_facts(
            self.instance,
            versions={"python": "3.13.9", "portal": "0.1.0"},
            interpreters={".py": "/usr/bin/python3", ".php": None},
        )
        response = self.get(self.url)
        for text in ("3.13.9", "/usr/bin/python3", "Missing", "apt install php-cli"):
            self.assertContains(response, text)

    def test_a_script_gets_the_moving_part_alone(self) -> None:
        response = self.get(self.url, None, X_Fragment="1")
        self.assertNotContains(response, "<html")

    def test_it_is_for_members_only_and_unknown_ones_are_not_found(self) -> None:
        self.assert_for_members_only(self.url)
        self.assert_method_refused(self.url, "post")
        for key in ("none", "%00"):
            self.assertEqual(self.get(f"/instances/{key}/").status_code, 404)
