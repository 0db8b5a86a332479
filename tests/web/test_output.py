import gzip
from typing import Any

from django.utils import timezone

from tests.web.objects import make_instance, make_job, make_run
from tests.web.pages import PagesTestCase
from tests.web.test_runs import BASE, write
from webjobs.logs import LogWriter, log_of_copy, log_of_run
from webjobs.models import Copy
from webjobs.states import JobType, RunStatus, Stream


class RunLogTests(PagesTestCase):
    def setUp(self) -> None:
        self.job = make_job(self.slot, "nightly")
        self.running = make_run(self.job, RunStatus.RUNNING)
        self.url = f"{BASE}{self.running.number}/log"

    def read(self, query: str = "") -> dict[str, Any]:
        response = self.get(self.url + query, self.carol)
        self.assertEqual(response.status_code, 200)
        found: dict[str, Any] = response.json()
        return found

    def test_before_the_first_output_there_is_nothing_and_it_is_not_over(self) -> None:
        data = self.read()
        self.assertEqual((data["lines"], data["end"], data["final"]), ([], 0, False))
        self.assertFalse(data["complete"])

    def test_pieces_put_together_are_the_output(self) -> None:
        write(self.running, b"one\ntw", complete=False)
        first = self.read("?after=0")
        self.assertEqual([line[3] for line in first["lines"]], ["one", "tw"])
        log = self.running.log
        log.refresh_from_db()
        writer = LogWriter(log, limit=10**6)
        writer.append(Stream.OUT, b"o\nthree\n", 1_780_000_000.0)
        writer.complete()
        second = self.read(f"?after={first['end']}")
        self.assertEqual(
            [line[:1] + line[3:4] for line in second["lines"]], [[2, "o"], [3, "three"]]
        )
        self.assertTrue(second["complete"])

    def test_earlier_lines_end_where_the_page_begins(self) -> None:
        write(self.running, b"".join(b"line %d\n" % number for number in range(5000)))
        first_shown = self.read("?line=4000")["lines"][0]
        earlier = self.read(f"?before={first_shown[4]}")["lines"]
        self.assertEqual(earlier[-1][0], 3999)
        self.assertEqual(len(earlier), 2000)

    def test_a_running_log_comes_as_a_gzip_file(self) -> None:
        write(self.running, b"one\n\xff" * 1000, complete=False)
        response = self.get(f"{self.url}.txt?raw=out&gz=1", self.carol)
        self.assertEqual(response["Content-Type"], "application/gzip")
        name = f"nightly-{self.running.number}.txt.gz"
        self.assertIn(f'attachment; filename="{name}"', response["Content-Disposition"])
        self.assertEqual(gzip.decompress(response.getvalue()), b"one\n\xff" * 1000)

    def test_rubbish_in_the_address_does_no_harm(self) -> None:
        write(self.running, b"one\n")
        for query in ["?after=x", "?after=-5", "?before=" + "9" * 40, "?line=", "?after=999999"]:
            self.read(query)

    def test_a_final_run_says_so(self) -> None:
        run = make_run(self.job, RunStatus.SUCCESS, at=timezone.now().replace(year=2025))
        data = self.get(f"{BASE}{run.number}/log").json()
        self.assertTrue(data["final"])
        self.assertTrue(data["complete"])

    def test_it_is_never_cached(self) -> None:
        self.assertIn("no-store", self.get(self.url).headers["Cache-Control"])

    def test_it_is_for_members_only(self) -> None:
        self.assert_for_members_only(self.url)
        self.assert_method_refused(self.url, "post")
        self.assertEqual(self.get(f"{BASE}1/log").status_code, 404)


class RunTextTests(PagesTestCase):
    def setUp(self) -> None:
        self.finished = make_run(make_job(self.slot, "nightly"))
        self.url = f"{BASE}{self.finished.number}/log.txt"

    def text(self, query: str = "") -> bytes:
        response = self.get(self.url + query, self.carol)
        self.assertEqual(response.headers["Content-Type"], "text/plain; charset=utf-8")
        self.assertTrue(response.headers["Content-Disposition"].startswith("inline"))
        self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
        return bytes(response.getvalue())

    def test_it_is_azures_text(self) -> None:
        write(self.finished, "grüße\n".encode())
        self.assertRegex(
            self.text().decode(), r"^\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d > 327e1e: INFO\] grüße\r\n$"
        )

    def test_raw_is_what_was_written_byte_for_byte(self) -> None:
        content = bytes(range(256)) + b"\r\n<b>"
        write(self.finished, content)
        self.assertEqual(self.text("?raw=1"), content)

    def test_raw_is_of_one_stream_when_it_is_asked_for(self) -> None:
        writer = LogWriter(log_of_run(self.finished, "327e1e"), limit=10**6)
        writer.append(Stream.OUT, b"one\n", 1_780_000_000.0)
        writer.append(Stream.ERR, b"two\n", 1_780_000_001.0)
        writer.system(Stream.SYSTEM, "three")
        writer.append(Stream.OUT, b"four\n", 1_780_000_002.0)
        writer.complete()
        self.assertEqual(self.text("?raw=out"), b"one\nfour\n")
        self.assertEqual(self.text("?raw=err"), b"two\n")

    def test_without_output_it_is_empty(self) -> None:
        self.assertEqual(self.text(), b"")

    def test_it_is_for_members_only(self) -> None:
        self.assert_for_members_only(self.url)


class CopyLogTests(PagesTestCase):
    def setUp(self) -> None:
        job = make_job(self.slot, "listener", JobType.CONTINUOUS)
        self.copy = Copy.objects.create(
            job=job, instance=make_instance(), epoch=1, status="Running", changed_at=timezone.now()
        )
        key = self.copy.instance.key
        self.url = f"/apps/demo/history/continuous/listener/instances/{key}/log"

    def test_it_follows_and_downloads_as_a_runs_output_does(self) -> None:
        writer = LogWriter(log_of_copy(self.copy), limit=10**6, rolling=True)
        writer.append(Stream.OUT, b"hello\n", 0.0)
        writer.flush()
        data = self.get(self.url, self.carol).json()
        self.assertEqual((data["lines"][0][3], data["status"]), ("hello", "Running"))
        self.assertFalse(data["final"])
        self.assertContains(self.get(self.url + ".txt"), "INFO] hello")

    def test_an_unknown_instance_is_not_found(self) -> None:
        url = "/apps/demo/history/continuous/listener/instances/none/log"
        self.assertEqual(self.get(url).status_code, 404)

    def test_it_is_for_members_only(self) -> None:
        self.assert_for_members_only(self.url)
        self.assert_for_members_only(self.url + ".txt")
