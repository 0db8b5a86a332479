"""The address that searches output for the pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.utils import timezone

from tests.web.objects import make_instance, make_job, make_run
from tests.web.pages import PagesTestCase
from tests.web.test_runs import BASE, write
from webjobs.logs import LogWriter, log_of_copy
from webjobs.models import Copy
from webjobs.states import JobType, RunStatus, Stream


class RunLogSearchTests(PagesTestCase):
    def setUp(self) -> None:
        self.run_row = make_run(make_job(self.slot, "nightly"), RunStatus.SUCCESS)
        self.url = f"{BASE}{self.run_row.number}/log/search"
        write(self.run_row, b"one\ntwo Needle needle\nthree\nneedle\n")

    def ask(self, status: int = 200, /, **query: str) -> dict[str, Any]:
        response = self.get(f"{self.url}?{urlencode(query)}", self.carol)
        self.assertEqual(response.status_code, status)
        found: dict[str, Any] = response.json()
        return found

    def test_it_says_where_matches_are(self) -> None:
        self.assertEqual(
            self.ask(q="needle"),
            {
                "matches": [
                    {"line": 2, "offset": 4, "spans": [[4, 10], [11, 17]]},
                    {"line": 4, "offset": 28, "spans": [[0, 6]]},
                ],
                "count": 2,
                "searched_to": 35,
                "searched_to_line": 5,
                "done": True,
                "error": "",
            },
        )

    def test_case_and_expressions_are_choices(self) -> None:
        self.assertEqual(self.ask(q="Needle", case="1")["count"], 1)
        self.assertEqual(self.ask(q="^n.*e$", regex="1")["count"], 1)

    def test_a_part_of_the_lines_is_searched(self) -> None:
        lines = [match["line"] for match in self.ask(q="needle", line="3")["matches"]]
        self.assertEqual(lines, [4])
        lines = [match["line"] for match in self.ask(q="e", until="3")["matches"]]
        self.assertEqual(lines, [1, 2])
        found = self.ask(q="e", back="1", before="4", limit="1")
        self.assertEqual([match["line"] for match in found["matches"]], [3])
        found = self.ask(q="e", line="2", limit="1", count="0")
        self.assertEqual((found["count"], found["searched_to_line"], found["done"]), (1, 3, False))
        rest = self.ask(q="e", **{"from": str(found["searched_to"])})
        self.assertEqual(rest["count"], 2)

    def test_what_cannot_be_searched_for_is_said_in_words(self) -> None:
        self.assertIn("missing )", self.ask(400, q="(", regex="1")["error"])
        self.assertEqual(self.ask(400)["error"], "Enter what to search for.")

    def test_rubbish_in_the_address_does_no_harm(self) -> None:
        for query in [{"line": "x"}, {"from": "9" * 30}, {"from": "999"}, {"limit": "-1"}]:
            self.ask(q="e", **query)
            self.ask(q="e", back="1", **query)
        self.ask(q="\0\ud7ff")

    def test_a_run_without_output_has_no_match(self) -> None:
        run = make_run(self.run_row.job, RunStatus.FAILED, at=timezone.now().replace(year=2025))
        response = self.get(f"{BASE}{run.number}/log/search?q=a", self.carol)
        self.assertEqual((response.json()["count"], response.json()["done"]), (0, True))

    def test_only_members_may_search(self) -> None:
        self.assertEqual(self.get(self.url + "?q=a", self.dave).status_code, 404)
        self.client.logout()
        self.assertEqual(self.client.get(self.url + "?q=a").status_code, 302)
        self.assertEqual(self.get(f"{BASE}1/log/search?q=a", self.carol).status_code, 404)

    def test_it_only_reads(self) -> None:
        self.client.force_login(self.carol)
        self.assertEqual(self.client.post(self.url, {"q": "a"}).status_code, 405)


class CopyLogSearchTests(PagesTestCase):
    def test_the_log_of_one_instance_is_searched(self) -> None:
        job = make_job(self.slot, "forever", JobType.CONTINUOUS)
        instance = make_instance()
        copy = Copy.objects.create(job=job, instance=instance, epoch=1, changed_at=timezone.now())
        writer = LogWriter(log_of_copy(copy), limit=10**6)
        writer.append(Stream.OUT, b"tick\n", 1_780_000_000.0)
        writer.flush()
        base = "/apps/demo/history/continuous/forever/instances/"
        found = self.get(f"{base}{instance.key}/log/search?q=TICK", self.carol).json()
        self.assertEqual(found["count"], 1)
        self.assertEqual(
            self.get(f"{base}{instance.key}/log/search?q=a", self.dave).status_code, 404
        )
        self.assertEqual(self.get(f"{base}none/log/search?q=a", self.carol).status_code, 404)
