"""What the API may cost; the bounds leave room for a machine that has other work too."""

from __future__ import annotations

import statistics
import time
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.calling import ApiTestCase, make_copy
from tests.web.objects import bulk_runs, make_job
from webjobs.models import Schedule
from webjobs.states import JobType

JOBS = 1000


def milliseconds(action: Any, times: int = 9) -> float:
    """The median of the processor's time."""
    taken = []
    for _ in range(times):
        # Of this process: others may be busy meanwhile.
        start = time.process_time()
        action()
        taken.append((time.process_time() - start) * 1000)
    return statistics.median(taken)


class SpeedTests(ApiTestCase):
    def setUp(self) -> None:
        triggered = [make_job(self.slot, f"t{index}") for index in range(JOBS - 100)]
        for index in range(100):
            make_copy(make_job(self.slot, f"c{index}", JobType.CONTINUOUS))
        for job in triggered[:300]:
            Schedule.objects.create(job=job, expression="0 0 3 * * *")
        bulk_runs(triggered, 3000)

    def test_a_thousand_jobs_and_304(self) -> None:
        path = "/scm/demo/api/webjobs"
        self.assertEqual(len(self.get(path).json()), JOBS)
        listed = milliseconds(lambda: self.get(path))
        etag = self.get(path)["ETag"]
        self.assertEqual(self.get(path, HTTP_IF_NONE_MATCH=etag).status_code, 304)
        unchanged = milliseconds(lambda: self.get(path, HTTP_IF_NONE_MATCH=etag))
        one = "/scm/demo/api/triggeredwebjobs/t1"
        etag = self.get(one)["ETag"]
        single = milliseconds(lambda: self.get(one, HTTP_IF_NONE_MATCH=etag))
        print(f"list {listed:.0f} ms, 304 of it {unchanged:.0f} ms, 304 of one {single:.1f} ms")
        self.assertLess(listed, 300)
        self.assertLess(unchanged, 25)
        self.assertLess(single, 15)


class StatementTests(ApiTestCase):
    """What an answer costs the database, which a busy machine does not change."""

    def setUp(self) -> None:
        make_job(self.slot)

    def unchanged(self, auth: str) -> list[str]:
        """The statements of a 304, after the first uses of all that they need."""
        path = "/scm/demo/api/webjobs"
        etag = self.get(path, auth=auth)["ETag"]
        with CaptureQueriesContext(connection) as statements:
            self.assertEqual(self.get(path, auth=auth, HTTP_IF_NONE_MATCH=etag).status_code, 304)
        return [one["sql"] for one in statements.captured_queries]

    def test_304_for_the_publishing_credentials(self) -> None:
        # Failures of the name and of the address at once, slot; WebJobs, copies, instances.
        self.assertEqual(len(self.unchanged(self.publisher)), 5)

    def test_304_for_a_token_writes_nothing(self) -> None:
        statements = self.unchanged(self.of(self.reader))
        # The token instead of the slot; app, role and slot.
        self.assertEqual(len(statements), 8)
        self.assertFalse([sql for sql in statements if not sql.lstrip().startswith("SELECT")])
