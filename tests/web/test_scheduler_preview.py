"""When a schedule will fire, as pages and API show it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from tests.web.schedules import NOON, ScheduleTestCase, at
from webjobs.models import EngineSettings
from webjobs.scheduler import effective_zone, next_run, upcoming
from webjobs.timezones import UnknownTimeZone

DEFAULT = EngineSettings.DEFAULT
NEW_YORK = replace(DEFAULT, zone=ZoneInfo("America/New_York"))


class TestPreview(ScheduleTestCase):
    def test_the_own_zone_comes_before_that_of_the_app(self) -> None:
        schedule = self.make("0 0 9 * * *")
        self.assertEqual(effective_zone(schedule, DEFAULT).key, "UTC")
        self.assertEqual(effective_zone(schedule, NEW_YORK).key, "America/New_York")
        schedule.time_zone = "Romance Standard Time"
        self.assertEqual(effective_zone(schedule, NEW_YORK).key, "Europe/Paris")

    def test_a_zone_that_does_not_exist_is_told(self) -> None:
        schedule = self.make("0 0 9 * * *", time_zone="Mars/Olympus")
        with self.assertRaises(UnknownTimeZone):
            effective_zone(schedule, DEFAULT)
        self.assertEqual(upcoming(schedule, DEFAULT, 5, NOON), [])

    def test_upcoming_occurrences_are_those_that_beat_will_fire(self) -> None:
        schedule = self.make("0 */20 * * * *")
        shown = upcoming(schedule, DEFAULT, 4, NOON)
        for moment in shown:
            self.beat.work(moment)
            self.end_runs()
        self.assertEqual(shown[0], at("12:20"))
        self.assertEqual([f"{m:%H:%M:%S}" for m in shown], [m for _, m in self.entries()])

    def test_nothing_comes_before_the_schedule_counts(self) -> None:
        schedule = self.make("0 0 * * * *", since=at("15:30"))
        self.assertEqual(upcoming(schedule, DEFAULT, 1, NOON), [at("16:00")])

    def test_what_is_switched_off_has_no_next_run(self) -> None:
        schedule = self.make("0 0 9 * * *")
        later = NOON + timedelta(days=1)
        self.assertEqual(next_run(schedule, DEFAULT, NOON), later.replace(hour=9))
        for engine in (replace(DEFAULT, stopped=True), replace(DEFAULT, schedules_disabled=True)):
            self.assertIsNone(next_run(schedule, engine, NOON))
        schedule.is_enabled = False
        self.assertIsNone(next_run(schedule, DEFAULT, NOON))

    def test_what_never_comes_or_cannot_be_read_has_no_next_run(self) -> None:
        self.assertIsNone(next_run(self.make("0 0 0 30 2 *"), DEFAULT, NOON))
        self.assertIsNone(next_run(self.make("nonsense", name="other"), DEFAULT, NOON))
