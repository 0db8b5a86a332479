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
        self.assertEqual(len(earlier), 400)

    def append(self, text: bytes, stream: Stream = Stream.OUT) -> None:
        log = log_of_run(self.running, "327e1e")
        log.refresh_from_db()
        writer = LogWriter(log, limit=10**9)
        writer.append(stream, text, 1_780_000_000.0)
        writer.flush()

    def test_a_page_has_no_more_lines_than_are_shown(self) -> None:
        write(self.running, b"\n" * 5000)
        page = self.read("?after=0")
        self.assertEqual((len(page["lines"]), page["end"]), (1000, 1000))

    def test_colours_go_on_from_before_the_page_within_a_stream(self) -> None:
        self.append(b"\x1b[31mred\n")
        self.append(b"not\n", Stream.ERR)
        self.append(b"still\n")
        page = self.read("?after=0")
        texts = [line[3] for line in page["lines"]]
        self.assertEqual(texts, [[["red", "f1"]], "not", [["still", "f1"]]])
        self.assertEqual(self.read("?line=3")["lines"][0][3], [["still", "f1"]])

    def test_a_progress_line_is_sent_anew_as_it_changes(self) -> None:
        self.append(b"\x1b[32m 5 %\r")
        first = self.read("?after=0")
        self.assertEqual(first["lines"][0][3], [[" 5 %", "f2"]])
        self.append(b"50 %\r")
        second = self.read(f"?after={first['end']}")
        self.assertEqual(second["lines"][0][3:], [[["50 %", "f2"]], first["end"], {"replaces": 1}])
        self.append(b"\x1b[Kdone")
        third = self.read(f"?after={second['end']}")
        self.assertEqual(third["lines"][0][3], [["done", "f2"]])
        self.append(b" and more\n")
        fourth = self.read(f"?after={third['end']}")
        self.assertEqual(fourth["lines"][0][3], [[" and more", "f2"]])

    def test_a_sequence_cut_between_two_pages_is_no_rubbish(self) -> None:
        self.append(b"a\x1b[3")
        first = self.read("?after=0")
        self.assertEqual(first["lines"][0][3], "a")
        self.append(b"1mb\n")
        second = self.read(f"?after={first['end']}")
        self.assertEqual(second["lines"][0][3], [["b", "f1"]])

    def test_one_stream_is_read_forward_and_back_whatever_is_between(self) -> None:
        for number in range(1, 31):
            self.append(b"out\n" * 200)
            self.append(b"err %d\n" % number, Stream.ERR)
        expected = [f"err {number}" for number in range(1, 31)]
        lines = self.forward("?after=0", "err")
        self.assertEqual([line[3] for line in lines], expected)
        self.assertEqual(lines[1][0], 402)
        self.assertEqual(self.forward("?line=1", "err"), lines)
        self.assertEqual(self.backward(999_999, "err"), lines)
        middle = lines[10][4]
        self.assertEqual(self.forward(f"?after={middle}", "err"), lines[10:])
        self.assertEqual(self.backward(middle, "err"), lines[:10])
        self.assertEqual(self.forward("?after=0", "system"), [])

    def forward(self, query: str, stream: str) -> list[list[Any]]:
        """All lines from there on, page by page."""
        lines: list[list[Any]] = []
        while query:
            page = self.read(f"{query}&stream={stream}")
            lines += page["lines"]
            query = f"?after={page['end']}" if page["end"] < page["size"] else ""
        return lines

    def backward(self, before: int, stream: str) -> list[list[Any]]:
        lines: list[list[Any]] = []
        while before > 0:
            page = self.read(f"?before={before}&stream={stream}")
            self.assertLess(page["start"], before)
            lines = page["lines"] + lines
            before = page["start"]
        return lines

    def test_pages_of_one_stream_follow_each_other_without_gap(self) -> None:
        for number in range(60):
            self.append(b"".join(b"out %d\n" % (number * 50 + n) for n in range(50)))
            self.append(b"x" * 500 + b"\n", Stream.ERR)
        expected = [f"out {number}" for number in range(3000)]
        self.assertEqual([line[3] for line in self.forward("?after=0", "out")], expected)
        self.assertEqual([line[3] for line in self.backward(10**9, "out")], expected)

    def test_a_line_of_one_stream_over_several_chunks_is_one_line(self) -> None:
        self.append("ä".encode() * 200_000)
        self.append(b"no\n", Stream.ERR)
        texts = "".join(line[3] for line in self.forward("?after=0", "out"))
        self.assertEqual(texts, "ä" * 200_000)

    def test_groups_tell_their_marks_and_where_they_end(self) -> None:
        self.append(b"::group::Build\n::group::In\n::endgroup::\n" + b"x\n" * 400_000)
        self.append(b"::endgroup::\n")
        first = self.read("?line=1")["lines"][0]
        self.assertEqual((first[3], first[5]), ("Build", {"ends": [], "begins": "github"}))
        answer: dict[str, Any] = {"done": False}
        query = "?group=github&line=1"
        while not answer["done"]:
            answer = self.read(query)
            query = f"?group=github&line=1&from={answer['from']}&depth={answer['depth']}"
        self.assertEqual(answer["line"], 400_004)
        self.assertIsNone(self.read("?group=azure&line=1")["line"])
        self.assertEqual(self.read("?group=github&line=2")["line"], 3)

    def test_search_finds_what_is_shown_and_in_the_stream_that_is_shown(self) -> None:
        self.append(b"er\x1b[31mror one\n")
        self.append(b"error two\n", Stream.ERR)
        found = self.read("/search?q=error")
        self.assertEqual([match["line"] for match in found["matches"]], [1, 2])
        self.assertEqual(found["matches"][0]["spans"], [[0, 5]])
        for back in ("", "&back=1"):
            found = self.read(f"/search?q=error&stream=err{back}")
            self.assertEqual([match["line"] for match in found["matches"]], [2])

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
