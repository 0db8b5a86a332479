"""What is NCRONTAB, what it means, and how everything else is refused."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webjobs.ncrontab import NcrontabError, parse
from webjobs.ncrontab.messages import ERRORS

FIELDS = ("second", "minute", "hour", "day", "month", "day_of_week")


def _in_field(field: str, item: str) -> str:
    return " ".join(item if key == field else "*" for key in FIELDS)


def _canonical(field: str, item: str) -> str:
    return parse(_in_field(field, item)).canonical.split(" ")[FIELDS.index(field)]


ACCEPTED = [
    ("second", "*", "*"),
    ("minute", "5", "5"),
    ("minute", "05", "5"),
    ("minute", "007", "7"),
    ("minute", "000000000000059", "59"),
    ("minute", "1,2,3,10", "1-3,10"),
    ("minute", "14-15", "14-15"),
    ("minute", "3,3,1", "1,3"),
    ("minute", "*,5", "*"),
    ("minute", "0-59", "*"),
    ("minute", "*/20", "0,20,40"),
    ("minute", "0/20", "0,20,40"),
    ("minute", "50/1", "50-59"),
    ("minute", "59/5", "59"),
    ("minute", "10-20/5", "10,15,20"),
    ("minute", "*/100", "0"),
    ("minute", "10-20/100", "10"),
    ("minute", "*/2147483647", "0"),
    ("minute", "*/0", "*"),
    ("minute", "*/-5", "*"),
    ("minute", "5/0", "5-59"),
    ("minute", "*/+15", "0,15,30,45"),
    ("hour", "22-2", "2-22"),
    ("hour", "0,12/6", "0,12,18"),
    ("day", "*/2", "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31"),
    ("day", "31-29", "29-31"),
    ("month", "*/5", "1,6,11"),
    ("month", "Jan/2", "1,3,5,7,9,11"),
    ("month", "Dec-Feb", "2-12"),
    ("month", "JuNE", "6"),
    ("month", "Augu,DECEM", "8,12"),
    ("month", "j", "1"),
    ("month", "ma", "3"),
    ("month", "m", "3"),
    ("month", "a", "4"),
    ("month", "s", "9"),
    ("day_of_week", "*/3", "0,3,6"),
    ("day_of_week", "1/2", "1,3,5"),
    ("day_of_week", "5-1/2", "1,3,5"),
    ("day_of_week", "Mon-Fri/2", "1,3,5"),
    ("day_of_week", "1-fri", "1-5"),
    ("day_of_week", "Fri-Mon", "1-5"),
    ("day_of_week", "Sat-Sun", "*"),
    ("day_of_week", "FRIDAY", "5"),
    ("day_of_week", "s", "0"),
    ("day_of_week", "t", "2"),
    ("day_of_week", "m", "1"),
    ("day_of_week", "W", "3"),
    ("day_of_week", "w", "3"),
]


@pytest.mark.parametrize(("field", "item", "expected"), ACCEPTED)
def test_it_reads_an_item_as_ncrontab_does(field: str, item: str, expected: str) -> None:
    assert _canonical(field, item) == expected


REFUSED = [
    *[(field, item, "not_ncrontab") for field in ("day", "month") for item in ("?", "L", "LW")],
    ("day", "15W", "not_ncrontab"),
    ("day_of_week", "5L", "not_ncrontab"),
    ("day_of_week", "5#2", "not_ncrontab"),
    ("minute", "H", "not_ncrontab"),
    ("minute", "H/15", "not_ncrontab"),
    ("minute", "**", "not_a_number"),
    ("minute", "*5", "not_a_number"),
    ("minute", "*-5", "not_a_number"),
    ("minute", "/5", "bad_step"),
    ("minute", "5/", "bad_step"),
    ("minute", "*/", "bad_step"),
    ("minute", "1-5/2/3", "bad_step"),
    ("minute", "*/x", "bad_step"),
    ("minute", "*/1.5", "bad_step"),
    ("minute", "-1", "bad_range"),
    ("minute", "5-", "bad_range"),
    ("minute", "1-2-3", "bad_range"),
    ("minute", "1.5", "not_a_number"),
    ("minute", "+5", "not_a_number"),
    ("minute", "0x5", "not_a_number"),
    ("minute", "٥", "not_a_number"),
    ("minute", ",5", "empty_item"),
    ("minute", "5,", "empty_item"),
    ("minute", "1,,2", "empty_item"),
    ("minute", "mon", "not_a_number"),
    ("hour", "nine", "not_a_number"),
    ("day", "Friday", "not_a_number"),
    ("month", "Januaryx", "unknown_name"),
    ("month", "foo", "unknown_name"),
    ("month", "1.5", "unknown_name"),
    ("day_of_week", "Sundays", "unknown_name"),
    ("day_of_week", "ſunday", "unknown_name"),
    ("second", "60", "too_high"),
    ("minute", "60", "too_high"),
    ("minute", "70/5", "too_high"),
    ("minute", "50-60", "too_high"),
    ("hour", "24", "too_high"),
    ("day", "0", "too_low"),
    ("day", "32-0", "too_low"),
    ("day", "32", "too_high"),
    ("month", "0", "too_low"),
    ("month", "0/2", "too_low"),
    ("month", "13", "too_high"),
    ("day_of_week", "7", "seven_is_not_sunday"),
    ("day_of_week", "1-7", "seven_is_not_sunday"),
    ("day_of_week", "8", "too_high"),
    ("minute", "2147483648", "number_too_large"),
    ("minute", "*/2147483648", "number_too_large"),
    ("minute", "*/-99999999999999999999", "number_too_large"),
    ("minute", "9" * 10_000, "number_too_large"),
]


@pytest.mark.parametrize(("field", "item", "code"), REFUSED)
def test_it_refuses_and_names_the_field(field: str, item: str, code: str) -> None:
    with pytest.raises(NcrontabError) as caught:
        parse(_in_field(field, item))
    assert (caught.value.code, caught.value.field) == (code, field)
    assert field.replace("_", " ") in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("field", ["second", "minute", "hour", "day"])
def test_w_is_wednesday_only_in_the_day_of_week(field: str) -> None:
    with pytest.raises(NcrontabError):
        parse(_in_field(field, "W"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("\t", "empty"),
        ("*", "field_count"),
        ("* * * *", "field_count"),
        ("*/5 * * * *", "five_fields"),
        ("0 0 0 * * * *", "field_count"),
        ("0 0 0 1 1 * 2026", "field_count"),
        ("0\t* * * * *", "blank_is_not_space"),
        ("0\t*\t*\t*\t*\t*", "blank_is_not_space"),
        ("0\xa00 0 * * *", "blank_is_not_space"),
        ("@hourly", "nickname"),
        ("@Daily", "nickname"),
        ("every five minutes", "field_count"),
    ],
)
def test_it_refuses_anything_but_six_fields(text: str, code: str) -> None:
    with pytest.raises(NcrontabError) as caught:
        parse(text)
    assert (caught.value.code, caught.value.field) == (code, None)


def test_five_fields_are_refused_with_the_whole_mended_text() -> None:
    with pytest.raises(NcrontabError, match=r"\{second\} field, usually 0, in front") as caught:
        parse("*/5 *  * * 1")
    assert caught.value.params == {"mend": "0 */5 * * * 1"}
    assert str(caught.value).endswith(": 0 */5 * * * 1")


def test_the_mend_of_a_nickname_is_a_schedule() -> None:
    with pytest.raises(NcrontabError) as caught:
        parse("@weekly")
    assert parse(str(caught.value.params["mend"])).canonical == "0 0 0 * * 0"


def test_a_tab_inside_six_fields_is_part_of_the_value() -> None:
    with pytest.raises(NcrontabError) as caught:
        parse("0 0 0 * * 1\n")
    assert caught.value.field == "day_of_week"


def test_the_leftmost_bad_field_is_told() -> None:
    with pytest.raises(NcrontabError) as caught:
        parse("0 99 99 99 99 99")
    assert caught.value.field == "minute"


def test_spaces_around_and_between_do_not_matter() -> None:
    assert parse("  0   */30 *  * * 1-5 ").canonical == "0 0,30 * * * 1-5"


def test_it_keeps_the_text_as_written() -> None:
    schedule = parse("0 0 9 * * Mon-Fri")
    assert schedule.text == str(schedule) == "0 0 9 * * Mon-Fri"
    assert schedule == parse("0 0 9 * * Mon-Fri")
    assert hash(schedule) == hash(parse("0 0 9 * * Mon-Fri"))
    assert schedule != parse("0 0 9 * * 1-5")


def test_an_error_speaks_french_and_survives_pickling() -> None:
    with pytest.raises(NcrontabError) as caught:
        parse("0 0 24 * * *")
    error = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert str(error) == "The hour field does not go as high as 24. Use 0 to 23."
    assert error.message("fr-ca") == "Le champ heure ne va pas jusqu’à 24. Utilisez 0 à 23."
    assert (error.field, error.params) == ("hour", {"value": 24, "low": 0, "high": 23})


def test_every_error_is_reached_by_the_tables_above() -> None:
    told = {code for _, _, code in REFUSED}
    assert told | {"empty", "five_fields", "field_count", "blank_is_not_space", "nickname"} == set(
        ERRORS
    )


@given(st.text(alphabet="0123456789*/,-? \tLWmonjanfri#@+.", max_size=40))
def test_any_text_is_read_or_refused_in_both_languages(text: str) -> None:
    try:
        schedule = parse(text)
    except NcrontabError as error:
        assert error.message("en") != error.message("fr")
    else:
        assert parse(schedule.canonical).values == schedule.values
