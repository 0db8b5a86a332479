"""Who must not be late does not wait as long as others: for the lock, for its own steps."""

from __future__ import annotations

import threading
import time
from unittest import mock

from celery import current_app
from django.db import OperationalError, connection, connections, transaction
from django.test import TransactionTestCase

from tests.web.objects import make_slot
from webjobs.beat import WebJobScheduler
from webjobs.models import Slot
from webjobs.models.turn import PATIENT, prompt_transaction


class PromptTransactionTests(TransactionTestCase):
    def setUp(self) -> None:
        if connection.vendor != "sqlite":
            self.skipTest("PostgreSQL lets all write at once")
        self.slot = make_slot()

    def _hold(self, held: threading.Event, over: threading.Event) -> None:
        with transaction.atomic():
            Slot.objects.update(settings_revision=2)
            held.set()
            over.wait(5)
        connections.close_all()

    def test_it_begins_as_soon_as_the_other_has_written(self) -> None:
        held, over = threading.Event(), threading.Event()
        other = threading.Thread(target=self._hold, args=[held, over])
        other.start()
        held.wait(5)
        threading.Timer(0.3, over.set).start()
        with prompt_transaction():
            self.assertTrue(over.is_set())
            Slot.objects.update(environment_revision=3)
        other.join()
        self.slot.refresh_from_db()
        revisions = self.slot.settings_revision, self.slot.environment_revision
        self.assertEqual(revisions, (2, 3))

    def test_it_does_not_ask_again_when_something_else_is_wrong(self) -> None:
        refused = OperationalError("unable to open database file")
        with (
            mock.patch.object(transaction, "atomic", side_effect=refused) as atomic,
            self.assertRaises(OperationalError),
            prompt_transaction(),
        ):
            self.fail("It did not begin")
        atomic.assert_called_once()

    def test_the_thread_is_as_patient_as_before(self) -> None:
        with prompt_transaction(), connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout")
            self.assertEqual(cursor.fetchone(), (PATIENT,))

    def test_an_error_undoes_it(self) -> None:
        with self.assertRaises(ZeroDivisionError), prompt_transaction():
            Slot.objects.update(environment_revision=3)
            raise ZeroDivisionError
        self.slot.refresh_from_db()
        self.assertEqual(self.slot.environment_revision, 1)


class TickTests(TransactionTestCase):
    def test_what_a_step_took_is_not_waited_for_again(self) -> None:
        beat = WebJobScheduler(current_app, lazy=True)

        def step(now: object) -> float:
            time.sleep(0.2)
            return 0.3

        beat._webjobs.step = step  # type: ignore[method-assign]
        self.assertLessEqual(beat.tick(), 0.1)
