"""What happens when many ask for the same at once, over real connections."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import TransactionTestCase

from tests.web.objects import ALICE, make_job, make_slot, make_upload
from webjobs import dispatch
from webjobs.dispatch import NewWebJob, Refused, SettingChange
from webjobs.models import App, AppSetting, AuditEntry, Package, Run, WebJob
from webjobs.states import JobType

AT_ONCE = 6


def _all_at_once(ask: Callable[[int], object]) -> list[str]:
    """The outcome of each: `done`, or the code of its refusal."""
    start = Barrier(AT_ONCE)

    def one(index: int) -> str:
        start.wait(timeout=10)
        try:
            ask(index)
            return "done"
        except Refused as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sorted(pool.map(one, range(AT_ONCE)))


@pytest.mark.usefixtures("data_dir", "broker")
class RaceTests(TransactionTestCase):
    def test_one_of_many_gets_the_run(self) -> None:
        pk = make_job(make_slot()).pk
        found = _all_at_once(lambda _: dispatch.run_now(WebJob.objects.get(pk=pk), ALICE))
        self.assertEqual(found, ["already-running"] * (AT_ONCE - 1) + ["done"])
        self.assertEqual((Run.objects.count(), AuditEntry.objects.count()), (1, 1))

    def test_one_of_many_gets_the_name_of_a_webjob(self) -> None:
        slot = make_slot()
        upload = make_upload("echo race\n")
        new = NewWebJob("nightly", JobType.TRIGGERED, upload)
        found = _all_at_once(lambda _: dispatch.add_webjob(slot, new, ALICE))
        self.assertEqual(found, ["done"] + ["exists"] * (AT_ONCE - 1))
        self.assertEqual((WebJob.objects.count(), Package.objects.count()), (1, 1))

    def test_the_same_package_under_many_names_is_stored_once(self) -> None:
        slot = make_slot()
        upload = make_upload("echo same\n")

        def add(index: int) -> None:
            dispatch.add_webjob(slot, NewWebJob(f"n{index}", JobType.TRIGGERED, upload), ALICE)

        self.assertEqual(_all_at_once(add), ["done"] * AT_ONCE)
        self.assertEqual((WebJob.objects.count(), Package.objects.count()), (AT_ONCE, 1))

    def test_one_of_many_gets_the_name_of_an_app(self) -> None:
        found = _all_at_once(lambda _: dispatch.create_app("demo", ALICE))
        self.assertEqual(found, ["app-exists"] * (AT_ONCE - 1) + ["done"])
        self.assertEqual(App.objects.count(), 1)

    def test_settings_of_many_are_all_kept_and_one_name_stays_one(self) -> None:
        slot = make_slot()

        def change(index: int) -> None:
            mine = SettingChange(f"MINE_{index}", "1")
            same = SettingChange("Same" if index % 2 else "SAME", str(index))
            dispatch.change_settings(slot, [mine, same], ALICE)

        self.assertEqual(_all_at_once(change), ["done"] * AT_ONCE)
        self.assertEqual(AppSetting.objects.count(), AT_ONCE + 1)
        slot.refresh_from_db()
        self.assertEqual(slot.settings_revision, 1 + AT_ONCE)

    def test_a_run_and_the_deletion_leave_no_run_behind(self) -> None:
        pk = make_job(make_slot()).pk

        def ask(index: int) -> None:
            job = WebJob.objects.get(pk=pk)
            if index % 2:
                dispatch.delete(job, ALICE)
            else:
                dispatch.run_now(job, ALICE)

        _all_at_once(ask)
        self.assertFalse(Run.objects.active().filter(stop_requested_at=None).exists())
