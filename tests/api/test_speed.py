"""What the API may cost; the bounds leave room for a machine that has other work too."""

from __future__ import annotations

import statistics
import time
from typing import Any

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
        self.assertLess(listed, 500)
        self.assertLess(unchanged, 100)
        self.assertLess(single, 50)
