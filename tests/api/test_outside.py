"""Requests that never reach a handler of the API are answered in its words too."""

from __future__ import annotations

from django.test import SimpleTestCase

from tests.api.calling import SUB, ApiTestCase
from tests.web.objects import make_job

EVIL = {"Host": "evil.example"}


class OtherHostTests(SimpleTestCase):
    """A name that is not among ALLOWED_HOSTS: told by what each client can read."""

    def test_kudus_clients_read_text(self) -> None:
        response = self.client.get("/scm/demo/api/webjobs", headers=EVIL)
        self.assertEqual(response.status_code, 400)
        self.assertEqual(response["Content-Type"], "text/plain; charset=utf-8")
        self.assertContains(response, "ALLOWED_HOSTS", status_code=400)

    def test_arms_clients_read_an_error_document(self) -> None:
        response = self.client.get(f"/subscriptions/{SUB}?api-version=1", headers=EVIL)
        self.assertEqual(response.status_code, 400)
        self.assertEqual(response.json()["error"]["code"], "BadRequest")
        self.assertIn("ALLOWED_HOSTS", response.json()["error"]["message"])

    def test_people_see_a_page(self) -> None:
        response = self.client.get("/apps/", headers=EVIL)
        self.assertEqual(response.status_code, 400)
        self.assertEqual(response["Content-Type"], "text/html; charset=utf-8")
        self.assertContains(response, "ALLOWED_HOSTS", status_code=400)


class BaseAddressTests(ApiTestCase):
    def test_the_slash_behind_an_app_may_be_missing(self) -> None:
        for path in ("/scm/demo", "/scm/demo/", "/scm/demo/api"):
            self.assertEqual(self.get(path, auth="").status_code, 401, path)
            response = self.get(path)
            self.assertEqual((response.status_code, response.content), (404, b""), path)

    def test_the_slash_behind_vfs_may_be_missing(self) -> None:
        for path in ("/scm/demo/api/vfs", "/scm/demo/vfs"):
            self.assertEqual(self.get(path).json(), self.get(f"{path}/").json())

    def test_the_way_to_a_folder_has_no_body(self) -> None:
        make_job(self.slot)
        response = self.get("/scm/demo/api/vfs/data/jobs")
        self.assertEqual((response.status_code, response.content), (307, b""))
        self.assertNotIn("Content-Type", response.headers)
