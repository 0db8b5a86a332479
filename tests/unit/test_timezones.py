"""Zones by the names people type."""

from __future__ import annotations

import pickle
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tzlocal.windows_tz import win_tz

from webjobs.timezones import UnknownTimeZone, names, resolve


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("AMERICA/NEW_YORK", "America/New_York"),
        (" Australia/Lord_Howe ", "Australia/Lord_Howe"),
        ("utc", "UTC"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("w. europe standard time", "Europe/Berlin"),
        ("Eastern Standard Time", "America/New_York"),
        ("Tokyo Standard Time", "Asia/Tokyo"),
    ],
)
def test_it_knows_iana_and_windows_names_in_any_case(name: str, key: str) -> None:
    assert resolve(name).key == key


def test_every_name_it_offers_and_every_windows_name_has_a_zone() -> None:
    for name in (*names(), *win_tz):
        assert isinstance(resolve(name), ZoneInfo)
    assert {"localtime", "Factory"}.isdisjoint(names())


def test_the_zone_has_daylight_saving() -> None:
    moment = datetime(2026, 7, 1, tzinfo=resolve("Romance Standard Time"))
    assert moment.utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("Europe/Berln", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("America/New York", "America/New_York"),
        ("new york", "America/New_York"),
        ("W Europe Standard Time", "W. Europe Standard Time"),
    ],
)
def test_a_wrong_name_is_refused_with_close_ones(name: str, suggestion: str) -> None:
    with pytest.raises(UnknownTimeZone) as caught:
        resolve(name)
    assert suggestion in caught.value.suggestions
    assert f"“{name}”" in str(caught.value)
    assert suggestion in str(caught.value)


@pytest.mark.parametrize(
    "name", ["", "Nowhere/Land", "../../etc/passwd", "/etc/localtime", "localtime", "x" * 5000]
)
def test_anything_else_is_refused(name: str) -> None:
    with pytest.raises(UnknownTimeZone, match="Use an IANA name"):
        resolve(name)


def test_the_error_survives_pickling() -> None:
    with pytest.raises(UnknownTimeZone) as caught:
        resolve("Europe/Berln")
    error = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert error.suggestions == caught.value.suggestions
    assert str(error) == str(caught.value)
