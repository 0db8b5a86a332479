from tests.web.objects import make_job, make_run, make_setting
from tests.web.pages import PagesTestCase
from webjobs.models import AuditEntry, Run, WebJob
from webjobs.states import JobType, RunStatus

TRIGGERED = "/apps/demo/webjobs/triggered/nightly/"
CONTINUOUS = "/apps/demo/webjobs/continuous/listener/"


class CommandTests(PagesTestCase):
    def setUp(self) -> None:
        self.nightly = make_job(self.slot, "nightly")
        self.listener = make_job(self.slot, "listener", JobType.CONTINUOUS)

    def test_run_makes_a_run_and_tells_its_address(self) -> None:
        response = self.post(TRIGGERED + "run", {"arguments": "--all 'two words'"}, self.bob)
        run = Run.objects.get()
        self.assertEqual((run.status, run.arguments), ("Queued", "--all 'two words'"))
        self.assertEqual(run.requested_by, self.bob)
        self.assertEqual(
            response.json()["url"], f"/apps/demo/history/triggered/nightly/runs/{run.number}/"
        )
        self.assertEqual(response.json()["message"], "Successfully triggered WebJob 'nightly'")
        entry = AuditEntry.objects.get()
        self.assertEqual(
            (entry.action, entry.user, entry.address), ("webjob.run", self.bob, "127.0.0.1")
        )

    def test_run_while_running_is_refused_in_azures_words(self) -> None:
        make_run(self.nightly, RunStatus.RUNNING)
        response = self.post(TRIGGERED + "run")
        self.assertEqual(response.status_code, 409)
        words = "Cannot start a new run since job is already running."
        self.assertEqual(response.json()["error"], f"Failed to run WebJob 'nightly': {words}")

    def test_run_while_stopped_by_setting_is_refused_in_azures_words(self) -> None:
        make_setting(self.slot, "WEBJOB_STOPPED", "1")
        response = self.post(TRIGGERED + "run")
        self.assertEqual(response.status_code, 409)
        self.assertIn('WebJobs are currently in "stopped" state.', response.json()["error"])

    def test_arguments_that_cannot_be_split_are_refused_beside_the_field(self) -> None:
        response = self.post(TRIGGERED + "run", {"arguments": "'open"})
        self.assertEqual(response.status_code, 400)
        self.assertIn("arguments", response.json()["errors"])
        self.assertFalse(Run.objects.exists())

    def test_stop_and_start_write_the_wish(self) -> None:
        self.post(CONTINUOUS + "stop", user=self.bob)
        self.assertTrue(WebJob.objects.get(pk=self.listener.pk).is_stopped)
        self.post(CONTINUOUS + "start", user=self.bob)
        self.assertFalse(WebJob.objects.get(pk=self.listener.pk).is_stopped)
        actions = set(AuditEntry.objects.values_list("action", flat=True))
        self.assertEqual(actions, {"webjob.stop", "webjob.start"})

    def test_delete_takes_it_from_the_list(self) -> None:
        response = self.post(TRIGGERED + "delete")
        self.assertEqual(response.json()["message"], "Successfully deleted WebJob 'nightly'")
        self.assertFalse(WebJob.objects.living().filter(name="nightly").exists())
        self.assertEqual(self.post(TRIGGERED + "delete").status_code, 404)

    def test_without_script_a_page_asks_first(self) -> None:
        for url, question in [
            (TRIGGERED + "run", "Are you sure you want to run the selected WebJob?"),
            (TRIGGERED + "delete", "Are you sure you want to delete the selected WebJob?"),
            (CONTINUOUS + "stop", "Are you sure you want to stop the selected WebJob?"),
            (CONTINUOUS + "start", "Are you sure you want to start the selected WebJob?"),
        ]:
            with self.subTest(url=url):
                self.assertContains(self.get(url), question)
        self.assertFalse(Run.objects.exists())
        self.assertEqual(WebJob.objects.living().count(), 2)

    def test_without_script_yes_leads_on_with_a_message(self) -> None:
        response = self.post(CONTINUOUS + "stop", script=False)
        self.assertEqual(response.headers["Location"], "/apps/demo/webjobs/")
        self.assertContains(self.client.get("/apps/demo/webjobs/"), "Successfully stopped")

    def test_without_script_a_refusal_is_a_message(self) -> None:
        make_run(self.nightly, RunStatus.RUNNING)
        response = self.post(TRIGGERED + "run", script=False)
        self.assertEqual(response.headers["Location"], "/apps/demo/webjobs/")
        self.assertContains(self.client.get("/apps/demo/webjobs/"), "already running")

    def test_the_wrong_type_is_refused(self) -> None:
        self.assertEqual(self.post(CONTINUOUS + "run").status_code, 400)
        self.assertEqual(self.post(TRIGGERED + "stop").status_code, 400)

    def test_readers_and_operators_are_refused_what_is_not_theirs(self) -> None:
        for url in (TRIGGERED + "run", CONTINUOUS + "start", CONTINUOUS + "stop"):
            self.assert_refused_to(url, self.carol)
        self.assert_refused_to(TRIGGERED + "delete", self.bob, self.carol)
        self.assertFalse(Run.objects.exists())

    def test_they_are_for_members_only(self) -> None:
        for url in (
            TRIGGERED + "run",
            TRIGGERED + "delete",
            CONTINUOUS + "start",
            CONTINUOUS + "stop",
        ):
            self.assert_for_members_only(url)
            self.assert_for_members_only(url, method="post")
        self.assertFalse(Run.objects.exists())

    def test_an_unknown_webjob_is_not_found(self) -> None:
        for url in ("triggered/none/run", "sometimes/nightly/run", "continuous/nightly/stop"):
            self.assertEqual(self.post(f"/apps/demo/webjobs/{url}").status_code, 404)

    def test_other_methods_are_refused(self) -> None:
        for name in ("run", "delete"):
            self.assert_method_refused(TRIGGERED + name, "put")

    def test_a_forged_request_is_refused_in_words(self) -> None:
        self.client.handler.enforce_csrf_checks = True
        response = self.post(TRIGGERED + "run")
        self.assertEqual(response.status_code, 403)
        self.assertFalse(Run.objects.exists())
