"""Kudu: log files by byte ranges, folders, app settings, host names."""

from __future__ import annotations

import time
from typing import Any

from django.test import override_settings

from tests.api.calling import ApiTestCase, make_copy
from tests.web.objects import make_instance, make_job, make_run, make_setting, make_slot
from webjobs import logs
from webjobs.models import AppSetting, AuditEntry, Log, Run, Schedule
from webjobs.states import CopyStatus, JobType, RunStatus, Stream

DATA = "/scm/demo/api/vfs/data/jobs/"


def write(log: Log, text: bytes, *, is_complete: bool = False, stream: Stream = Stream.OUT) -> None:
    writer = logs.LogWriter(log, limit=2**30)
    writer.append(stream, text, time.time())
    writer.flush()
    if is_complete:
        writer.complete()


class RunLogTests(ApiTestCase):
    def setUp(self) -> None:
        self.run_row: Run = make_run(make_job(self.slot))
        self.log = logs.log_of_run(self.run_row, "abcdef123456")
        self.path = f"{DATA}triggered/nightly/{self.run_row.number}/output_log.txt"

    def body(self, **more: Any) -> bytes:
        return b"".join(self.get(self.path, **more).streaming_content)

    def test_the_documents_link_leads_to_azures_text(self) -> None:
        write(self.log, "hällo\n".encode(), is_complete=True)
        url = self.get("/scm/demo/api/triggeredwebjobs/nightly").json()["latest_run"]["output_url"]
        response = self.get(url.removeprefix("http://testserver"))
        self.assertEqual(response["Content-Type"], "text/plain; charset=utf-8")
        text = b"".join(response.streaming_content).decode()
        self.assertRegex(text, r"^\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d > abcdef: INFO\] hällo\r\n$")

    def test_any_range_is_that_part_of_the_whole(self) -> None:
        for index in range(40):
            stream = Stream.ERR if index % 3 else Stream.OUT
            write(self.log, f"é line {index}\n".encode() * 50, stream=stream)
        whole = self.body()
        size = len(whole)
        for start, stop in ((0, 1), (0, size), (5, 17), (size - 1, size), (size // 2, size)):
            response = self.get(self.path, HTTP_RANGE=f"bytes={start}-{stop - 1}")
            self.assertEqual(response.status_code, 206)
            self.assertEqual(response["Content-Range"], f"bytes {start}-{stop - 1}/{size}")
            self.assertEqual(int(response["Content-Length"]), stop - start)
            self.assertEqual(b"".join(response.streaming_content), whole[start:stop])
        self.assertEqual(self.body(HTTP_RANGE="bytes=-7"), whole[-7:])
        self.assertEqual(self.body(HTTP_RANGE=f"bytes={size - 3}-"), whole[-3:])

    def test_a_follower_gets_only_what_is_new_and_all_of_it(self) -> None:
        read = b""
        for index in range(20):
            # Every third piece ends inside a line.
            write(self.log, f"line {index}".encode() + (b"" if index % 3 else b"\n"))
            response = self.get(self.path, HTTP_RANGE=f"bytes={len(read)}-")
            read += b"".join(response.streaming_content)
        write(self.log, b" the end\n", is_complete=True)
        read += self.body(HTTP_RANGE=f"bytes={len(read)}-")
        self.assertEqual(read, self.body())
        self.assertEqual(read, b"".join(logs.azure_text(self.log)))

    def test_behind_the_end_is_416_with_the_size(self) -> None:
        write(self.log, b"x\n")
        size = len(self.body())
        response = self.get(self.path, HTTP_RANGE=f"bytes={size}-")
        self.assertEqual(response.status_code, 416)
        self.assertEqual(response["Content-Range"], f"bytes */{size}")

    def test_ranges_that_mean_nothing_and_several_ones_are_ignored(self) -> None:
        write(self.log, b"x\n")
        for text in ("lines=1-2", "bytes=5-2", "bytes=-", "bytes=0-1,3-4", "bytes=a-b"):
            with self.subTest(text):
                self.assertEqual(self.get(self.path, HTTP_RANGE=text).status_code, 200)

    def test_304_until_something_is_printed(self) -> None:
        write(self.log, b"x\n")
        etag = self.get(self.path)["ETag"]
        self.assertEqual(self.get(self.path, HTTP_IF_NONE_MATCH=etag).status_code, 304)
        write(self.log, b"y\n")
        self.assertEqual(self.get(self.path, HTTP_IF_NONE_MATCH=etag).status_code, 200)
        stale = self.get(self.path, HTTP_RANGE="bytes=0-3", HTTP_IF_RANGE=etag)
        self.assertEqual(stale.status_code, 200)

    def test_head_tells_the_size(self) -> None:
        write(self.log, b"x\n")
        response: Any = self.call("HEAD", self.path)
        self.assertEqual(int(response["Content-Length"]), len(self.body()))
        self.assertEqual(response["Accept-Ranges"], "bytes")
        self.assertEqual(b"".join(response.streaming_content), b"")

    def test_a_range_is_nothing_to_head_and_its_unit_has_no_case(self) -> None:
        write(self.log, b"x\n")
        response: Any = self.call("HEAD", self.path, HTTP_RANGE="bytes=0-3")
        self.assertEqual(response.status_code, 200)
        self.assertEqual(int(response["Content-Length"]), len(self.body()))
        self.assertEqual(self.get(self.path, HTTP_RANGE="Bytes=0-3").status_code, 206)

    def test_an_etag_is_found_in_a_list_and_where_a_proxy_has_weakened_it(self) -> None:
        write(self.log, b"x\n")
        tag = self.get(self.path)["ETag"]
        for known in (f"W/{tag}", f'"other", {tag}', f'"other",W/{tag} , "last"', "*"):
            self.assertEqual(self.get(self.path, HTTP_IF_NONE_MATCH=known).status_code, 304, known)
        # Weak ones promise no equal bytes.
        for known in (f"W/{tag}", '"other"'):
            stale = self.get(self.path, HTTP_RANGE="bytes=0-3", HTTP_IF_RANGE=known)
            self.assertEqual(stale.status_code, 200, known)

    def test_nothing_is_written_here(self) -> None:
        write(self.log, b"x\n")
        for method in ("PUT", "DELETE"):
            response: Any = self.call(method, self.path)
            self.assertEqual(response.status_code, 405)
            self.assertIn("read only", response.json()["Message"])

    def test_the_status_file_is_there(self) -> None:
        path = f"{DATA}triggered/nightly/{self.run_row.number}/status"
        text = b"".join(self.get(path).streaming_content)
        self.assertIn(b'"Status": "Success"', text)


class FolderTests(ApiTestCase):
    def names(self, path: str) -> list[str]:
        return [entry["name"] for entry in self.get(path).json()]

    def test_folders_are_listed_down_to_the_logs(self) -> None:
        job = make_job(self.slot)
        run = make_run(job)
        logs.log_of_run(run, "abc")
        logs.log_of_schedule(Schedule.objects.create(job=job, expression="0 * * * * *"))
        self.assertEqual(self.names("/scm/demo/api/vfs/"), ["data"])
        self.assertEqual(self.names("/scm/demo/vfs/data/"), ["jobs"])
        self.assertEqual(self.names(DATA), ["continuous", "triggered"])
        self.assertEqual(self.names(DATA + "triggered/"), ["nightly"])
        number = str(run.number)
        self.assertEqual(self.names(DATA + "triggered/nightly/"), ["job_scheduler.log", number])
        entries = self.get(f"{DATA}triggered/Nightly/{number}/").json()
        self.assertEqual([entry["name"] for entry in entries], ["output_log.txt", "status"])
        self.assertLessEqual(
            {"name", "size", "mtime", "crtime", "mime", "href", "path"}, {*entries[0]}
        )
        self.assertEqual(
            self.get(entries[0]["href"].removeprefix("http://testserver")).status_code, 200
        )

    def test_a_folder_without_slash_is_found_with_one(self) -> None:
        response = self.get("/scm/demo/api/vfs/data")
        self.assertEqual(response.status_code, 307)
        self.assertEqual(response["Location"], "http://testserver/scm/demo/api/vfs/data/")

    def test_what_is_not_there_is_404(self) -> None:
        make_job(self.slot)
        for path in ("x", "triggered/other/", "triggered/nightly/123/", "../../etc/passwd", "%00"):
            self.assertEqual(self.get(DATA + path).status_code, 404)

    def test_a_continuous_job_has_one_log_and_one_of_each_instance(self) -> None:
        job = make_job(self.slot, "worker", JobType.CONTINUOUS)
        standby = make_copy(job, CopyStatus.INACTIVE_INSTANCE, make_instance("a"))
        active = make_copy(job, CopyStatus.RUNNING, make_instance("b"))
        write(logs.log_of_copy(standby), b"standing by\n")
        write(logs.log_of_copy(active), b"working\n")
        folder = DATA + "continuous/worker/"
        keys = [standby.instance.short_key, active.instance.short_key]
        self.assertEqual(self.names(folder), ["job_log.txt", *[f"job_log_{k}.txt" for k in keys]])
        text = b"".join(self.get(folder + "job_log.txt").streaming_content)
        self.assertIn(b"working", text)


class SettingsTests(ApiTestCase):
    def test_values_are_shown_but_secrets(self) -> None:
        make_setting(self.slot, "PLAIN", "yes")
        make_setting(self.slot, "HIDDEN", "no", is_secret=True)
        path = "/scm/demo/api/settings"
        self.assertEqual(self.get(path).json(), {"HIDDEN": None, "PLAIN": "yes"})
        self.assertEqual(self.get(path + "/plain").json(), "yes")
        self.assertIsNone(self.get(path + "/HIDDEN").json())
        self.assertEqual(self.get(path + "/NOTHING").status_code, 404)
        self.assertEqual(self.get(path, auth=self.of(self.reader)).status_code, 403)
        entry = AuditEntry.objects.filter(action="settings.reveal").first()
        self.assertEqual(entry and entry.details, {"names": ["PLAIN"]})

    def test_both_forms_of_post_change_and_delete_removes(self) -> None:
        path = "/scm/demo/api/settings"
        for body in (b'{"A":"1","B":true,"C":3}', b'{"key":"A","value":"2"}'):
            self.assertEqual(self.post(path, data=body).status_code, 204)
        self.assertEqual(self.get(path).json(), {"A": "2", "B": "true", "C": "3"})
        for _ in range(2):
            self.assertEqual(self.delete(path + "/a").status_code, 204)
        self.assertEqual(self.get(path).json(), {"B": "true", "C": "3"})

    def test_marks_stay_and_null_leaves_a_secret(self) -> None:
        make_setting(self.slot, "HIDDEN", "no", is_secret=True, is_slot_setting=True)
        path = "/scm/demo/api/settings"
        self.post(path, data=b'{"HIDDEN":null}')
        self.assertEqual(AppSetting.objects.get().value, "no")
        self.post(path, data=b'{"hidden":"new"}')
        setting = AppSetting.objects.get()
        self.assertEqual(
            (setting.value, setting.is_secret, setting.is_slot_setting), ("new", True, True)
        )

    def test_what_cannot_be_a_setting_is_refused_by_name(self) -> None:
        for body in (
            b'{"A=B":"1"}', b'{"A":null}', b'{"A":{}}', b'{"A":"\\u0000"}', b'{"A":"\\ud800"}',
            b'{"WEBJOBS_RESTART_TIME":"soon"}', b'{"WEBSITE_TIME_ZONE":"Nowhere"}', b'{"":"1"}',
        ):  # fmt: skip
            with self.subTest(body):
                response = self.post("/scm/demo/api/settings", data=body)
                self.assertEqual(response.status_code, 400, response.content)
        self.assertFalse(AppSetting.objects.exists())

    def test_the_body_has_a_limit(self) -> None:
        response = self.post("/scm/demo/api/settings", data=b" " * (2**20 + 1))
        self.assertEqual(response.status_code, 413)


@override_settings(SCM_DOMAIN="scm.example.org", ALLOWED_HOSTS=["example.org", ".scm.example.org"])
class HostTests(ApiTestCase):
    def test_an_app_answers_under_its_own_host(self) -> None:
        make_run(make_job(self.slot), RunStatus.SUCCESS)
        (job,) = self.get("/api/webjobs", HTTP_HOST="demo.scm.example.org:8443").json()
        base = "http://demo.scm.example.org:8443/api/triggeredwebjobs/nightly"
        self.assertEqual(job["url"], base)
        self.assertTrue(job["extra_info_url"].startswith("http://example.org:8443/apps/demo/"))
        path = job["latest_run"]["url"].removeprefix("http://demo.scm.example.org:8443")
        self.assertEqual(self.get(path, HTTP_HOST="DEMO.scm.example.org").status_code, 200)

    def test_a_slot_has_a_host_too_whatever_hyphens_there_are(self) -> None:
        make_slot("demo-a")
        make_job(make_slot("demo-a", "b-c"), "other")
        response = self.get(
            "/api/webjobs", HTTP_HOST="demo-a-b-c.scm.example.org", auth=self._token("demo-a")
        )
        self.assertEqual([job["name"] for job in response.json()], ["other"])
        self.assertIn("//demo-a-b-c.scm.example.org/api", response.json()[0]["url"])

    def _token(self, app: str) -> str:
        self.reader.is_superuser = True
        self.reader.save()
        return self.of(self.reader)

    def test_such_a_host_shows_no_pages(self) -> None:
        for path in ("/sign-in", "/admin/", "/apps/"):
            self.assertEqual(self.get(path, HTTP_HOST="demo.scm.example.org").status_code, 404)
        unknown = self.get("/api/webjobs", HTTP_HOST="nothing.scm.example.org")
        self.assertEqual(unknown.status_code, 401)
