"""The page of the instances follows by itself, and everybody can use it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import sign_in
from tests.browser.test_accessibility import assert_accessible
from tests.web.objects import make_instance, make_job, make_run, make_slot
from webjobs.models import Beat, Copy, Instance, Slot
from webjobs.states import CopyStatus, JobType, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)

GIB = 1024**3


@pytest.fixture
def instance(transactional_db: None) -> Instance:
    """An instance of every state; the live one has work, and lacks PHP."""
    slot, now = make_slot("demo"), timezone.now()
    make_instance("silent-machine.example.org")
    Instance.objects.update(heartbeat_at=now - timedelta(minutes=5))
    Instance.objects.filter(pk=make_instance("leaving").pk).update(is_draining=True)
    Instance.objects.filter(pk=make_instance("gone").pk).update(stopped_at=now)
    Beat.objects.create(key="box-1 77", ticked_at=now)
    one = make_instance("box-1")
    one.host, one.busy, one.load = "box-1.example.org", 1, 0.42
    one.memory_used, one.memory_total = GIB, 4 * GIB
    one.versions = {"portal": "0.1.0", "python": "3.13.9", "system": "Linux 6.1"}
    one.interpreters = {".py": "/usr/bin/python3", ".php": None}
    one.save()
    work(slot, one)
    return one


def work(slot: Slot, instance: Instance) -> None:
    now = timezone.now()
    make_run(make_job(slot), RunStatus.RUNNING, instance=instance, started_at=now)
    listener = make_job(slot, "listener", JobType.CONTINUOUS)
    Copy.objects.create(
        job=listener, instance=instance, epoch=1, status=CopyStatus.RUNNING, changed_at=now
    )


def test_a_loss_shows_without_a_reload(
    page: Page, live_server: LiveServer, instance: Instance, operator: User
) -> None:
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/")
    page.get_by_role("link", name="Instances").click()
    row = page.locator('#instances tr[data-name="box-1"]')
    expect(row).to_contain_text("Live")
    expect(row).to_contain_text("1 of 5")

    Instance.objects.filter(pk=instance.pk).update(
        heartbeat_at=timezone.now() - timedelta(seconds=31)
    )

    expect(row).to_contain_text("Lost")
    expect(page.get_by_text("No instance is running")).to_be_visible()


def test_an_instance_leads_to_its_work_and_back(
    page: Page, live_server: LiveServer, instance: Instance, operator: User
) -> None:
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/instances/")
    page.get_by_role("link", name="box-1", exact=True).click()
    expect(page.locator("#interpreters")).to_contain_text("apt install php-cli")
    page.get_by_role("link", name="listener").click()
    page.get_by_role("link", name="box-1", exact=True).first.click()
    page.get_by_role("link", name="nightly").click()
    page.get_by_role("link", name="box-1", exact=True).click()
    expect(page.get_by_role("heading", name="box-1")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_serious_is_found_and_nothing_runs_out_of_the_page(
    page: Page,
    live_server: LiveServer,
    instance: Instance,
    operator: User,
    scheme: str,
    width: int,
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, live_server.url, operator)
    for path in ("/instances/", f"/instances/{instance.key}/"):
        page.goto(live_server.url + path)
        expect(page.locator("main h1")).to_be_visible()
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
