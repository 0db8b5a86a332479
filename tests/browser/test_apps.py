"""The first steps of somebody new, in both languages: an app, its plan, a token, help beside it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.utils import translation
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.french import expect_french
from tests.browser.pages import command, expect_toast, row, sign_in
from tests.web.objects import make_instance, make_job
from webjobs.models import ApiToken, Slot

pytestmark = pytest.mark.django_db(transaction=True)
Said = Callable[[str], str]

NO_APP = "There is no app yet. An app holds WebJobs and their settings."
NAMES = (
    "Unique in this portal. Must start with a letter or a number; hyphens and underscores may "
    "follow."
)
NO_WEBJOBS = "You haven't added any WebJobs. Click ADD to get started."
IDLES = (
    "Always On is off, so the app idles after a while without use: continuous and scheduled "
    "WebJobs pause then, and go on as soon as somebody uses the app."
)


@pytest.fixture(params=["en", "fr"])
def said(
    request: pytest.FixtureRequest, page: Page, live_server: LiveServer, operator: User
) -> Said:
    """What the pages say for an English text, in the language of the person who has signed in."""
    language = str(request.param)
    sign_in(page, live_server.url, operator, language)

    def say(text: str) -> str:
        with translation.override(language):
            return translation.gettext(text)

    return say


def look(page: Page, said: Said) -> None:
    if said("Yes") == "Oui":
        expect_french(page)


def test_an_app_is_created_planned_and_called(
    page: Page, live_server: LiveServer, said: Said
) -> None:
    make_instance()
    page.goto(f"{live_server.url}/apps/")
    expect(page.locator("main")).to_contain_text(said(NO_APP))
    page.get_by_role("link", name=said("Create"), exact=True).click()
    panel = page.get_by_role("dialog", name=said("Create app"))
    balloon = panel.locator("summary", has_text=said("More information"))
    balloon.click()
    expect(panel).to_contain_text(said(NAMES))
    panel.get_by_label(said("Name"), exact=True).fill("two words")
    panel.get_by_role("button", name="OK").click()
    expect(panel.locator("#error_name")).not_to_be_empty()
    look(page, said)
    panel.get_by_label(said("Name"), exact=True).fill("shop")
    panel.get_by_role("button", name="OK").click()
    page.wait_for_url("**/apps/shop/webjobs/")
    expect(page.locator("main")).to_contain_text(said(NO_WEBJOBS))
    look(page, said)

    page.get_by_role("link", name=said("Configuration"), exact=True).click()
    page.get_by_label(said("Pricing tier")).select_option(said("Free"))
    page.get_by_label(said("On"), exact=True).check()
    page.get_by_role("button", name=said("Save")).click()
    error = page.locator("#error_always_on")
    expect(error).to_have_text(said("Always on requires a basic or higher App Service plan"))
    page.get_by_label(said("Off"), exact=True).check()
    page.get_by_role("button", name=said("Save")).click()
    expect_toast(page, said("Successfully updated web app settings"))
    make_job(Slot.objects.get(), "nightly")
    page.goto(f"{live_server.url}/apps/shop/webjobs/")
    expect(page.locator(".banner")).to_contain_text(said(IDLES))
    look(page, said)

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    row(page, "nightly").click()
    command(page, "properties").click()
    page.get_by_role("button", name=said("Copy the web hook")).click()
    expect_toast(page, "Copi" if said("Yes") == "Oui" else "Copied!")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{live_server.url}/scm/shop/api/triggeredwebjobs/nightly/run"
    look(page, said)


def test_a_token_is_made_copied_and_revoked(
    page: Page, live_server: LiveServer, said: Said
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{live_server.url}/tokens/")
    expect(page.locator("main")).to_contain_text(said("You have no token."))
    page.get_by_role("button", name=said("Create")).click()
    expect(page.locator("#error_name")).to_have_text(said("This field is required"))
    page.get_by_label(said("What it is for")).fill("pipeline")
    page.get_by_role("button", name=said("Create")).click()
    secret = page.get_by_label(said("The new token. It is shown only now."))
    expect(secret).to_have_value(re.compile("^wjp_"))
    page.get_by_role("button", name=said("Copy the token")).click()
    # What an earlier test has copied is still there for a moment.
    is_copied = "wanted => navigator.clipboard.readText().then(text => text === wanted)"
    page.wait_for_function(is_copied, arg=secret.input_value())
    look(page, said)
    page.get_by_role("button", name=f"{said('Revoke')} pipeline").click()
    expect(page.locator("main")).to_contain_text(said("You have no token."))
    look(page, said)
    assert ApiToken.objects.get().revoked_at is not None
