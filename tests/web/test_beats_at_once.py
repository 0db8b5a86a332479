"""Two beats that begin in the same moment: neither makes the database refuse anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import Error, connection
from django.test import TestCase
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from tests.web.objects import make_slot
from tests.web.schedules import make_schedule
from webjobs.beat import add_clean_up
from webjobs.logs import log_of_schedule
from webjobs.models import Log


@contextmanager
def outrun(by: Callable[[], object]) -> Iterator[list[Error]]:
    """After the first statement in the block somebody else does `by`; what was refused since."""
    refused: list[Error] = []
    to_do = [by]

    def watch(execute: Callable[..., Any], *statement: Any) -> Any:
        try:
            result = execute(*statement)
        except Error as error:
            refused.append(error)
            raise
        if to_do:
            to_do.pop()()
        return result

    with connection.execute_wrapper(watch):
        yield refused


class BeatsAtOnceTests(TestCase):
    def test_the_log_of_a_schedule_is_made_once(self) -> None:
        schedule = make_schedule(make_slot(), "0 0 4 * * *", timezone.now())
        with outrun(lambda: Log.objects.create(schedule=schedule, instance_key="b")) as refused:
            found = log_of_schedule(schedule)
        self.assertEqual((refused, found), ([], Log.objects.get()))

    def test_the_housekeeping_is_made_once(self) -> None:
        with outrun(add_clean_up) as refused:
            add_clean_up()
        self.assertEqual(refused, [])
        self.assertEqual(PeriodicTask.objects.filter(name="webjobs.clean_up").count(), 1)
