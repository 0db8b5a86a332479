"""Another process follows a log while it is being written."""

from __future__ import annotations

import hashlib
import subprocess
import sys

from django.test import TransactionTestCase

from tests.support.environment import portal_environ
from tests.support.logs import new_log
from webjobs.logs import LogWriter
from webjobs.states import Stream

FOLLOWER = """
import hashlib, sys, time
import django
django.setup()
from webjobs import logs
from webjobs.models import Log

log = Log.objects.get(pk=sys.argv[1])
print("ready", flush=True)
digest, offset, number, text = hashlib.sha256(), 0, 0, ""
while True:
    page = logs.read_after(log, offset)
    assert page.start == offset, (page.start, offset)
    for line in page.lines:
        if line.number != number:
            assert line.number == number + 1 and not line.is_rest, line
            digest.update((text + "\\n").encode() if number else b"")
            number, text = line.number, ""
        text += line.text
    offset = page.end
    if page.is_complete and offset == page.size:
        break
    time.sleep(0.001)
digest.update((text + "\\n").encode())
print(number, digest.hexdigest())
"""


class FollowTests(TransactionTestCase):
    def test_another_process_sees_every_line_once_and_in_order(self) -> None:
        log = new_log()
        follower = subprocess.Popen(
            [sys.executable, "-c", FOLLOWER, str(log.pk)],
            env=portal_environ(),
            stdout=subprocess.PIPE,
            text=True,
        )
        with follower:
            assert follower.stdout is not None
            self.assertEqual(follower.stdout.readline(), "ready\n")
            writer = LogWriter(log, limit=10**9)
            data = b"".join(b"line %06d \xe2\x82\xac\n" % number for number in range(100_000))
            for start in range(0, len(data), 9_999):
                writer.append(Stream.OUT, data[start : start + 9_999], 1_700_000_000.0)
                writer.flush()
            writer.complete()
            number, digest = follower.stdout.readline().split()
        self.assertEqual(number, "100000")
        self.assertEqual(digest, hashlib.sha256(data).hexdigest())
