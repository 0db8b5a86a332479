"""Occurrences in the zone of a schedule or its app, on the days when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.web.schedules import ScheduleTestCase, at
from webjobs.models import Run, Schedule

SPRING = at("2026-03-29 00:00")
AUTUMN = at("2026-10-25 00:00")


class TestParis(ScheduleTestCase):
    def fired(self, expression: str, start: datetime, hours: int, step: int = 600) -> list[str]:
        """The moments (UTC) at which a schedule in Paris fires in the hours after `start`."""
        self.make(expression, start, time_zone="Europe/Paris")
        for seconds in range(0, hours * 3600 + 1, step):
            self.beat.work(start + timedelta(seconds=seconds))
            self.end_runs()
        self.assertFalse(Run.objects.exclude(status="Success").exists())
        moments = Run.objects.order_by("number").values_list("scheduled_for", flat=True)
        return [f"{moment.astimezone(UTC):%H:%M}" for moment in moments if moment]

    def test_a_time_that_spring_leaves_out_comes_an_hour_later(self) -> None:
        self.assertEqual(self.fired("0 30 2 * * *", SPRING, 24), ["01:30"])

    def test_an_interval_goes_on_over_the_hour_that_spring_leaves_out(self) -> None:
        moments = ["00:20", "00:40", "01:00", "01:20", "01:40", "02:00"]
        self.assertEqual(self.fired("0 */20 * * * *", SPRING, 2), moments)

    def test_a_time_that_autumn_repeats_fires_once_in_the_first_pass(self) -> None:
        self.assertEqual(self.fired("0 30 2 * * *", AUTUMN, 24), ["00:30"])

    def test_an_interval_fires_in_both_passes_of_autumn(self) -> None:
        moments = ["00:30", "01:00", "01:30", "02:00"]
        self.assertEqual(self.fired("0 */30 * * * *", AUTUMN, 2), moments)

    def test_a_daily_time_keeps_to_the_clock_on_the_wall(self) -> None:
        start = at("2026-03-27 12:00")
        moments = ["08:00", "07:00", "07:00"]
        self.assertEqual(self.fired("0 0 9 * * *", start, 72, 3600), moments)


class TestZones(ScheduleTestCase):
    def test_the_zone_of_the_app_counts_where_the_schedule_has_none(self) -> None:
        start = at("2026-07-01 00:00")
        self.make("0 0 9 * * *", start, name="own", time_zone="Tokyo Standard Time")
        self.make("0 0 9 * * *", start, name="app")
        self.set("WEBSITE_TIME_ZONE", "America/New_York", start)
        self.beat.work_through(start, start + timedelta(days=1), 600)
        moments = Run.objects.values_list("job__name", "scheduled_for")
        self.assertEqual(
            dict(moments), {"own": at("2026-07-02 00:00"), "app": at("2026-07-01 13:00")}
        )

    def test_another_zone_of_the_app_is_seen_within_a_second(self) -> None:
        start = at("2026-07-01 12:00")
        self.make("0 0 9 * * *", start)
        self.beat.work(start)
        self.set("WEBSITE_TIME_ZONE", "America/New_York", start)
        Schedule.objects.update(since=start + timedelta(seconds=0.5))
        self.beat.work(start + timedelta(seconds=1))
        self.beat.work(at("2026-07-01 13:00"))
        self.assertEqual(self.entries(), [("Queued", "13:00:00")])
