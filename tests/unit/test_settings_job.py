"""What settings.job may say, and what a wrong one is answered."""

from __future__ import annotations

import json

from django.test import SimpleTestCase

from webjobs.runner.settings_job import (
    MAX_BYTES,
    JobSettings,
    SettingsError,
    decode,
    from_dict,
    parse_settings,
)
from webjobs.states import JobType


class ParseTest(SimpleTestCase):
    def test_it_reads_the_known_keys(self) -> None:
        settings = parse_settings(
            '{"schedule": "0 0 9-17 * * *", "is_singleton": true, "is_in_place": false,'
            ' "stopping_wait_time": 60, "time_zone": "Europe/Paris"}'
        )
        expected = JobSettings("0 0 9-17 * * *", True, False, 60, "Europe/Paris")
        self.assertEqual(settings, expected)

    def test_it_reads_the_keys_of_the_policies(self) -> None:
        text = (
            '{"concurrency": "queue", "max_parallel": 100, "queue_limit": 1000,'
            ' "retry_attempts": 0, "retry_delay": 86400, "retry_on": ["lost", "failure"]}'
        )
        settings = parse_settings(text)
        self.assertEqual((settings.concurrency, settings.retry_on), ("queue", ["lost", "failure"]))
        self.assertEqual(settings.to_dict(), json.loads(text))

    def test_it_keeps_unknown_keys(self) -> None:
        text = '{"run_mode": "continuous", "Schedule": 5, "nested": {"a": [1, null]}}'
        settings = parse_settings(text)
        self.assertIsNone(settings.schedule)
        self.assertEqual(settings.to_dict(), json.loads(text))

    def test_an_empty_object_says_nothing(self) -> None:
        self.assertEqual(parse_settings("{}"), JobSettings())
        self.assertEqual(parse_settings("{}").to_dict(), {})

    def test_null_counts_as_absent_for_known_keys(self) -> None:
        self.assertEqual(parse_settings('{"schedule": null}').to_dict(), {})

    def test_an_empty_schedule_is_not_an_absent_one(self) -> None:
        old = JobSettings(schedule="0 * * * * *")
        self.assertEqual(parse_settings('{"schedule": ""}').merged_over(old).schedule, "")


class RefusalTest(SimpleTestCase):
    def refused(self, text: str, *words: str) -> None:
        with self.assertRaises(SettingsError) as caught:
            parse_settings(text)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_it_names_line_and_column_of_wrong_json(self) -> None:
        self.refused('{\n  "schedule": "0 * * * * *",\n}', "line 3, column 1")
        self.refused("", "line 1, column 1")

    def test_it_names_the_key_whose_value_has_the_wrong_type(self) -> None:
        for text, key, shown in (
            ('{"schedule": 5}', "schedule", "5"),
            ('{"schedule": ["0 * * * * *"]}', "schedule", "a list"),
            ('{"is_singleton": "true"}', "is_singleton", '"true"'),
            ('{"is_in_place": 1}', "is_in_place", "1"),
            ('{"stopping_wait_time": "5"}', "stopping_wait_time", '"5"'),
            ('{"stopping_wait_time": true}', "stopping_wait_time", "true"),
            ('{"stopping_wait_time": 1.5}', "stopping_wait_time", "1.5"),
            ('{"stopping_wait_time": -1}', "stopping_wait_time", "-1"),
            ('{"stopping_wait_time": 99999999999}', "stopping_wait_time", "99999999999"),
            ('{"time_zone": {}}', "time_zone", "an object"),
            ('{"concurrency": "Skip"}', "concurrency", '"Skip"'),
            ('{"concurrency": true}', "concurrency", "true"),
            ('{"max_parallel": 1}', "max_parallel", "1"),
            ('{"max_parallel": 101}', "max_parallel", "101"),
            ('{"max_parallel": 2.0}', "max_parallel", "2.0"),
            ('{"queue_limit": 0}', "queue_limit", "0"),
            ('{"queue_limit": 1001}', "queue_limit", "1001"),
            ('{"retry_attempts": 11}', "retry_attempts", "11"),
            ('{"retry_attempts": true}', "retry_attempts", "true"),
            ('{"retry_delay": 86401}', "retry_delay", "86401"),
            ('{"retry_delay": "60"}', "retry_delay", '"60"'),
            ('{"retry_on": "failure"}', "retry_on", '"failure"'),
            ('{"retry_on": []}', "retry_on", "a list"),
            ('{"retry_on": ["failure", "stop"]}', "retry_on", "a list"),
            ('{"retry_on": [["failure"]]}', "retry_on", "a list"),
        ):
            with self.subTest(text=text):
                self.refused(text, f'"{key}" must be', f"not {shown}.")

    def test_it_refuses_what_is_no_object(self) -> None:
        for text in ("[]", '"x"', "5", "null", "true"):
            with self.subTest(text=text):
                self.refused(text, "must be a JSON object")

    def test_it_refuses_a_key_that_comes_twice(self) -> None:
        self.refused('{"schedule": "a", "schedule": "b"}', '"schedule"', "twice")

    def test_it_refuses_what_json_does_not_know(self) -> None:
        self.refused('{"a": NaN}', "NaN")
        self.refused('{"a": Infinity}', "Infinity")

    def test_it_survives_attacks_on_the_parser(self) -> None:
        self.refused('{"a": ' + "[" * 100_000, "nested too deeply")
        self.refused('{"a": ' + "9" * 100_000 + "}", "too large")


class DecodeTest(SimpleTestCase):
    def test_a_byte_order_mark_does_no_harm(self) -> None:
        for encoding in ("utf-8", "utf-8-sig", "utf-16"):
            text = decode('{"schedule": "é"}'.encode(encoding))
            self.assertEqual(parse_settings(text).schedule, "é")
        self.assertEqual(parse_settings("\ufeff{}"), JobSettings())

    def test_it_refuses_other_encodings(self) -> None:
        with self.assertRaisesMessage(SettingsError, "not UTF-8"):
            decode('{"a": "é"}'.encode("latin-1"))

    def test_it_refuses_a_large_file(self) -> None:
        with self.assertRaisesMessage(SettingsError, "256 KiB"):
            decode(b" " * (MAX_BYTES + 1))


class RulesTest(SimpleTestCase):
    def test_new_keys_replace_and_others_stay(self) -> None:
        old = from_dict({"schedule": "a", "is_singleton": True, "x": 1, "y": 2})
        merged = from_dict({"schedule": "b", "y": 3}).merged_over(old)
        expected = {"schedule": "b", "is_singleton": True, "x": 1, "y": 3}
        self.assertEqual(merged.to_dict(), expected)

    def test_the_wait_depends_on_the_type_unless_it_is_set(self) -> None:
        self.assertEqual(JobSettings().wait_time(JobType.CONTINUOUS), 5)
        self.assertEqual(JobSettings().wait_time(JobType.TRIGGERED), 30)
        self.assertEqual(JobSettings(stopping_wait_time=0).wait_time(JobType.TRIGGERED), 0)

    def test_node_scripts_run_in_place_unless_told_otherwise(self) -> None:
        self.assertTrue(JobSettings().runs_in_place("app/Run.JS"))
        self.assertFalse(JobSettings().runs_in_place("run.sh"))
        self.assertFalse(JobSettings(is_in_place=False).runs_in_place("run.js"))
        self.assertTrue(JobSettings(is_in_place=True).runs_in_place("run.sh"))
