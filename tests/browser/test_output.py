"""Output that follows in a real browser, from real processes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import answer, expect_toast, sign_in
from tests.support.engine import ACTOR, Engine, add_job, make_slot
from tests.web.objects import make_run
from tests.web.test_runs import write
from webjobs import dispatch
from webjobs.models import Run, Slot, WebJob
from webjobs.states import JobType, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)

# Prints when a file appears, so that the test knows when the line came to be.
TALKER = """
echo begun
while [ ! -e "$WEBJOBS_DATA_PATH/go" ]; do sleep 0.02; done
echo "second line"
echo "to stderr" >&2
while [ ! -e "$WEBJOBS_DATA_PATH/end" ]; do sleep 0.02; done
printf 'last words'
"""
ENDLESS = "while true; do echo tick; sleep 0.2; done\n"


@pytest.fixture
def slot(transactional_db: None, data_dir: Path) -> Slot:
    return make_slot("demo")


@pytest.fixture
def engine(slot: Slot, data_dir: Path) -> Iterator[Engine]:
    engine = Engine(data_dir / "instance").start()
    yield engine
    engine.close()


@pytest.fixture
def person(page: Page, live_server: LiveServer, operator: User) -> Page:
    sign_in(page, live_server.url, operator)
    return page


def address(live_server: LiveServer, run: Run) -> str:
    return f"{live_server.url}/apps/demo/history/triggered/{run.job.name}/runs/{run.number}/"


def data_path(data_dir: Path, name: str) -> Path:
    found = [path for path in data_dir.rglob(f"data/jobs/triggered/{name}") if path.is_dir()]
    assert len(found) == 1, found
    return found[0]


def test_lines_appear_without_a_reload_until_the_run_ends(
    person: Page, live_server: LiveServer, engine: Engine, slot: Slot, data_dir: Path
) -> None:
    run = dispatch.run_now(add_job(slot, TALKER, name="talker"), ACTOR)
    person.goto(address(live_server, run))
    log = person.locator(".log-lines")
    expect(log).to_contain_text("begun")
    expect(person.locator(".run-status")).to_have_text("Running")
    folder = data_path(data_dir, "talker")
    begun = time.monotonic()
    (folder / "go").touch()
    expect(log).to_contain_text("second line")
    assert time.monotonic() - begun < 2
    expect(log.locator(".s1")).to_have_text("to stderr")
    (folder / "end").touch()
    expect(log).to_contain_text("last words")
    expect(person.locator(".run-status")).to_have_text("Success")
    expect(person.locator(".log-state")).to_have_text("download")
    expect(person.get_by_text("Exit code", exact=True)).to_be_visible()


def test_a_run_is_started_watched_and_stopped_from_the_pages(
    person: Page, live_server: LiveServer, engine: Engine, slot: Slot
) -> None:
    add_job(slot, ENDLESS, name="endless")
    person.goto(f"{live_server.url}/apps/demo/history/triggered/endless/")
    person.get_by_role("link", name="Run", exact=True).click()
    person.get_by_label("Arguments (optional)").fill("--once 'two words'")
    answer(person, "Are you sure you want to run the selected WebJob?")
    expect_toast(person, "Successfully triggered WebJob 'endless'")
    person.get_by_role("link", name="View the run").click()
    expect(person.locator(".log-lines")).to_contain_text("tick")
    expect(person.locator("#summary")).to_contain_text("--once 'two words'")
    person.get_by_role("button", name="Stop").click()
    expect(person.locator(".run-status")).to_have_text("Aborted", timeout=20_000)
    expect(person.locator("#summary")).to_contain_text("Stopped by admin")
    assert Run.objects.get().status == RunStatus.ABORTED


def test_a_continuous_webjob_shows_its_instance_and_its_log(
    person: Page, live_server: LiveServer, engine: Engine, slot: Slot
) -> None:
    add_job(slot, ENDLESS, JobType.CONTINUOUS, "forever")
    person.goto(f"{live_server.url}/apps/demo/history/continuous/forever/")
    expect(person.locator("tbody .label")).to_have_text("Running", timeout=20_000)
    person.reload()
    expect(person.locator(".log-lines")).to_contain_text("tick")
    person.get_by_role("link", name="Stop").click()
    answer(person, "Are you sure you want to stop the selected WebJob?")
    expect(person.locator("tbody .label")).to_have_text("Stopped", timeout=20_000)
    expect(person.get_by_role("link", name="Start")).to_be_visible()


def finished(slot: Slot, text: bytes) -> Run:
    job = WebJob.objects.filter(slot=slot).first() or add_job(slot, "exit 0")
    run = make_run(job, RunStatus.SUCCESS)
    write(run, text)
    return run


def numbered(page: Page, number: int) -> Locator:
    """The line of this number; finding it by its text takes long among thousands."""
    return page.locator(f'.line[data-n="{number}"]')


def test_a_long_log_opens_at_its_end_and_shows_earlier_lines_on_demand(
    person: Page, live_server: LiveServer, slot: Slot
) -> None:
    run = finished(slot, b"".join(b"line %d\n" % number for number in range(1, 5001)))
    person.goto(address(live_server, run))
    lines = person.locator(".log-lines .line")
    expect(lines).to_have_count(2000)
    expect(numbered(person, 5000)).to_be_in_viewport()
    person.get_by_role("button", name="show earlier").click()
    expect(lines).to_have_count(4000)
    expect(lines.first).to_have_text("line 1001")
    person.get_by_role("button", name="To the start").click()
    expect(lines.first).to_have_text("line 1")
    expect(lines.first).to_be_in_viewport()
    person.get_by_role("button", name="show later").click()
    expect(numbered(person, 5000)).to_be_attached()
    expect(lines).to_have_count(5000)
    person.get_by_role("button", name="To the end").click()
    expect(numbered(person, 5000)).to_be_in_viewport()


def test_a_link_to_a_line_opens_there(person: Page, live_server: LiveServer, slot: Slot) -> None:
    run = finished(slot, b"".join(b"line %d\n" % number for number in range(1, 10_001)))
    person.goto(address(live_server, run) + "#L1234")
    expect(person.locator(".line.chosen")).to_have_text("line 1234")
    expect(person.locator(".line.chosen")).to_be_in_viewport()


def test_following_stops_while_the_reader_looks_further_up(
    person: Page, live_server: LiveServer, slot: Slot
) -> None:
    job = add_job(slot, "exit 0")
    run = make_run(job, RunStatus.RUNNING)
    write(run, b"".join(b"line %d\n" % number for number in range(500)), complete=False)
    person.goto(address(live_server, run))
    expect(person.get_by_text("line 499", exact=True)).to_be_in_viewport()
    person.locator(".log-box").evaluate("box => box.scrollTop = 0")
    run.log.refresh_from_db()
    write(run, b"news\n", complete=False)
    expect(person.get_by_role("button", name="New output below")).to_be_visible()
    expect(person.get_by_text("line 0", exact=True)).to_be_in_viewport()
    person.get_by_role("button", name="New output below").click()
    expect(person.get_by_text("news", exact=True)).to_be_in_viewport()


def test_output_is_text_and_never_markup(person: Page, live_server: LiveServer, slot: Slot) -> None:
    job = add_job(slot, "exit 0")
    run = make_run(job, RunStatus.RUNNING)
    person.goto(address(live_server, run))
    hostile = "<img src=x onerror=alert(1)><b>bold</b>"
    write(run, f"{hostile}\n".encode())
    expect(person.get_by_text(hostile, exact=True)).to_be_visible()
    expect(person.locator(".log-lines img")).to_have_count(0)


def test_toggle_output_hides_and_shows(person: Page, live_server: LiveServer, slot: Slot) -> None:
    run = finished(slot, b"hello\n")
    person.goto(address(live_server, run))
    expect(person.get_by_text("hello", exact=True)).to_be_visible()
    person.get_by_text("Toggle Output").click()
    expect(person.get_by_text("hello", exact=True)).to_be_hidden()
    person.get_by_text("Toggle Output").click()
    expect(person.get_by_text("hello", exact=True)).to_be_visible()


def test_download_opens_the_text_in_a_new_window(
    person: Page, live_server: LiveServer, slot: Slot
) -> None:
    run = finished(slot, "grüße\n".encode())
    person.goto(address(live_server, run))
    with person.expect_popup() as opened:
        person.get_by_role("link", name="download").click()
    expect(opened.value.locator("body")).to_contain_text("INFO] grüße")
