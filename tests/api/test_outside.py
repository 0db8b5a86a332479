"""Requests that never reach a handler of the API are answered in its words too."""

from __future__ import annotations

from typing import ClassVar

from django.test import SimpleTestCase, override_settings

from tests.api.calling import SUB, ApiTestCase
from tests.web.objects import make_job

# With it a path may begin with two slashes.
HERE = "http://testserver"
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


@override_settings(
    USE_X_FORWARDED_HOST=True,
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    ALLOWED_HOSTS=["jobs.example.org"],
)
class ProxyTests(ApiTestCase):
    """Behind a proxy that is trusted every link leads back to it."""

    PROXY: ClassVar = {
        "HTTP_X_FORWARDED_HOST": "jobs.example.org",
        "HTTP_X_FORWARDED_PROTO": "https",
    }
    ROOT = "https://jobs.example.org/"

    def setUp(self) -> None:
        for name in ("one", "two"):
            make_job(self.slot, name)

    def test_kudus_links(self) -> None:
        for job in self.get("/scm/demo/api/webjobs", **self.PROXY).json():
            for name in ("url", "history_url", "extra_info_url"):
                self.assertTrue(job[name].startswith(self.ROOT), job[name])
        run = self.post("/scm/demo/api/triggeredwebjobs/one/run", **self.PROXY)
        self.assertTrue(run["Location"].startswith(self.ROOT))

    def test_arms_links(self) -> None:
        site = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Web/sites/demo"
        page = self.get(f"{site}/webjobs?api-version=1&$top=1", **self.PROXY).json()
        self.assertTrue(page["nextLink"].startswith(self.ROOT))
        rest = self.get(page["nextLink"], **self.PROXY).json()
        names = [item["name"] for item in (*page["value"], *rest["value"])]
        self.assertEqual((names, rest["nextLink"]), (["demo/one", "demo/two"], None))
        self.assertTrue(page["value"][0]["properties"]["url"].startswith(self.ROOT))

    def test_the_sign_ins_links(self) -> None:
        path = "/contoso/v2.0/.well-known/openid-configuration"
        document = self.get(path, auth="", **self.PROXY).json()
        self.assertTrue(document["token_endpoint"].startswith(self.ROOT))


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

    def test_slashes_may_be_doubled_and_case_does_not_matter(self) -> None:
        make_job(self.slot)
        right = self.get("/scm/demo/api/webjobs").json()
        self.assertEqual(len(right), 1)
        for path in (
            "//scm/demo/api/webjobs",
            "/scm//demo//api/webjobs",
            "/SCM/Demo/API/webjobs",
            "/SCM/DEMO/SLOTS/PRODUCTION//api/webjobs",
        ):
            self.assertEqual(self.get(HERE + path).json(), right, path)
        reader = self.of(self.reader)
        for path in ("//subscriptions", "///SUBSCRIPTIONS", "//metadata/endpoints"):
            found = self.get(f"{HERE}{path}?api-version=1", auth=reader)
            self.assertEqual(found.status_code, 200, path)

    def test_an_unknown_address_is_told_of_in_the_words_of_its_api(self) -> None:
        reader = self.of(self.reader)
        for path in ("/scm", "/scm/", "//SCM/", "/SCM/demo/nothing", "//scm/demo//nothing"):
            self.assertEqual(self.get(HERE + path, auth="").status_code, 401, path)
            found = self.get(HERE + path, auth=reader)
            self.assertEqual((found.status_code, found.content), (404, b""), path)
        for path in ("/SUBSCRIPTIONS/x/y", "/Providers/x", "//tenants/x"):
            found = self.get(f"{HERE}{path}?api-version=1", auth=reader)
            self.assertEqual(found.json()["error"]["code"], "NotFound", path)

    def test_the_next_page_is_found_behind_a_doubled_slash(self) -> None:
        make_job(self.slot, "one")
        make_job(self.slot, "two")
        site = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Web/sites/demo"
        link = self.get(f"{HERE}/{site}/webjobs?api-version=1&$top=1").json()["nextLink"]
        self.assertTrue(link.startswith(f"http://testserver{site}"), link)

    def test_an_answer_without_a_body_tells_no_length(self) -> None:
        make_job(self.slot)
        tag = self.get("/scm/demo/api/webjobs")["ETag"]
        unchanged = self.get("/scm/demo/api/webjobs", HTTP_IF_NONE_MATCH=tag)
        told = self.call("OPTIONS", "/scm/demo/api/webjobs")
        self.assertEqual((unchanged.status_code, told.status_code), (304, 204))
        self.assertNotIn("Content-Length", unchanged.headers)
        self.assertNotIn("Content-Length", told.headers)
