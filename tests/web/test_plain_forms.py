"""Every form without script: what is wrong is told beside its field, and what was typed stays."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from tests.web.objects import make_job, make_setting
from tests.web.pages import PagesTestCase

JOB = "/apps/demo/webjobs/triggered/nightly/"
# The address, what is typed well, and the field with what is typed badly.
FORMS: list[tuple[str, dict[str, str], str, str]] = [
    ("/apps/add", {}, "name", "no good"),
    ("/apps/demo/webjobs/add", {"type": "triggered"}, "name", "no good"),
    ("/apps/demo/webjobs/add",
     {"name": "x", "type": "triggered", "triggers": "scheduled"}, "cron", "0 99 * * * *"),
    (JOB + "schedule", {"time_zone": "Europe/Paris"}, "cron", "0 99 * * * *"),
    (JOB + "schedule", {"cron": "0 0 1 * * *"}, "time_zone", "Mars/Base"),
    (JOB + "policy", {"concurrency": "queue", "queue_limit": "7"}, "max_parallel", "1.5"),
    (JOB + "policy", {"concurrency": "queue"}, "retry_delay", "-1"),
    (JOB + "run", {}, "arguments", "'open"),
    ("/apps/demo/settings/add", {"value": "hello"}, "name", "A=B"),
    ("/apps/demo/settings/GREETING/edit", {"name": "GREETING"}, "value", "x" * 100_001),
    ("/apps/demo/settings/advanced", {"version": "0"}, "json", "[{"),
    ("/apps/demo/deployment-slots/add", {"with_jobs": "on"}, "name", "no good"),
    ("/apps/demo/deployment/connect", {"url": "https://host/x.git"}, "branch", "a..b"),
    ("/apps/demo/deployment/connect", {"branch": "main"}, "url", "file:///etc"),
    ("/tokens/", {"most": "1", "days": "7"}, "name", "x" * 101),
]  # fmt: skip


class PlainFormTests(PagesTestCase):
    def setUp(self) -> None:
        make_job(self.slot, "nightly")
        make_setting(self.slot, "GREETING", "hello")
        self.alice.is_superuser = True
        self.alice.save()

    def test_an_error_is_told_beside_its_field_and_all_that_was_typed_stays(self) -> None:
        for url, good, field, bad in FORMS:
            with self.subTest(url=url, field=field):
                answer: Any = self.post(url, good | {field: bad}, script=False)
                self.assertEqual(answer.status_code, 400)
                page = unescape(answer.content.decode())
                marked = re.findall(r'<(?:input|textarea|select)[^>]* name="(\w+)"[^>]*'
                                    r'aria-invalid="true"', page)  # fmt: skip
                self.assertIn(field, marked)
                told = re.findall(r'class="field-error"[^>]*>([^<]+)', page)
                self.assertTrue(any(text.strip() for text in told))
                for text in (bad, *good.values()):
                    self.assertIn(text, page)
