"""What to do on a page before its picture is taken."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.pages import zip_file
from webjobs.models import WebJob


def _row(name: str) -> str:
    return f'#grid tr[data-name="{name}"]'


def refused(page: Page) -> None:
    page.fill("#id_username", "nobody")
    page.fill("#id_password", "wrong")
    page.press("#id_password", "Enter")
    page.get_by_role("alert").wait_for()


def menu(page: Page) -> None:
    # A menu goes when the page scrolls.
    page.locator(_row("nightly-report")).scroll_into_view_if_needed()
    page.evaluate("new Promise(requestAnimationFrame)")
    page.locator(_row("nightly-report")).click(button="right")
    page.get_by_role("menu").wait_for()


def question(page: Page) -> None:
    page.locator(_row("nightly-report")).click()
    page.locator('[data-command="run"]').click()
    page.get_by_role("alertdialog").wait_for()


def several(page: Page) -> None:
    page.locator(_row("cleanup-temp-files")).click()
    page.locator(_row("sync-stock")).click(modifiers=["Shift"])
    page.locator('[data-command="run"]').click()
    page.get_by_role("alertdialog").wait_for()


def add(page: Page) -> None:
    page.locator('[data-command="add"]').click()
    page.locator("#id_name").fill("nightly-backup")
    page.locator("#id_type").select_option("triggered")
    page.locator("#id_triggers").select_option("scheduled")
    page.locator('[data-part="kind"]').select_option("workdays")
    page.locator(".preview li").first.wait_for()


def properties(page: Page) -> None:
    page.locator(_row("nightly-report")).dblclick()
    page.locator("dialog.panel .panel-body").wait_for()


def palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("re")
    page.locator(".found").first.wait_for()
    page.wait_for_load_state("networkidle")


def changed(page: Page) -> None:
    page.locator('#settings tr[data-name="ORDERS_API_URL"] a.edit-name').click()
    page.locator("#id_value").fill("https://orders.example.org/v2")
    page.locator("dialog .button.primary").click()
    page.locator("dialog.panel").wait_for(state="detached")
    page.locator('#settings tr[data-name="SMTP_HOST"] [data-delete]').click()


def advanced(page: Page) -> None:
    page.locator("[data-advanced]").click()
    page.locator("#id_json").wait_for()


def add_wrongly(page: Page) -> None:
    page.locator('[data-command="add"]').click()
    page.locator("#id_name").fill("no spaces, please")
    page.locator("dialog .button.primary").click()
    page.locator("dialog [aria-invalid=true]").first.wait_for()


def undo(page: Page) -> None:
    WebJob.objects.filter(name="legacy-bridge").update(is_stopped=True)
    page.reload()
    page.locator(_row("legacy-bridge")).click()
    page.locator('[data-command="start"]').click()
    page.get_by_role("alertdialog").locator("[data-yes]").click()
    page.locator(".toast .undo").wait_for()
    WebJob.objects.filter(name="legacy-bridge").update(is_stopped=True)


def notices(page: Page) -> None:
    undo(page)
    page.locator("#bell").click()


def account(page: Page) -> None:
    page.locator("#user-menu summary").click()


def review(page: Page) -> None:
    files = {"run.sh": "echo three\n", "import.py": "print()\n", "README.txt": "Read me\n"}
    page.locator("#id_file").set_input_files(zip_file(files))
    page.locator("#id_retry_attempts").fill("3")
    page.locator('button[value="review"]').click()
    page.locator(".review").wait_for()


def apply(page: Page) -> None:
    changed(page)
    page.locator("#settings-apply").click()
    page.get_by_role("alertdialog").wait_for()


def searched(page: Page) -> None:
    page.locator(".log-search input[type=search]").fill("article")
    page.locator(".log-clock").select_option("utc")
    page.locator(".search-next:enabled").wait_for()


def sign_out_and_add(page: Page) -> None:
    """The session ends while a panel is filled in."""
    add(page)
    page.context.clear_cookies(name="sessionid")
    page.locator("#id_file").set_input_files(zip_file({"run.sh": "echo\n"}))
    page.locator("dialog .button.primary").click()
    page.locator("#toasts a").wait_for()


def restored(page: Page) -> None:
    changed(page)
    page.wait_for_load_state("networkidle")
    page.reload()
    page.locator("#settings-notice p").wait_for()
