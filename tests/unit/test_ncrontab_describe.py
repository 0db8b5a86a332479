"""Schedules in words, in both languages."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.ncrontab_strategies import EXPRESSIONS
from webjobs.ncrontab import parse

WORDS = [
    ("* * * * * *", "Every second", "Toutes les secondes"),
    ("*/10 * * * * *", "Every 10 seconds", "Toutes les 10 secondes"),
    ("0 * * * * *", "Every minute", "Toutes les minutes"),
    ("0 */5 * * * *", "Every 5 minutes", "Toutes les 5 minutes"),
    ("0 0,30 * * * *", "Every 30 minutes", "Toutes les 30 minutes"),
    ("0 0 * * * *", "Every hour", "Toutes les heures"),
    ("0 0 */2 * * *", "Every 2 hours", "Toutes les 2 heures"),
    (
        "0 15 * * * *",
        "Every hour, at minute 15 of the hour",
        "Toutes les heures, à la minute 15 de l’heure",
    ),
    ("0 30 9 * * *", "At 9:30 AM, every day", "À 09:30, tous les jours"),
    ("0 0 0 * * *", "At 12:00 AM, every day", "À 00:00, tous les jours"),
    ("0 0 12 * * *", "At 12:00 PM, every day", "À 12:00, tous les jours"),
    ("5 0 21 * * *", "At 9:00:05 PM, every day", "À 21:00:05, tous les jours"),
    ("0 30 9 * * 1-5", "At 9:30 AM, Monday to Friday", "À 09:30, du lundi au vendredi"),
    (
        "0 0 9,17 * * 0,6",
        "At 9:00 AM and 5:00 PM, on Saturday and Sunday",
        "À 09:00 et 17:00, le samedi et le dimanche",
    ),
    ("0 0 8 * * 0,5,6", "At 8:00 AM, Friday to Sunday", "À 08:00, du vendredi au dimanche"),
    (
        "0 */5 9-17 * * Mon-Fri",
        "Every 5 minutes, from 9:00 AM to 5:59 PM, Monday to Friday",
        "Toutes les 5 minutes, de 09:00 à 17:59, du lundi au vendredi",
    ),
    (
        "0 30 9-17 * * *",
        "Every hour, from 9:30 AM to 5:30 PM",
        "Toutes les heures, de 09:30 à 17:30",
    ),
    # An hour is not a multiple of seven minutes: the words must not promise it.
    (
        "0 */7 * * * *",
        "Every 7 minutes, from minute 0 to minute 56 of the hour",
        "Toutes les 7 minutes, de la minute 0 à la minute 56 de l’heure",
    ),
    (
        "0 5,17 * * * *",
        "At minutes 5 and 17 of the hour",
        "Aux minutes 5 et 17 de l’heure",
    ),
    ("0 0 0 1 1 *", "At 12:00 AM, on January 1", "À 00:00, le 1er janvier"),
    (
        "0 45 16 1 * Mon",
        "At 4:45 PM, on day 1 of the month, only if the day is a Monday",
        "À 16:45, le 1er du mois, seulement si ce jour est un lundi",
    ),
    (
        "0 0 6 1-7,15 * 1,3",
        "At 6:00 AM, on days 1 to 7 and 15 of the month, only if the day is one of Monday and "
        "Wednesday",
        "À 06:00, les jours 1 à 7 et 15 du mois, seulement si ce jour est parmi lundi et mercredi",
    ),
    (
        "0 0 6 */2 4-6,8 *",
        "At 6:00 AM, on every 2nd day, from day 1 to day 31 of the month, from April to June and "
        "in August",
        "À 06:00, un jour sur 2, du 1er au 31 du mois, d’avril à juin et en août",
    ),
    (
        "* 30 9 * * *",
        "Every second, in minute 30 of the hour, from 9:00 AM to 9:59 AM",
        "Toutes les secondes, pendant la minute 30 de l’heure, de 09:00 à 09:59",
    ),
    (
        "30 */5 */3 * * *",
        "Every 5 minutes, at second 30 of the minute, in every 3rd hour, from 12:00 AM to 9:59 PM",
        "Toutes les 5 minutes, à la seconde 30 de la minute, pendant une heure sur 3, de 00:00 à "
        "21:59",
    ),
]


@pytest.mark.parametrize(("text", "english", "french"), WORDS)
def test_it_says_it_in_plain_words(text: str, english: str, french: str) -> None:
    schedule = parse(text)
    assert schedule.describe() == schedule.describe("en-gb") == english
    assert schedule.describe("fr") == schedule.describe("fr-ca") == french


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS, EXPRESSIONS, st.integers(0, 5), st.sampled_from(["en", "fr"]))
def test_different_schedules_have_different_words(
    one: str, other: str, field: int, language: str
) -> None:
    # Two that differ in one field only are the hardest to keep apart.
    mixed = one.split(" ")
    mixed[field] = other.split(" ")[field]
    first, second = parse(one), parse(" ".join(mixed))
    same = first.describe(language) == second.describe(language)
    assert same == (first.canonical == second.canonical)


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS)
def test_it_never_says_or_and_never_mixes_the_languages(text: str) -> None:
    schedule = parse(text)
    english, french = schedule.describe("en"), schedule.describe("fr")
    assert not re.search(r"\bor\b", english)
    assert not re.search(r"\bou\b", french)
    assert not re.search(r"(?i)every|day\b|the hour|january|monday", french)
    assert not re.search(r"(?i)toutes|jour|heure|janvier|lundi", english)


def _codes(text: str) -> list[str]:
    return [warning.code for warning in parse(text).warnings()]


WARNED = [
    ("0 */5 * * * *", []),
    ("0 30 9 * * 1-5", []),
    ("0 * 9-17 * * *", []),
    ("0 0 0 1-28 * *", []),
    ("* * * * * *", ["more_than_once_a_minute"]),
    ("*/20 * * * * *", ["more_than_once_a_minute"]),
    ("* 30 9 * * *", ["every_second_of_minute"]),
    ("0 * 9 * * *", ["every_minute_of_hour"]),
    ("0 0 22-2 * * *", ["reversed_range"]),
    ("0 0 0 1 * 1", ["day_and_weekday"]),
    ("0 0 0 31 2 *", ["never"]),
    ("0 0 0 29 2 *", ["leap_years"]),
    ("0 0 0 31 * *", ["short_months"]),
    ("0 0 0 29 * *", ["short_months"]),
    ("0 0 0 31 1,3 *", []),
    ("0 */0 * * * *", ["step_below_one"]),
    ("0 */100 * * * *", ["step_too_large"]),
    ("0 */45 * * * *", ["uneven_step"]),
    ("0 0 0 * */5 *", []),
]


@pytest.mark.parametrize(("text", "codes"), WARNED)
def test_it_warns_of_what_was_probably_not_meant(text: str, codes: list[str]) -> None:
    assert _codes(text) == codes


@pytest.mark.parametrize(
    ("text", "mend"),
    [("0 0 22-2 * * *", "22-23,0-2"), ("0 0 0 * * Fri-Mon", "5-6,0-1"), ("0 0 23-0 * * *", "23,0")],
)
def test_a_swapped_range_is_told_with_what_to_write_instead(text: str, mend: str) -> None:
    (warning,) = parse(text).warnings("fr")
    assert warning.message.endswith(f"écrivez {mend}.")
    field = next(index for index, item in enumerate(text.split(" ")) if "-" in item)
    mended = text.split(" ")
    mended[field] = mend
    assert "reversed_range" not in _codes(" ".join(mended))


@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS)
def test_every_warning_is_a_whole_sentence_in_both_languages(text: str) -> None:
    schedule = parse(text)
    pairs = zip(schedule.warnings("en"), schedule.warnings("fr"), strict=True)
    for english, french in pairs:
        assert english.code == french.code
        assert english.message != french.message
        assert english.message.endswith(".")
        assert "{" not in english.message + french.message
