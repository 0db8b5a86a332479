"""Azure Resource Manager: documents, paging, errors, sites."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests.api.calling import SUB, ApiTestCase, basic, make_copy, token_for
from tests.web.objects import bulk_runs, make_job, make_run, make_setting, make_slot
from webjobs.models import AppSetting, Run, Slot, WebJob
from webjobs.states import JobType, RunStatus

GROUP = f"/subscriptions/{SUB}/resourceGroups/rg1"
SITES = f"{GROUP}/providers/Microsoft.Web/sites"
SITE = f"{SITES}/demo"
RUN = {
    "web_job_id", "web_job_name", "status", "start_time", "end_time", "duration", "output_url",
    "error_url", "url", "job_name", "trigger", "id", "name",
}  # fmt: skip
TRIGGERED = {
    "latest_run", "history_url", "scheduler_logs_url", "run_command", "url", "extra_info_url",
    "web_job_type", "error", "using_sdk", "publicNetworkAccess", "storageAccountRequired",
    "settings", "name", "type",
}  # fmt: skip
CONTINUOUS = {
    "status", "detailed_status", "log_url", "run_command", "url", "extra_info_url",
    "web_job_type", "error", "using_sdk", "settings", "name", "type",
}  # fmt: skip


def v(path: str, **query: str) -> str:
    more = "".join(f"&{name}={value}" for name, value in query.items())
    return f"{path}?api-version=2025-05-01{more}"


class WebJobTests(ApiTestCase):
    def setUp(self) -> None:
        self.nightly = make_job(self.slot)
        self.worker = make_job(self.slot, "worker", JobType.CONTINUOUS)

    def value(self, path: str) -> list[dict[str, Any]]:
        value: list[dict[str, Any]] = self.get(v(path)).json()["value"]
        return value

    def test_the_three_lists(self) -> None:
        for collection, names in {
            "webjobs": ["demo/nightly", "demo/worker"],
            "triggeredwebjobs": ["demo/nightly"],
            "continuouswebjobs": ["demo/worker"],
        }.items():
            found = self.value(f"{SITE}/{collection}")
            self.assertEqual([item["name"] for item in found], names)
            for item in found:
                self.assertEqual(item["type"], f"Microsoft.Web/sites/{collection}")
                name = item["name"].partition("/")[2]
                self.assertEqual(item["id"], f"{SITE}/{collection}/{name}")
                self.assertEqual(self.get(v(item["id"])).json()["id"], item["id"])

    def test_documents_carry_both_name_styles(self) -> None:
        make_run(self.nightly, started_at=timezone.now(), ended_at=timezone.now())
        triggered = self.get(v(f"{SITE}/triggeredwebjobs/nightly")).json()["properties"]
        self.assertLessEqual(TRIGGERED, {*triggered})
        self.assertLessEqual(RUN, {*triggered["latest_run"]})
        self.assertEqual((triggered["type"], triggered["web_job_type"]), ("triggered", "Triggered"))
        continuous = self.get(v(f"{SITE}/continuouswebjobs/worker")).json()["properties"]
        self.assertLessEqual(CONTINUOUS, {*continuous})
        self.assertEqual(continuous["web_job_type"], "Continuous")

    def test_case_and_a_slash_at_the_end_do_not_matter(self) -> None:
        path = SITE.lower().replace("/sites/", "/Sites/") + "/TriggeredWebJobs/NIGHTLY/"
        self.assertEqual(self.get(v(path)).json()["properties"]["name"], "nightly")
        path = f"{SITE}/triggeredwebjobs/nightly?API-Version=2015-08-01"
        self.assertEqual(self.get(path).status_code, 200)

    def test_without_api_version_it_is_400_by_name(self) -> None:
        for query in ("", "?api-version="):
            response = self.get(f"{SITE}/webjobs{query}")
            self.assertEqual(response.status_code, 400)
            self.assertEqual(response.json()["error"]["code"], "MissingApiVersionParameter")

    def test_errors_have_every_shape(self) -> None:
        for path, status, code in (
            (f"{SITE}/triggeredwebjobs/nothing", 404, "NotFound"),
            (f"{SITES}/nothing/webjobs", 401, "AuthenticationFailed"),
            (f"{SITE}/nonsense", 401, "AuthenticationFailed"),
        ):
            response = self.get(v(path))
            body = response.json()
            self.assertEqual(response.status_code, status)
            self.assertEqual(body["error"], {"code": code, "message": body["Message"]})
            self.assertEqual(body["Code"], code)

    def test_run_is_200_without_a_body_and_then_409(self) -> None:
        path = v(f"{SITE}/triggeredwebjobs/nightly/run")
        response = self.post(path)
        self.assertEqual((response.status_code, response.content), (200, b""))
        self.assertTrue(response["Location"].endswith(f"/history/{Run.objects.get().number}"))
        again = self.post(path)
        self.assertEqual(again.status_code, 409)
        self.assertEqual(again.json()["error"]["code"], "Conflict")
        self.assertEqual(self.post(v(f"{SITE}/triggeredwebjobs/no/run")).status_code, 404)

    def test_start_and_stop_are_200_without_a_body(self) -> None:
        for word, is_stopped in (("stop", True), ("start", False)):
            response = self.post(v(f"{SITE}/continuouswebjobs/worker/{word}"))
            self.assertEqual((response.status_code, response.content), (200, b""))
            self.assertIs(WebJob.objects.get(name="worker").is_stopped, is_stopped)

    def test_delete_is_200_then_204(self) -> None:
        for kind, name in (("triggered", "nightly"), ("continuous", "worker")):
            path = v(f"{SITE}/{kind}webjobs/{name}")
            self.assertEqual([self.delete(path).status_code for _ in range(2)], [200, 204])
        self.assertEqual(self.delete(v(f"{SITES}/no/triggeredwebjobs/x")).status_code, 401)

    def test_two_jobs_may_have_one_name(self) -> None:
        make_job(self.slot, "worker")
        item = self.get(v(f"{SITE}/webjobs/worker")).json()
        self.assertEqual(item["properties"]["type"], "triggered")
        self.assertEqual(len(self.value(f"{SITE}/webjobs")), 3)

    def test_slots_have_twins_of_all(self) -> None:
        staging = make_slot("demo", "staging")
        job = make_job(staging, "other")
        make_run(job)
        self.reader.save()
        auth = self.of(self.operator)
        site = f"{SITE}/slots/staging"
        (item,) = self.get(v(f"{site}/triggeredwebjobs"), auth=auth).json()["value"]
        self.assertEqual(item["id"], f"{site}/triggeredwebjobs/other")
        self.assertEqual(item["name"], "demo/staging/other")
        self.assertEqual(item["type"], "Microsoft.Web/sites/slots/triggeredwebjobs")
        self.assertIn("/scm/demo/slots/staging/api/", item["properties"]["url"])
        run = self.post(v(f"{site}/triggeredwebjobs/other/run"), auth=auth)
        self.assertEqual(run.status_code, 200)
        self.assertEqual(self.get(v(f"{SITE}/slots/no/webjobs"), auth=auth).status_code, 404)


class PagingTests(ApiTestCase):
    def follow(self, path: str) -> list[str]:
        names, link = [], f"http://testserver{path}"
        while link:
            self.assertIn("api-version=2025-05-01", link)
            page = self.get(link.removeprefix("http://testserver")).json()
            names += [item["name"] for item in page["value"]]
            link = page["nextLink"]
        return names

    def test_the_last_page_has_no_next_link(self) -> None:
        page = self.get(v(f"{SITE}/webjobs")).json()
        self.assertEqual(page, {"value": [], "nextLink": None})

    def test_lists_follow_in_pages_without_gap(self) -> None:
        expected = []
        for index in range(7):
            make_job(self.slot, f"Job-{index}")
            make_job(self.slot, f"job-{index}", JobType.CONTINUOUS)
            expected += [f"demo/job-{index}", f"demo/Job-{index}"]
        path = v(f"{SITE}/webjobs", **{"$top": "3"})
        self.assertEqual(self.follow(path), expected)
        path = v(f"{SITE}/triggeredwebjobs", **{"$top": "2"})
        self.assertEqual(len(self.follow(path)), 7)

    def test_history_follows_in_pages_newest_first(self) -> None:
        job = make_job(self.slot)
        bulk_runs([job], 250)
        names = self.follow(v(f"{SITE}/triggeredwebjobs/nightly/history"))
        self.assertEqual(len(set(names)), 250)
        self.assertEqual(names, sorted(names, reverse=True))

    def test_an_entry_of_the_history_holds_one_run(self) -> None:
        job = make_job(self.slot)
        run = make_run(job, started_at=timezone.now(), ended_at=timezone.now())
        (item,) = self.get(v(f"{SITE}/triggeredwebjobs/nightly/history")).json()["value"]
        self.assertEqual(item["id"], f"{SITE}/triggeredwebjobs/nightly/history/{run.number}")
        self.assertEqual(item["name"], f"demo/nightly/{run.number}")
        self.assertEqual(item["type"], "Microsoft.Web/sites/triggeredwebjobs/history")
        (shown,) = item["properties"]["runs"]
        self.assertEqual(shown["web_job_id"], str(run.number))
        self.assertEqual(self.get(v(item["id"])).json(), item)
        self.assertEqual(self.get(v(item["id"] + "1")).status_code, 404)

    def test_a_run_in_progress_has_no_end(self) -> None:
        job = make_job(self.slot)
        start = timezone.now() - timedelta(days=1, hours=2)
        run = make_run(job, RunStatus.RUNNING, started_at=start)
        found = self.get(v(f"{SITE}/triggeredwebjobs/nightly/history/{run.number}")).json()
        (shown,) = found["properties"]["runs"]
        self.assertIsNone(shown["end_time"])
        self.assertTrue(shown["duration"].startswith("1.02:00:0"))


class SiteTests(ApiTestCase):
    def test_sites_are_those_that_the_caller_may_see(self) -> None:
        make_slot("hidden")
        for path in (SITES, f"/subscriptions/{SUB}/providers/Microsoft.Web/sites"):
            page = self.get(v(path), auth=self.of(self.reader)).json()
            self.assertEqual([item["name"] for item in page["value"]], ["demo"])
        empty = self.get(v(SITES), auth=self.of(self.stranger)).json()
        self.assertEqual(empty["value"], [])

    def test_a_site_tells_its_state(self) -> None:
        self.assertEqual(self._state(), "Running")
        self.assertEqual(self.post(v(f"{SITE}/stop")).status_code, 200)
        self.assertEqual(self._state(), "Stopped")
        self.assertEqual(self.post(v(f"{SITE}/start")).status_code, 200)
        self.assertEqual(self._state(), "Running")
        self.assertFalse(AppSetting.objects.exists())

    def _state(self) -> str:
        state: str = self.get(v(SITE)).json()["properties"]["state"]
        return state

    def test_restart_starts_continuous_jobs_anew(self) -> None:
        make_copy(make_job(self.slot, "worker", JobType.CONTINUOUS))
        before = Slot.objects.get().environment_revision
        self.assertEqual(self.post(v(f"{SITE}/restart")).status_code, 200)
        self.assertEqual(Slot.objects.get().environment_revision, before + 1)

    def test_app_settings_are_listed_and_replaced(self) -> None:
        make_setting(self.slot, "OLD", "1")
        make_setting(self.slot, "SECRET", "x", is_secret=True)
        path = f"{SITE}/config/appsettings"
        listed = self.post(v(path + "/list")).json()
        self.assertEqual(listed["properties"], {"OLD": "1", "SECRET": None})
        body = b'{"properties":{"NEW":"2","SECRET":null}}'
        self.assertEqual(self.put(v(path), data=body).status_code, 200)
        values = {setting.name: setting.value for setting in AppSetting.objects.all()}
        self.assertEqual(values, {"NEW": "2", "SECRET": "x"})
        self.assertEqual(self.put(v(path), data=b"{}").status_code, 400)
        self.assertEqual(self.put(v(path), data=body, auth=self.of(self.operator)).status_code, 403)

    def test_put_settings_come_back_as_they_were_kept_and_secrets_do_not(self) -> None:
        make_setting(self.slot, "SECRET", "x", is_secret=True)
        body = b'{"properties":{"SIZE":5,"DEBUG":true,"SECRET":"y"}}'
        answer = self.put(v(f"{SITE}/config/appsettings"), data=body).json()
        self.assertEqual(answer["properties"], {"SIZE": "5", "DEBUG": "true", "SECRET": None})

    def test_a_link_to_the_next_page_is_an_address_whatever_the_group_is_called(self) -> None:
        make_job(self.slot, "one")
        make_job(self.slot, "two")
        site = SITE.replace("/rg", "/my%20gr%C3%BCn", 1)
        page = self.get(v(f"{site}/webjobs") + "&$top=1").json()
        self.assertTrue(page["nextLink"].isascii())
        self.assertNotIn(" ", page["nextLink"])
        again = self.get(page["nextLink"].removeprefix("http://testserver")).json()
        self.assertEqual([job["properties"]["name"] for job in again["value"]], ["two"])

    def test_publishing_credentials_are_shown_to_contributors(self) -> None:
        path = v(f"{SITE}/config/publishingcredentials/list")
        self.assertEqual(self.post(path, auth=self.of(self.operator)).status_code, 403)
        found = self.post(path, auth=self.of(self.contributor)).json()["properties"]
        auth = basic(found["publishingUserName"], found["publishingPassword"])
        self.assertEqual(self.get("/scm/demo/api/webjobs", auth=auth).status_code, 200)

    def test_there_is_one_subscription_and_any_name_finds_it(self) -> None:
        bearer = f"Bearer {token_for(self.stranger)}"
        (only,) = self.get(v("/subscriptions"), auth=bearer).json()["value"]
        self.assertEqual(only["state"], "Enabled")
        found = self.get(v(f"/subscriptions/{SUB}"), auth=bearer).json()
        self.assertEqual((found["subscriptionId"], found["tenantId"]), (SUB, only["tenantId"]))
        (tenant,) = self.get(v("/tenants"), auth=bearer).json()["value"]
        self.assertEqual(tenant["tenantId"], only["tenantId"])
        groups = self.get(v(f"/subscriptions/{SUB}/resourcegroups"), auth=bearer).json()["value"]
        self.assertEqual([group["name"] for group in groups], ["webjobs"])
