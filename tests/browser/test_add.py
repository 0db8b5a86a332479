"""The Add WebJob panel in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import command, expect_toast, row, sign_in, zip_file
from tests.web.objects import make_job, make_slot
from webjobs.models import WebJob

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def panel(page: Page, live_server: LiveServer, operator: User, data_dir: Path) -> Locator:
    make_slot("demo")
    sign_in(page, live_server.url, operator)
    page.goto(f"{live_server.url}/apps/demo/webjobs/")
    command(page, "add").click()
    panel = page.get_by_role("dialog", name="Add WebJob")
    expect(panel).to_be_visible()
    return panel


def ok(panel: Locator) -> None:
    panel.get_by_role("button", name="OK").click()


def test_fields_follow_type_and_triggers(panel: Locator) -> None:
    expect(panel.get_by_label("Name", exact=True)).to_be_focused()
    expect(panel.get_by_label("Triggers", exact=True)).to_be_hidden()
    expect(panel.get_by_label("Scale", exact=True)).to_be_enabled()
    panel.get_by_label("Type", exact=True).select_option("Triggered")
    expect(panel.get_by_label("Triggers", exact=True)).to_be_visible()
    expect(panel.get_by_label("Scale", exact=True)).to_be_disabled()
    expect(panel.get_by_label("CRON Expression", exact=True)).to_be_hidden()
    panel.get_by_label("Triggers", exact=True).select_option("Scheduled")
    expect(panel.get_by_label("CRON Expression", exact=True)).to_be_visible()
    expect(panel.get_by_text("Scheduled jobs will be executed based on")).to_be_visible()


def test_a_webjob_is_added_and_appears_selected(page: Page, panel: Locator) -> None:
    panel.get_by_label("Name", exact=True).fill("nightly")
    panel.locator("input[type=file]").set_input_files(zip_file({"run.sh": "echo hello"}))
    expect(panel.locator(".drop-name")).to_have_text("job.zip")
    panel.get_by_label("Type", exact=True).select_option("Triggered")
    panel.get_by_label("Triggers", exact=True).select_option("Scheduled")
    panel.get_by_label("CRON Expression", exact=True).fill("0 0 3 * * *")
    ok(panel)
    expect_toast(page, "Successfully added WebJob 'nightly'")
    expect(panel).to_have_count(0)
    expect(row(page, "nightly")).to_have_attribute("aria-selected", "true")
    expect(row(page, "nightly")).to_contain_text("0 0 3 * * *")
    assert WebJob.objects.get().schedule.expression == "0 0 3 * * *"


def test_all_that_is_wrong_is_told_at_once_also_without_a_file(panel: Locator) -> None:
    ok(panel)
    expect(panel.get_by_text("This field is required")).to_have_count(2)
    expect(panel.get_by_label("Name", exact=True)).to_be_focused()
    panel.get_by_label("Name", exact=True).fill("no good")
    panel.get_by_label("Type", exact=True).select_option("Triggered")
    panel.get_by_label("Triggers", exact=True).select_option("Scheduled")
    panel.get_by_label("CRON Expression", exact=True).fill("every day")
    ok(panel)
    for field, words in [("name", "Must start"), ("file", "required"), ("cron", "field")]:
        expect(panel.locator(f"[data-field={field}] .field-error")).to_contain_text(words)
    expect(panel.get_by_label("Name", exact=True)).to_be_focused()
    # With a file and without a name: of the file, which was not sent, nothing is said.
    panel.get_by_label("Name", exact=True).fill("")
    panel.locator("input[type=file]").set_input_files(zip_file({"run.sh": "echo hello"}))
    ok(panel)
    expect(panel.locator("[data-field=name] .field-error")).to_contain_text("required")
    expect(panel.locator("[data-field=cron] .field-error")).to_contain_text("field")
    expect(panel.locator("[data-field=file] .field-error")).to_have_text("")
    expect(panel.locator(".drop-name")).to_have_text("job.zip")


def test_an_error_of_the_server_keeps_all_that_was_typed_and_chosen(
    page: Page, panel: Locator
) -> None:
    panel.get_by_label("Name", exact=True).fill("no good")
    panel.locator("input[type=file]").set_input_files(zip_file({"run.sh": "echo hello"}))
    ok(panel)
    expect(panel.locator("[data-field=name] .field-error")).to_contain_text("Must start with")
    expect(panel.get_by_label("Name", exact=True)).to_have_value("no good")
    expect(panel.locator(".drop-name")).to_have_text("job.zip")
    panel.get_by_label("Name", exact=True).fill("good")
    ok(panel)
    expect(row(page, "good")).to_be_visible()


def test_a_bad_zip_is_explained_beside_the_field(panel: Locator) -> None:
    panel.get_by_label("Name", exact=True).fill("nightly")
    panel.locator("input[type=file]").set_input_files(zip_file({"readme.md": "nothing to run"}))
    ok(panel)
    error = panel.locator("[data-field=file] .field-error")
    expect(error).to_contain_text("No runnable script file was found")


def test_the_schedule_is_told_in_words_while_it_is_typed(panel: Locator) -> None:
    panel.get_by_label("Type", exact=True).select_option("Triggered")
    panel.get_by_label("Triggers", exact=True).select_option("Scheduled")
    field = panel.get_by_label("CRON Expression", exact=True)
    field.fill("*/5 * * * *")
    expect(panel.locator("[data-field=cron] .field-error")).to_contain_text("second")
    field.fill("0 */5 * * * *")
    expect(panel.locator(".preview .words")).to_contain_text("5 minutes")
    expect(panel.locator(".preview li")).to_have_count(5)
    expect(panel.locator(".preview")).to_contain_text("UTC")
    expect(panel.locator("[data-field=cron] .field-error")).to_have_text("")


def test_a_file_can_be_dropped_on_the_panel(page: Page, panel: Locator) -> None:
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(["echo hello"], "dropped.sh"));
            const form = document.querySelector("dialog form");
            const options = { dataTransfer: data, bubbles: true, cancelable: true };
            form.dispatchEvent(new DragEvent("drop", options));
        }"""
    )
    expect(panel.locator(".drop-name")).to_have_text("dropped.sh")
    panel.get_by_label("Name", exact=True).fill("dropped")
    ok(panel)
    expect(row(page, "dropped")).to_be_visible()


def test_a_half_filled_panel_comes_back_as_it_was(page: Page, panel: Locator) -> None:
    panel.get_by_label("Name", exact=True).fill("half-way")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(command(page, "add")).to_be_focused()
    command(page, "add").click()
    expect(panel.get_by_label("Name", exact=True)).to_have_value("half-way")


def test_a_taken_name_is_told_in_azures_words(page: Page, panel: Locator) -> None:
    make_job(make_slot("other"), "nightly")
    panel.get_by_label("Name", exact=True).fill("nightly")
    panel.locator("input[type=file]").set_input_files(zip_file({"run.sh": "echo hello"}))
    ok(panel)
    expect(row(page, "nightly")).to_be_visible()
    command(page, "add").click()
    panel.get_by_label("Name", exact=True).fill("NIGHTLY")
    panel.locator("input[type=file]").set_input_files(zip_file({"run.sh": "echo hello"}))
    ok(panel)
    error = panel.locator("[data-field=name] .field-error")
    expect(error).to_have_text("The WebJob already exists.")
