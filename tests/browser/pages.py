"""What a person does on the pages, in one line each."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import FilePayload, Locator, Page, expect


def sign_in(page: Page, base: str, user: User, language: str = "en") -> None:
    """As if `user` had signed in; what the form takes is a second, and other tests look at it."""
    client = Client()
    client.force_login(user)
    cookies = {"sessionid": client.cookies["sessionid"].value, "django_language": language}
    page.context.add_cookies(
        [{"name": name, "value": value, "url": base} for name, value in cookies.items()]
    )


def sign_in_by_form(page: Page, base: str, name: str, password: str = "correct-horse-9") -> None:
    page.goto(f"{base}/sign-in")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{base}/apps/")


def zip_file(files: Mapping[str, str], name: str = "job.zip") -> FilePayload:
    """A zip to choose in a file field."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return {"name": name, "mimeType": "application/zip", "buffer": buffer.getvalue()}


def row(page: Page, name: str) -> Locator:
    """The row of a WebJob in the blade."""
    return page.locator(f'#grid tr[data-name="{name}"]')


def command(page: Page, name: str) -> Locator:
    """A command of the bar."""
    return page.locator(f'#commands [data-command="{name}"]')


def open_setting(page: Page, name: str) -> Locator:
    """The panel of a setting; `Add` is a name of that kind too."""
    page.get_by_role("link", name=name, exact=True).click()
    panel = page.get_by_role("dialog", name="Add/Edit application setting")
    expect(panel).to_be_visible()
    return panel


def answer(page: Page, question: str, word: str = "Yes") -> None:
    """Answer the docked question, which must be this one."""
    expect(page.get_by_role("alertdialog")).to_contain_text(question)
    page.get_by_role("alertdialog").get_by_role("button", name=word, exact=True).click()


def expect_toast(page: Page, text: str) -> None:
    expect(page.locator("#toasts")).to_contain_text(text)
