"""The package storage is away: whoever uploads is told so, and what is there stays."""

from __future__ import annotations

import tempfile
from pathlib import Path

from django.conf import settings
from django.test import override_settings

from tests.api.calling import ApiTestCase, zip_of
from tests.web.test_add import typed
from webjobs.models import AuditEntry, Package, WebJob

JOB = "/scm/demo/api/triggeredwebjobs/nightly"


class StorageAwayTests(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.upload(JOB, zip_of({"run.sh": "echo good"}))
        self.before = WebJob.objects.get()
        # A file where the storage's folder should be: nothing can be read or written there.
        file = Path(tempfile.mkdtemp()) / "not-a-folder"
        file.touch()
        away = {**settings.STORAGES["packages"], "OPTIONS": {"location": file, "base_url": None}}
        changed = override_settings(STORAGES={**settings.STORAGES, "packages": away})
        changed.enable()
        self.addCleanup(changed.disable)

    def assert_nothing_has_changed(self) -> None:
        job = WebJob.objects.get()
        self.assertEqual((job.package, job.script), (self.before.package, self.before.script))
        self.assertEqual(Package.objects.count(), 1)
        self.assertEqual(AuditEntry.objects.filter(action="webjob.replace").count(), 0)

    def test_the_api_answers_503_in_words(self) -> None:
        for name in ("nightly", "other"):
            path = JOB.replace("nightly", name)
            response = self.upload(path, zip_of({"run.sh": "echo new"}))
            self.assertEqual(response.status_code, 503)
            self.assertIn("Nothing has changed.", response.content.decode())
        self.assert_nothing_has_changed()

    def test_the_page_says_it_beside_the_form(self) -> None:
        self.client.force_login(self.contributor)
        json = {"Accept": "application/json"}
        response = self.client.post("/apps/demo/webjobs/add", typed(name="other"), headers=json)
        self.assertEqual(response.status_code, 400)
        self.assertIn("package storage does not take the file", response.content.decode())
        self.assert_nothing_has_changed()
