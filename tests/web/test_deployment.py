"""Deployment Center: its pages, who may do what there, and the blade while it is connected."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import ClassVar

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from tests.support.repositories import commit, make
from tests.web.objects import ALICE, make_upload
from tests.web.pages import FRAGMENT, PagesTestCase
from webjobs import deploying, dispatch
from webjobs.deploying import sync
from webjobs.models import AuditEntry, Deployment, SourceConnection, WebJob
from webjobs.runner import deploy_key
from webjobs.states import JobType

URL = "/apps/demo/deployment/"
JOB = "App_Data/jobs/triggered/nightly/"


class DeploymentTestCase(PagesTestCase):
    folder: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        storage = {
            "BACKEND": "portal.folder.PackageFolder",
            "OPTIONS": {"location": cls.folder / "packages", "base_url": None},
        }
        static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        cls.enterClassContext(
            override_settings(
                WEBJOBS_SOURCE_PATHS=[str(cls.folder)],
                STORAGES={"packages": storage, "staticfiles": static},
            )
        )

    def setUp(self) -> None:
        self.repository = self.folder / self.id()
        make(self.repository, {JOB + "run.sh": "echo 1\n"})

    def fields(self, **changes: str) -> dict[str, str]:
        return {"url": str(self.repository), "branch": "main", "poll": "", **changes}

    def connect(self) -> SourceConnection:
        with self.captureOnCommitCallbacks():
            self.post(URL + "connect", self.fields(), script=False)
        return SourceConnection.objects.get(slot=self.slot)

    def deploy(self) -> Deployment:
        waiting = Deployment.objects.get(slot=self.slot, status="Pending")
        sync.deploy(waiting.pk)
        waiting.refresh_from_db()
        return waiting


class ConnectTests(DeploymentTestCase):
    def test_it_is_in_the_menu_and_empty_at_first(self) -> None:
        self.assertContains(self.get("/apps/demo/webjobs/"), f'href="{URL}"')
        response = self.get(URL)
        self.assertContains(response, "Connect a repository")
        self.assertContains(response, "Nothing has been deployed yet")
        self.assertContains(response, "/scm/demo/demo.git")

    def test_it_connects_and_asks_for_the_newest_commit(self) -> None:
        response = self.post(URL + "connect", self.fields(poll="5"), script=False)
        self.assertRedirects(response, URL)
        source = SourceConnection.objects.get()
        self.assertEqual((source.branch, source.poll_minutes), ("main", 5))
        self.assertEqual(Deployment.objects.get().status, "Pending")
        self.assertTrue(AuditEntry.objects.filter(action="source.connect").exists())

    def test_what_is_wrong_is_beside_its_field(self) -> None:
        for field, value, words in [
            ("url", "", "This field is required"),
            ("url", "http://host/x.git", "no address of a repository"),
            ("url", "https://me:secret@host/x.git", "no user name and no password"),
            ("url", "/etc", "SOURCE_CONTROL_PATHS"),
            ("url", str(self.folder / "none"), "no repository at this address"),
            ("branch", "--upload-pack=x", "no name of a branch"),
            ("branch", "mian", "no such branch"),
        ]:
            with self.subTest(value=value):
                response = self.post(URL + "connect", self.fields(**{field: value}), script=False)
                html = response.content.decode()
                self.assertEqual(response.status_code, 400)
                found = re.search(rf'id="error_{field}"[^>]*>([^<]*)<', html)
                assert found
                self.assertIn(words, found[1])
                self.assertIn('aria-invalid="true"', html)
        self.assertFalse(SourceConnection.objects.exists())

    def test_a_secret_is_never_sent_back(self) -> None:
        bad = self.fields(url="https://127.0.0.1:9/x.git", secret="hush-hush-token")
        response = self.post(URL + "connect", bad, script=False)
        self.assertEqual(response.status_code, 400)
        self.assertNotContains(response, "hush-hush", status_code=400)

    def test_ssh_without_a_key_gets_one_of_its_own(self) -> None:
        self.post(URL + "connect", self.fields(url="git@host.invalid:x.git"), script=False)
        source = SourceConnection.objects.get()
        self.assertEqual(deploy_key.read(source.secret).public, source.public_key)
        response = self.get(URL)
        self.assertContains(response, source.public_key)
        self.assertNotContains(response, "PRIVATE KEY")

    def test_a_bad_key_is_refused(self) -> None:
        bad = self.fields(url="git@host.invalid:x.git", secret="-----BEGIN nothing-----")
        response = self.post(URL + "connect", bad, script=False)
        self.assertContains(response, "no private key that can be used", status_code=400)

    def test_a_second_one_is_refused(self) -> None:
        self.connect()
        response = self.post(URL + "connect", self.fields(), script=False)
        self.assertEqual(response.status_code, 400)


class PagesTests(DeploymentTestCase):
    def test_a_deployment_shows_commit_author_results_and_log(self) -> None:
        commit(self.repository, {"App_Data/jobs/triggered/bad/readme": "x"}, "Say <b>more</b>")
        self.connect()
        found = self.deploy()
        response = self.get(f"{URL}{found.pk}/", self.carol)
        for text in (found.commit, "Ada Example", "Say &lt;b&gt;more&lt;/b&gt;", "nightly",
                     "No runnable script file", "Fetching main", "Partly"):  # fmt: skip
            self.assertContains(response, text)
        listed = self.get(URL, self.carol)
        self.assertContains(listed, "Added: 1, Refused: 1")
        self.assertContains(listed, found.short_commit)
        self.assertNotContains(self.get(f"{URL}{found.pk}/", None, **FRAGMENT), "<html")

    def test_what_is_no_longer_there_can_be_deleted(self) -> None:
        commit(self.repository, {"App_Data/jobs/triggered/old/run.sh": "echo"}, "Old")
        self.connect()
        self.deploy()
        commit(self.repository, {"App_Data/jobs/triggered/old/run.sh": None}, "Without")
        self.post(URL + "sync", script=False)
        self.deploy()
        response = self.get(URL)
        self.assertContains(response, "no longer in the repository")
        self.assertContains(response, "/apps/demo/webjobs/triggered/old/delete")
        self.assertNotContains(self.get(URL, self.bob), "triggered/old/delete")
        self.post("/apps/demo/webjobs/triggered/old/delete", script=False)
        self.assertNotContains(self.get(URL), "no longer in the repository")

    def test_redeploy_asks_first(self) -> None:
        self.connect()
        first = self.deploy()
        commit(self.repository, {JOB + "run.sh": "echo 2\n"}, "Second")
        self.post(URL + "sync", script=False)
        self.deploy()
        url = f"{URL}{first.pk}/redeploy"
        self.assertContains(self.get(url), first.short_commit)
        response = self.post(url, script=False)
        again = self.deploy()
        self.assertRedirects(response, f"{URL}{again.pk}/")
        self.assertEqual((again.commit, again.trigger), (first.commit, "redeploy"))

    def test_the_connection_is_tested_in_words(self) -> None:
        self.connect()
        response = self.post(URL + "test")
        self.assertIn("main is at commit", response.json()["message"])
        self.repository.rename(self.repository.with_name("away-" + self.id()))
        response = self.post(URL + "test")
        self.assertEqual(response.status_code, 409)
        self.assertIn("no repository", response.json()["error"])
        self.assertContains(self.get(URL), "There is no repository at this address")

    def test_settings_change_and_an_empty_secret_stays(self) -> None:
        source = self.connect()
        SourceConnection.objects.filter(pk=source.pk).update(url="https://host/x.git")
        for secret in ("token-one", ""):
            self.post(URL + "change", self.fields(poll="15", secret=secret), script=False)
        source.refresh_from_db()
        self.assertEqual((source.secret, source.poll_minutes), ("token-one", 15))
        assert source.next_poll_at is not None
        self.assertNotIn("token-one", str(list(AuditEntry.objects.values_list("details"))))

    def test_the_webhooks_secret_is_shown_on_request_which_is_recorded(self) -> None:
        source = self.connect()
        self.assertNotContains(self.get(URL), source.webhook_secret)
        shown = self.post(URL + "secret", {"action": "reveal"})
        self.assertEqual(shown.json()["password"], source.webhook_secret)
        self.assertTrue(AuditEntry.objects.filter(action="source.secret.reveal").exists())
        self.post(URL + "secret", script=False)
        self.assertNotEqual(SourceConnection.objects.get().webhook_secret, source.webhook_secret)

    def test_disconnect_asks_first_and_keeps_the_jobs(self) -> None:
        self.connect()
        self.deploy()
        self.assertContains(self.get(URL + "disconnect"), "Its WebJobs stay")
        self.post(URL + "disconnect", script=False)
        self.assertFalse(SourceConnection.objects.exists())
        self.assertTrue(WebJob.objects.filter(name="nightly").exists())
        self.assertContains(self.get(URL), "Connect a repository")


class RightsTests(DeploymentTestCase):
    def test_settings_that_somebody_changed_are_not_overwritten_unseen(self) -> None:
        source = self.connect()
        seen = deploying.settings_of(source)
        SourceConnection.objects.update(poll_minutes=5)
        typed = self.fields(poll="15", seen=seen)
        page = self.post(URL + "change", typed, script=False)
        self.assertContains(page, "Somebody else has changed these settings", status_code=400)
        self.assertContains(page, '<option value="15" selected>', status_code=400)
        self.assertEqual(SourceConnection.objects.get().poll_minutes, 5)
        again = deploying.settings_of(SourceConnection.objects.get())
        self.post(URL + "change", typed | {"seen": again}, script=False)
        self.assertEqual(SourceConnection.objects.get().poll_minutes, 15)
        SourceConnection.objects.all().delete()
        page = self.post(URL + "change", typed, script=False)
        self.assertContains(page, "No repository is connected.", status_code=404)

    def test_readers_see_and_only_contributors_change(self) -> None:
        self.connect()
        found = self.deploy()
        self.assertNotContains(self.get(URL, self.carol), "hook-secret")
        self.assert_for_members_only(URL)
        self.assert_for_members_only(f"{URL}{found.pk}/")
        posts = ("connect", "change", "sync", "test", "disconnect", "secret")
        for page in (*posts, f"{found.pk}/redeploy"):
            self.assert_refused_to(URL + page, self.carol, self.bob)
            self.assert_for_members_only(URL + page, method="post")
        for page in ("connect", "change", "sync", "test", "secret"):
            self.assert_method_refused(URL + page, "get")

    def test_a_deployment_of_another_app_is_not_found(self) -> None:
        self.connect()
        for pk in (Deployment.objects.get().pk + 1, 10**30):
            self.assertEqual(self.get(f"{URL}{pk}/").status_code, 404)


class ManagedTests(DeploymentTestCase):
    """What the article says of an app with source control."""

    def setUp(self) -> None:
        super().setUp()
        new = dispatch.NewWebJob("byhand", JobType.TRIGGERED, make_upload())
        dispatch.add_webjob(self.slot, new, ALICE)
        self.connect()

    def test_the_blade_says_so_and_add_is_disabled_with_the_reason(self) -> None:
        response = self.get("/apps/demo/webjobs/")
        self.assertContains(response, "When you have source control configured", count=2)
        self.assertNotContains(response, 'data-command="add"')

    def test_adding_from_the_portal_is_refused_in_the_articles_words(self) -> None:
        file = SimpleUploadedFile("run.sh", b"echo\n")
        data = {"name": "new", "file": file, "type": "triggered", "triggers": "manual"}
        response = self.post("/apps/demo/webjobs/add", data)
        self.assertEqual(response.status_code, 400)
        self.assertIn("a WebJob can't be added from the portal", str(response.json()))
        self.assertFalse(WebJob.objects.filter(name="new").exists())
        shown = self.get("/apps/demo/webjobs/add")
        self.assertRedirects(shown, "/apps/demo/webjobs/")

    def test_new_files_from_the_portal_are_refused(self) -> None:
        url = "/apps/demo/webjobs/triggered/byhand/"
        for page in ("package", "edit"):
            file = SimpleUploadedFile("run.sh", b"echo new\n")
            response = self.post(url + page, {"file": file}, script=page == "package")
            self.assertIn(response.status_code, (400, 409))
            self.assertContains(response, "source control", status_code=response.status_code)

    def test_after_disconnecting_it_is_as_before(self) -> None:
        deploying.disconnect(SourceConnection.objects.get(), ALICE)
        self.assertContains(self.get("/apps/demo/webjobs/"), 'data-command="add"')
