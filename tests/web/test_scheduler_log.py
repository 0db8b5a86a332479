"""What the scheduler's log of a WebJob says."""

from __future__ import annotations

from datetime import timedelta

from tests.web.objects import make_run
from tests.web.schedules import NOON, ScheduleTestCase, at
from webjobs.logs import log_of_schedule, tail
from webjobs.models import Log, Schedule, WebJob
from webjobs.scheduler import words
from webjobs.scheduler.journal import FLUSH_LOGS, LOG_LIMIT, MAX_WAITING
from webjobs.states import RunStatus, Stream


class TestLog(ScheduleTestCase):
    def lines(self, schedule: Schedule) -> list[str]:
        self.flush()
        return [line.text for line in tail(log_of_schedule(schedule), 1000).lines]

    def flush(self) -> None:
        while len(self.beat.scheduler.journal):
            self.beat.scheduler.journal.flush()

    def test_it_tells_of_scheduling_and_of_every_run(self) -> None:
        schedule = self.make("0 */30 * * * *")
        self.beat.work(NOON + timedelta(seconds=0.5))
        self.beat.work(at("12:30"))
        self.assertEqual(
            self.lines(schedule),
            [
                "Scheduling WebJob with 0 0,30 * * * * next schedule expected in 00:29:59.5000000",
                "WebJob invoked",
                "Next schedule expected in 00:30:00",
            ],
        )

    def test_lines_carry_the_time_of_what_they_tell(self) -> None:
        schedule = self.make("0 */30 * * * *")
        self.beat.work(at("12:10"))
        self.flush()
        line = tail(log_of_schedule(schedule), 1).lines[0]
        self.assertEqual((line.at, line.stream), (at("12:10"), Stream.SYSTEM))

    def test_it_warns_of_missed_and_skipped_occurrences(self) -> None:
        schedule = self.make("0 0 * * * *")
        self.beat.work(at("15:30"))
        make_run(schedule.job, RunStatus.RUNNING, at=at("15:31"))
        self.beat.work(at("16:00"))
        lines = self.lines(schedule)
        self.assertEqual(lines[1], "Missed 3 schedules, most recent at 2026-03-02 15:00:00 UTC")
        self.assertIn("WebJob not invoked. The previous run", lines[3])

    def test_it_tells_that_a_run_waits(self) -> None:
        schedule = self.make("0 0 * * * *")
        WebJob.objects.filter(pk=schedule.job_id).update(concurrency="queue")
        make_run(schedule.job, RunStatus.RUNNING, at=NOON)
        self.beat.work(at("13:00"))
        self.assertIn("WebJob queued, it waits for the runs before", self.lines(schedule))
        self.assertNotIn("WebJob invoked", self.lines(schedule))

    def test_it_tells_that_a_schedule_was_switched_off(self) -> None:
        schedule = self.make("0 0 * * * *")
        self.beat.work(NOON)
        now = NOON + timedelta(seconds=1)
        Schedule.objects.filter(pk=schedule.pk).update(is_enabled=False, changed_at=now)
        self.beat.work(now)
        self.assertEqual(self.lines(schedule)[-1], "Removing current schedule from WebJob")

    def test_it_tells_why_an_expression_cannot_be_read(self) -> None:
        schedule = self.make("0 0 * * *")
        self.beat.work(NOON)
        self.beat.work(NOON + timedelta(seconds=2))
        [line] = self.lines(schedule)
        self.assertTrue(line.startswith('Failed to parse schedule "0 0 * * *". Error: '))

    def test_it_keeps_the_newest_lines(self) -> None:
        schedule = self.make("* * * * * *")
        for second in range(400):
            self.beat.work(NOON + timedelta(seconds=second))
            self.beat.scheduler.journal.flush()
        log = Log.objects.get(schedule=schedule)
        self.assertGreater(log.size, LOG_LIMIT)
        kept = sum(chunk.size for chunk in log.chunks.all())
        self.assertLess(kept, LOG_LIMIT + 1000)
        self.assertEqual(self.lines(schedule)[-1], "Next schedule expected in 00:00:01")

    def test_many_schedules_take_turns(self) -> None:
        for number in range(FLUSH_LOGS + 3):
            self.make("0 0 * * * *", name=f"job{number}")
        self.beat.scheduler.poll(NOON)
        self.beat.scheduler.journal.flush()
        self.assertEqual(Log.objects.exclude(size=0).count(), FLUSH_LOGS)
        self.assertEqual(len(self.beat.scheduler.journal), 3)

    def test_lines_that_wait_are_bounded(self) -> None:
        schedule = self.make("0 0 * * * *")
        journal = self.beat.scheduler.journal
        for number in range(MAX_WAITING + 5):
            journal.note(schedule.pk, str(number), NOON)
        self.assertEqual(self.lines(schedule)[0], "5")
        self.assertEqual(len(self.lines(schedule)), MAX_WAITING)

    def test_the_log_of_a_schedule_that_is_gone_is_dropped(self) -> None:
        schedule = self.make("0 0 * * * *")
        self.beat.scheduler.poll(NOON)
        schedule.delete()
        self.beat.scheduler.journal.flush()
        self.assertEqual(len(self.beat.scheduler.journal), 0)


class TestWords(ScheduleTestCase):
    def test_spans_are_written_as_azure_does(self) -> None:
        for seconds, text in (
            (0, "00:00:00"),
            (1.5, "00:00:01.5000000"),
            (3661, "01:01:01"),
            (90061.000001, "1.01:01:01.0000010"),
        ):
            self.assertEqual(words.time_span(timedelta(seconds=seconds)), text)
