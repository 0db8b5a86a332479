"""The OpenAPI document: valid, and the same as what the portal really answers."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.models import User
from django.test import SimpleTestCase, TestCase
from django.urls import resolve
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.api.calling import SUB, ApiTestCase
from tests.api.routes import templates
from tests.web.objects import make_job, make_run, make_setting
from webjobs.api.openapi.document import document
from webjobs.api.urls import urlpatterns
from webjobs.states import JobType, RunStatus

METHODS = ("get", "put", "post", "delete", "patch")
# Pages of the portal that lie among the addresses of the API.
PAGES = re.compile(r"/tokens\b|/healthz$")
VALUES = {"app": "demo", "slot": "staging", "sub": SUB, "tenant": "portal", "path": "a/b"}


def example(path: str) -> str:
    """An address that fits the template `path`."""
    return re.sub(r"{(\w+)}", lambda name: VALUES.get(name[1], "7"), path)


class RoutesTests(SimpleTestCase):
    """Both ways: each address of the portal is in the document, and each of the document is one."""

    def test_the_document_is_valid_openapi(self) -> None:
        OpenAPIV31SpecValidator(document()).validate()

    def test_every_address_is_in_the_document_and_no_other(self) -> None:
        real = {path for path in templates(urlpatterns) if not PAGES.search(path)}
        written = {path for path in document()["paths"] if not PAGES.search(path)}
        self.assertGreater(len(real), 150)
        self.assertEqual(sorted(real - written), [], "not in the document")
        self.assertEqual(sorted(written - real), [], "only in the document")

    def test_every_address_takes_the_methods_of_the_document_and_no_other(self) -> None:
        for path, item in document()["paths"].items():
            if path == "/healthz":
                continue
            with self.subTest(path):
                response = self.client.options(example(path))
                self.assertEqual(response.status_code, 204)
                written = {method.upper() for method in METHODS if method in item}
                real = set(response["Allow"].split(", ")) - {"HEAD", "OPTIONS"}
                self.assertEqual(real, written)
                self.assertEqual("HEAD" in response["Allow"], "GET" in written)

    def test_names_of_operations_are_different(self) -> None:
        names = [
            item[method]["operationId"]
            for item in document()["paths"].values()
            for method in METHODS
            if method in item
        ]
        self.assertEqual(len(names), len(set(names)))

    def test_what_it_describes_is_used(self) -> None:
        text = str(document())
        for kind, found in document()["components"].items():
            for name in found:
                if kind != "securitySchemes" and kind != "responses":
                    self.assertIn(f"#/components/{kind}/{name}'", text)

    def test_health_is_where_it_says(self) -> None:
        self.assertEqual(resolve("/healthz").url_name, "healthz")


class ServedTests(TestCase):
    def test_it_is_for_those_who_signed_in_and_names_this_portal(self) -> None:
        self.assertEqual(self.client.get("/api/openapi.json").status_code, 401)
        self.client.force_login(User.objects.create_user("somebody"))
        response = self.client.get("/api/openapi.json")
        self.assertEqual(response.json()["servers"], [{"url": "http://testserver"}])
        again = self.client.get("/api/openapi.json", headers={"If-None-Match": response["ETag"]})
        self.assertEqual(again.status_code, 304)


def _fields(schema: str) -> set[str]:
    return set(document()["components"]["schemas"][schema]["properties"])


class FieldsTests(ApiTestCase):
    """A field that a document gets must be told of."""

    ARM = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Web/sites/demo"

    def _properties(self, path: str) -> Any:
        return self.get(f"{self.ARM}{path}?api-version=1").json()["properties"]

    def setUp(self) -> None:
        self.job = make_job(self.slot, "nightly")
        self.run_ = make_run(self.job, status=RunStatus.SUCCESS)
        make_job(self.slot, "listener", type=JobType.CONTINUOUS)
        make_setting(self.slot, "GREETING", "hello")

    def test_kudus_documents_have_the_fields_that_are_described(self) -> None:
        api = "/scm/demo/api"
        triggered = self.get(f"{api}/triggeredwebjobs/nightly").json()
        self.assertEqual(set(triggered), _fields("TriggeredWebJob"))
        self.assertEqual(set(triggered["latest_run"]), _fields("Run"))
        continuous = self.get(f"{api}/continuouswebjobs/listener").json()
        self.assertEqual(set(continuous), _fields("ContinuousWebJob"))
        entry = self.get(f"{api}/vfs/data/jobs/").json()[0]
        self.assertEqual(set(entry), _fields("VfsEntry"))
        body = b'{"url": "https://example.org/", "event": "TriggeredJobFinished"}'
        hook = self.post(f"{api}/hooks", data=body).json()
        self.assertEqual(set(hook), _fields("Hook") | _fields("AddedHook"))
        self.post(f"{api}/hooks/publish/TriggeredJobFinished", data=b"{}")
        delivery = self.get(f"{api}/hooks/{hook['id']}/deliveries").json()[0]
        self.assertEqual(set(delivery), _fields("HookDelivery"))

    def test_arms_documents_have_the_fields_that_are_described(self) -> None:
        triggered = self._properties("/triggeredwebjobs/nightly")
        schemas = document()["components"]["schemas"]
        inside = {name: one["properties"].get("properties") for name, one in schemas.items()
                  if "properties" in one}  # fmt: skip
        self.assertEqual(set(triggered), set(inside["ArmTriggeredWebJob"]["properties"]))
        self.assertEqual(set(triggered["latest_run"]), _fields("ArmRun"))
        continuous = self._properties("/continuouswebjobs/listener")
        self.assertEqual(set(continuous), set(inside["ArmContinuousWebJob"]["properties"]))
        self.assertEqual(set(self._properties("")), set(inside["Site"]["properties"]))
