"""Kudu as the front end of Azure Resource Manager asks it: with `x-ms-geo-location`."""

from __future__ import annotations

import json
from typing import Any

from django.utils import timezone

from tests.api.calling import SUB, ApiTestCase, make_copy
from tests.web.objects import make_job, make_run
from webjobs.models import Run
from webjobs.states import JobType

API = "/scm/demo/api"
SITE = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Web/sites/demo"


class ArmModeTests(ApiTestCase):
    def setUp(self) -> None:
        self.job = make_job(self.slot)
        self.listener = make_job(self.slot, "listener", type=JobType.CONTINUOUS)
        self.run_ = make_run(self.job, ended_at=timezone.now())

    def ask(self, path: str, method: str = "GET", referer: str = "", **more: Any) -> Any:
        more |= {"HTTP_X_MS_GEO_LOCATION": "West Europe"}
        if referer:
            more["HTTP_REFERER"] = referer
        return self.call(method, API + path, **more)

    def test_one_webjob_is_a_resource_at_the_address_that_the_front_end_names(self) -> None:
        asked = f"https://management.example.org{SITE}/triggeredwebjobs/nightly?api-version=1"
        found = self.ask("/triggeredwebjobs/nightly", referer=asked).json()
        self.assertEqual(set(found), {"id", "name", "type", "location", "properties"})
        self.assertEqual(found["id"], f"{SITE}/triggeredwebjobs/nightly")
        self.assertEqual(found["name"], "demo/nightly")
        self.assertEqual(found["type"], "Microsoft.Web/sites/triggeredwebjobs")
        self.assertEqual(found["location"], "West Europe")
        self.assertEqual(found["properties"]["name"], "nightly")
        self.assertEqual(found["properties"]["web_job_type"], "Triggered")
        self.assertEqual(found["properties"]["latest_run"]["web_job_id"], str(self.run_.number))

    def test_without_a_referer_its_id_is_the_path(self) -> None:
        for referer in ("", "https://[", "nonsense"):
            found = self.ask("/continuouswebjobs/listener", referer=referer).json()
            path = referer if referer == "nonsense" else f"{API}/continuouswebjobs/listener"
            self.assertEqual(found["id"], path)

    def test_lists_are_pages_of_resources(self) -> None:
        for path, kinds in (("webjobs", ["", ""]), ("triggeredwebjobs", ["triggered"])):
            found = self.ask("/" + path, referer=f"https://x{SITE}/{path}/").json()["value"]
            self.assertEqual(
                [one["type"] for one in found],
                [f"Microsoft.Web/sites/{kind}webjobs" for kind in kinds],
            )
            self.assertEqual(found[0]["id"], f"{SITE}/{path}/nightly")

    def test_the_history_is_a_page_too_and_goes_on(self) -> None:
        make_run(self.job)
        path = "/triggeredwebjobs/nightly/history"
        found = self.ask(path + "?limit=1").json()
        one = found["value"][0]
        self.assertEqual(one["type"], "Microsoft.Web/sites/triggeredwebjobs/history")
        run = one["properties"]["runs"][0]
        self.assertEqual(one["name"], f"demo/nightly/{run['id']}")
        more = self.ask(found["nextLink"].removeprefix(f"http://testserver{API}")).json()
        self.assertEqual([one["name"] for one in more["value"]], [f"demo/nightly/{self.run_}"])
        self.assertIsNone(more["nextLink"])
        alone = self.ask(f"{path}/{run['id']}").json()
        self.assertEqual(alone["properties"], one["properties"])

    def test_a_run_is_200(self) -> None:
        response = self.ask("/triggeredwebjobs/nightly/run", "POST")
        self.assertEqual((response.status_code, response.content), (200, b""))
        self.assertTrue(response["Location"].endswith(f"/history/{Run.objects.first()}"))
        response = self.ask("/triggeredwebjobs/nightly/run", "POST")
        self.assertEqual(response.status_code, 409)

    def test_put_writes_the_settings_and_needs_no_files(self) -> None:
        body = json.dumps({"properties": {"settings": {"stopping_wait_time": 9}}})
        response = self.ask("/triggeredwebjobs/nightly", "PUT", data=body)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json()["properties"]["settings"], {"stopping_wait_time": 9})
        settings = self.ask("/triggeredwebjobs/nightly/settings").json()
        self.assertEqual(settings["properties"], {"stopping_wait_time": 9})
        self.assertEqual(settings["type"], "Microsoft.Web/sites/triggeredwebjobs/settings")
        body = json.dumps({"properties": {"stopping_wait_time": 8}})
        response = self.ask("/triggeredwebjobs/nightly/settings", "PUT", data=body)
        self.assertEqual((response.status_code, response.content), (200, b""))
        plain = self.get(f"{API}/triggeredwebjobs/nightly/settings").json()
        self.assertEqual(plain, {"stopping_wait_time": 8})

    def test_put_of_something_else_is_refused(self) -> None:
        for text in ("{}", '{"properties": 1}', '{"properties": {"settings": []}}', "PK"):
            response = self.ask("/triggeredwebjobs/nightly", "PUT", data=text)
            self.assertEqual(response.status_code, 400, text)
        good = '{"properties": {"settings": {}}}'
        self.assertEqual(self.ask("/triggeredwebjobs/x", "PUT", data=good).status_code, 404)
        otto = self.of(self.operator)
        refused = self.ask("/triggeredwebjobs/nightly", "PUT", data=good, auth=otto)
        self.assertEqual(refused.status_code, 403)

    def test_processes_are_resources(self) -> None:
        make_copy(self.listener, pid=7)
        one = self.ask("/processes").json()["value"][0]
        self.assertEqual((one["name"], one["type"]), ("demo/7", "Microsoft.Web/sites/processes"))
        self.assertTrue(one["properties"]["is_webjob"])
        self.assertEqual(self.ask("/processes/7").json()["properties"], one["properties"])

    def test_an_etag_is_good_for_one_of_the_two_forms(self) -> None:
        for path in ("/webjobs", "/triggeredwebjobs/nightly", "/triggeredwebjobs/nightly/history"):
            tag = self.ask(path)["ETag"]
            self.assertEqual(self.ask(path, HTTP_IF_NONE_MATCH=tag).status_code, 304)
            self.assertEqual(self.get(API + path, HTTP_IF_NONE_MATCH=tag).status_code, 200)
