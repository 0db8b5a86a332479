"""Statements that are compiled once."""

import threading
from datetime import timedelta

from django.db import connection
from django.db.models import CharField
from django.db.models.functions import Lower
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from tests.web.objects import make_job, make_run, make_slot
from webjobs.models import AuditEntry, Run, WebJob
from webjobs.models.prepared import (
    Among,
    Given,
    PreparedInsert,
    PreparedQuery,
    PreparedRows,
    PreparedUpdate,
)
from webjobs.states import RunStatus


def _by_name() -> PreparedQuery[WebJob]:
    return PreparedQuery(
        lambda: (
            WebJob.objects.alias(lower=Lower("name"))
            .filter(lower=Lower(Given("name", CharField())))
            .select_related("slot__app", "schedule")
            .defer("slot__publishing_password")
        )
    )


class PreparedQueryTests(TestCase):
    def setUp(self) -> None:
        self.slot = make_slot()
        self.job = make_job(self.slot, "Nightly")

    def test_it_finds_what_the_queryset_finds_for_each_value(self) -> None:
        other, query = make_job(self.slot, "hourly"), _by_name()
        self.assertEqual(query.first(name="nightly"), self.job)
        self.assertEqual(query.all(name="HOURLY"), [other])
        self.assertIsNone(query.first(name="never"))

    def test_objects_are_as_the_queryset_gives_them(self) -> None:
        found, usual = _by_name().first(name="nightly"), WebJob.objects.get(pk=self.job.pk)
        assert found
        for field in WebJob._meta.concrete_fields:
            self.assertEqual(getattr(found, field.attname), getattr(usual, field.attname))
        with self.assertNumQueries(0):
            self.assertEqual(found.slot.app.name, self.slot.app.name)
            self.assertFalse(hasattr(found, "schedule"))
        self.assertIn("publishing_password", found.slot.get_deferred_fields())
        found.name = "renamed"
        found.save()
        self.job.refresh_from_db()
        self.assertEqual(self.job.name, "renamed")

    def test_it_finds_the_rows_of_any_number_of_keys(self) -> None:
        jobs = [self.job, *(make_job(self.slot, f"other{number}") for number in range(3))]
        rows = PreparedRows(
            lambda: WebJob.objects.filter(Among("pk", "pks")).values_list("name", "created_at")
        )
        for wanted in ([], jobs[:1], jobs[1:]):
            with self.assertNumQueries(1):
                found = rows.all(pks=[job.pk for job in wanted])
            self.assertCountEqual(found, [(job.name, job.created_at) for job in wanted])

    def test_an_update_reaches_all_of_its_keys(self) -> None:
        runs = [make_run(self.job, RunStatus.SUCCESS) for _ in range(3)]
        update = PreparedUpdate(lambda: Run.objects.filter(Among("pk", "pks")), "reason")
        self.assertEqual(update(pks=[run.pk for run in runs[:2]], reason="so"), 2)
        found = Run.objects.filter(reason="so").values_list("pk", flat=True)
        self.assertCountEqual(found, [run.pk for run in runs[:2]])

    def test_an_update_tells_how_many_rows_it_changed(self) -> None:
        run, now = make_run(self.job, RunStatus.QUEUED), timezone.now()
        update = PreparedUpdate(
            lambda: Run.objects.queued().filter(pk=Given("pk")), "status", "ended_at", "lane"
        )
        for at, won in ((now, 1), (now + timedelta(hours=1), 0)):
            self.assertEqual(update(pk=run.pk, status="Aborted", ended_at=at, lane=None), won)
        run.refresh_from_db()
        self.assertEqual((run.status, run.ended_at, run.lane), (RunStatus.ABORTED, now, None))

    def test_an_insert_stores_what_save_stores(self) -> None:
        def entry() -> AuditEntry:
            details = {"run": 7, "words": "é"}
            app, address = self.slot.app, "192.0.2.7"
            return AuditEntry(app=app, address=address, action="x", target="y", details=details)

        mine, usual = entry(), entry()
        self.assertTrue(PreparedInsert(AuditEntry)(mine))
        usual.save()
        self.assertEqual(mine, AuditEntry.objects.get(pk=mine.pk))
        self.assertIsNotNone(mine.at)
        for field in AuditEntry._meta.concrete_fields:
            if field.attname not in ("id", "at"):
                stored = AuditEntry.objects.values_list(field.attname, flat=True)
                self.assertEqual(stored.get(pk=mine.pk), stored.get(pk=usual.pk), field)
        mine.action = "changed"
        mine.save()
        self.assertEqual(AuditEntry.objects.filter(action="changed").get(), mine)

    def test_an_insert_tells_that_a_constraint_forbids_it(self) -> None:
        run = make_run(self.job, RunStatus.SUCCESS)
        same = Run(
            job=self.job, number=run.number, status=RunStatus.SUCCESS, queued_at=run.queued_at
        )
        self.assertFalse(PreparedInsert(Run)(same))
        self.assertIsNone(same.pk)
        self.assertEqual(Run.objects.get(), run)


class ThreadTests(TransactionTestCase):
    def test_threads_share_the_statement_and_not_the_connection(self) -> None:
        make_job(make_slot(), "nightly")
        query, found = _by_name(), []
        self.assertTrue(query.first(name="nightly"))

        def ask() -> None:
            try:
                found.append(query.first(name="nightly"))
            finally:
                connection.close()

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        self.assertEqual([job.name for job in found if job], ["nightly"])
