"""Output that follows in a real browser, from real processes."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
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
from webjobs.states import JobType, RunStatus, Stream

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
    person.get_by_role("link", name="Stop").click()
    answer(person, "Are you sure you want to stop this run?")
    expect(person.locator(".run-status")).to_have_text("Aborted", timeout=20_000)
    expect(person.locator("#summary")).to_contain_text("Stopped by admin")
    assert Run.objects.get().status == RunStatus.ABORTED


def test_a_run_is_repeated_with_the_same_and_with_other_arguments(
    person: Page, live_server: LiveServer, slot: Slot
) -> None:
    run = make_run(add_job(slot, "exit 0", name="report"), arguments="--day 1")
    person.goto(address(live_server, run))
    person.get_by_role("link", name="Run again").click()
    expect(person.get_by_role("alertdialog")).to_contain_text("report --day 1")
    expect(person.get_by_label("Arguments (optional)")).to_be_hidden()
    with person.expect_navigation():
        answer(person, "Are you sure you want to run the selected WebJob?")
    expect(person.locator(".run-status")).to_have_text("Queued")
    Run.objects.update(status=RunStatus.SUCCESS, lane=None)
    person.goto(address(live_server, run))
    person.get_by_role("link", name="Run with other arguments").click()
    expect(person.get_by_label("Arguments (optional)")).to_have_value("--day 1")
    person.get_by_label("Arguments (optional)").fill("--day 2")
    with person.expect_navigation():
        answer(person, "Are you sure you want to run the selected WebJob?")
    assert [each.arguments for each in Run.objects.order_by("number")] == [
        "--day 1",
        "--day 1",
        "--day 2",
    ]


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


SHOWN = "() => [...document.querySelectorAll('.log-lines .line')].map(line => +line.dataset.n)"
NODES = "() => document.querySelectorAll('.log-lines *').length"


def test_a_long_log_moves_through_the_page_which_stays_small(
    person: Page, live_server: LiveServer, slot: Slot
) -> None:
    run = finished(slot, b"".join(b"line %d\n" % number for number in range(1, 12_001)))
    person.goto(address(live_server, run))
    expect(numbered(person, 12_000)).to_be_in_viewport()
    box = person.locator(".log-box")
    most = 0
    for top in (10_000, 8_000, 6_000, 4_000, 2_000, 1):
        while person.evaluate(SHOWN)[0] > top:
            first = person.evaluate(SHOWN)[0]
            box.evaluate("box => box.scrollTop = 300")
            person.wait_for_function(f"() => ({SHOWN})()[0] < {first}")
            most = max(most, person.evaluate(NODES))
    assert person.evaluate(SHOWN) == list(range(1, person.evaluate(SHOWN)[-1] + 1))
    assert most <= 3000
    # What was in sight stayed in sight.
    assert box.evaluate("box => box.scrollTop") > 1000
    box.evaluate("box => box.scrollTop = 0")
    expect(numbered(person, 1)).to_be_in_viewport()
    while person.evaluate(SHOWN)[-1] < 6000:
        last = person.evaluate(SHOWN)[-1]
        box.evaluate("box => box.scrollTop = box.scrollHeight - box.clientHeight - 300")
        person.wait_for_function(f"() => ({SHOWN})().at(-1) > {last}")
    shown = person.evaluate(SHOWN)
    assert shown == list(range(shown[0], shown[-1] + 1))
    assert len(shown) <= 3000
    person.get_by_role("button", name="To the end").click()
    expect(numbered(person, 12_000)).to_be_in_viewport()
    person.get_by_role("button", name="To the start").click()
    expect(numbered(person, 1)).to_be_in_viewport()
    person.get_by_label("Line", exact=True).fill("7,777")
    person.get_by_label("Line", exact=True).press("Enter")
    expect(numbered(person, 7777)).to_be_in_viewport()


def test_a_link_to_a_line_opens_there(person: Page, live_server: LiveServer, slot: Slot) -> None:
    run = finished(slot, b"".join(b"line %d\n" % number for number in range(1, 10_001)))
    person.goto(address(live_server, run) + "#L1234")
    expect(person.locator(".line.chosen")).to_have_text("line 1234")
    expect(person.locator(".line.chosen")).to_be_in_viewport()
    # From the address it has now the server draws that part itself.
    assert person.url.endswith("?line=1134#L1234")
    asked: list[str] = []
    person.on("request", lambda request: asked.append(request.url))
    person.reload()
    expect(person.locator(".line.chosen")).to_be_in_viewport()
    assert not [url for url in asked if "/log?" in url]


def test_following_stops_while_the_reader_looks_further_up(
    person: Page, live_server: LiveServer, slot: Slot
) -> None:
    job = add_job(slot, "exit 0")
    run = make_run(job, RunStatus.RUNNING)
    write(run, b"".join(b"line %d\n" % number for number in range(300)), complete=False)
    person.goto(address(live_server, run))
    state = person.locator(".log-follow")
    expect(state).to_have_text("Following")
    expect(person.get_by_text("line 299", exact=True)).to_be_in_viewport()
    person.locator(".log-box").evaluate("box => box.scrollTop = 0")
    expect(state).to_have_text("Paused")
    run.log.refresh_from_db()
    write(run, b"news\nmore\n", complete=False)
    expect(state).to_have_text("Paused, 2 new lines")
    expect(person.get_by_text("line 0", exact=True)).to_be_in_viewport()
    state.click()
    expect(person.get_by_text("more", exact=True)).to_be_in_viewport()
    expect(state).to_have_text("Following")
    state.click()
    expect(state).to_have_text("Paused")


def test_colours_and_progress_are_shown_as_in_a_terminal(
    person: Page, live_server: LiveServer, slot: Slot
) -> None:
    run = make_run(add_job(slot, "exit 0"), RunStatus.RUNNING)
    write(run, b"\x1b[1;31mred\n<b>still\x1b[0m \x1b]0;title\x07not\n 5 %\r", complete=False)
    person.goto(address(live_server, run))
    expect(numbered(person, 1).locator("span")).to_have_class("bo f1")
    expect(numbered(person, 2)).to_have_text("<b>still not")
    expect(numbered(person, 2).locator("span")).to_have_class("bo f1")
    expect(numbered(person, 3)).to_have_text(" 5 %")
    colour = numbered(person, 1).locator("span").evaluate("span => getComputedStyle(span).color")
    assert colour == "rgb(179, 38, 30)"
    run.log.refresh_from_db()
    write(run, b"\x1b[32m50 %\r", complete=False)
    expect(numbered(person, 3)).to_have_text("50 %")
    expect(numbered(person, 3).locator("span")).to_have_class("f2")
    run.log.refresh_from_db()
    write(run, b"\x1b[Kdone\nnext\n", complete=False)
    expect(numbered(person, 3)).to_have_text("done")
    expect(numbered(person, 4)).to_have_text("next")


def test_one_stream_alone_is_shown_by_its_own_address(
    person: Page, live_server: LiveServer, slot: Slot
) -> None:
    run = make_run(add_job(slot, "exit 0"), RunStatus.RUNNING)
    write(run, b"one\n", complete=False)
    run.log.refresh_from_db()
    write(run, b"wrong\n", Stream.ERR, complete=False)
    person.goto(address(live_server, run))
    lines = person.locator(".log-lines .line")
    expect(lines).to_have_text(["one", "wrong"])
    person.get_by_role("link", name="Errors").click()
    expect(lines).to_have_text(["wrong"])
    assert person.url.endswith("?stream=err")
    for stream, text in ((Stream.OUT, b"two\n"), (Stream.ERR, b"worse\n")):
        run.log.refresh_from_db()
        write(run, text, stream, complete=False)
    expect(lines).to_have_text(["wrong", "worse"])
    person.reload()
    expect(lines).to_have_text(["wrong", "worse"])
    expect(person.get_by_role("link", name="Errors")).to_have_attribute("aria-current", "true")
    person.get_by_role("link", name="All").click()
    expect(lines).to_have_text(["one", "wrong", "two", "worse"])


def test_times_are_chosen_and_remembered(person: Page, live_server: LiveServer, slot: Slot) -> None:
    run = finished(slot, b"one\n")
    Run.objects.filter(pk=run.pk).update(started_at=datetime.fromtimestamp(1_779_999_990, UTC))
    person.goto(address(live_server, run))
    line = numbered(person, 1)
    assert line.get_attribute("data-clock") is None
    person.get_by_label("Times").select_option("UTC")
    expect(line).to_have_attribute("data-clock", "20:26:40")
    person.get_by_label("Times").select_option("From the start")
    expect(line).to_have_attribute("data-clock", "+00:10.0")
    assert person.url.endswith("?times=start")
    person.goto(address(live_server, run))
    expect(line).to_have_attribute("data-clock", "+00:10.0")
    person.goto(f"{address(live_server, run)}?times=utc")
    expect(line).to_have_attribute("data-clock", "20:26:40")
    person.goto(f"{address(live_server, run)}?times=toString")
    expect(line).to_have_attribute("data-clock", "+00:10.0")
    line.hover()
    expect(line).to_have_attribute("title", re.compile("2026-05-28 20:26:40.000 UTC"))
    lines = person.locator(".log-lines")
    expect(lines).to_have_class(re.compile("numbers wrap"))
    person.get_by_label("Wrap").uncheck()
    person.get_by_label("Line numbers").uncheck()
    expect(lines).not_to_have_class(re.compile("numbers|wrap"))
    person.reload()
    expect(person.get_by_label("Wrap")).not_to_be_checked()
    expect(lines).not_to_have_class(re.compile("numbers|wrap"))


def test_lines_are_copied_without_their_numbers(
    person: Page, live_server: LiveServer, slot: Slot
) -> None:
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    run = finished(slot, b"".join(b"line %d\n\n" % number for number in range(1, 2001)))
    person.goto(address(live_server, run) + "#L1-L3")
    expect(person.locator(".line.chosen")).to_have_count(3)
    person.get_by_role("button", name="Copy lines").click()
    expect_toast(person, "3 lines copied")
    assert person.evaluate("() => navigator.clipboard.readText()") == "line 1\n\nline 2"
    numbered(person, 1).evaluate(
        """(one) => getSelection().setBaseAndExtent(
            one.firstChild, 5, one.nextSibling.nextSibling.firstChild, 4)"""
    )
    person.keyboard.press("Control+c")
    is_copied = "wanted => navigator.clipboard.readText().then(text => text === wanted)"
    person.wait_for_function(is_copied, arg="1\n\nline")


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


def test_what_a_run_has_printed_so_far_is_downloaded_byte_for_byte(
    person: Page, live_server: LiveServer, slot: Slot
) -> None:
    run = make_run(add_job(slot, "exit 0"), RunStatus.RUNNING)
    text = b"\x1b[31mred\x1b[0m\n 5 %\r50 %"
    write(run, text, complete=False)
    person.goto(address(live_server, run))
    with person.expect_download() as download:
        person.get_by_role("link", name="raw (.gz)").click()
    assert gzip.decompress(download.value.path().read_bytes()) == text
