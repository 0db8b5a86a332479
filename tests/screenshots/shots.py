"""The pages to look at, and what to do on them before the picture is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.pages import zip_file
from tests.screenshots.sample import APP, LONG, LONG_JOB, MANY, NONE, ONE
from webjobs.models import Deployment, Instance, Run, WebJob

Do = Callable[[Page], None]
BLADE = f"/apps/{APP}/webjobs/"
HISTORY = f"/apps/{APP}/history/"
SETTINGS = f"/apps/{APP}/settings/"
SLOTS = f"/apps/{APP}/deployment-slots/"


@dataclass(frozen=True)
class Shot:
    """One page; `is_main` ones are taken in French too."""

    name: str
    path: str
    do: Do | None = None
    is_main: bool = False
    signed_in: bool = True


def _row(name: str) -> str:
    return f'#grid tr[data-name="{name}"]'


def _refused(page: Page) -> None:
    page.fill("#id_username", "nobody")
    page.fill("#id_password", "wrong")
    page.press("#id_password", "Enter")
    page.get_by_role("alert").wait_for()


def _menu(page: Page) -> None:
    # A menu goes when the page scrolls.
    page.locator(_row("nightly-report")).scroll_into_view_if_needed()
    page.evaluate("new Promise(requestAnimationFrame)")
    page.locator(_row("nightly-report")).click(button="right")
    page.get_by_role("menu").wait_for()


def _question(page: Page) -> None:
    page.locator(_row("nightly-report")).click()
    page.locator('[data-command="run"]').click()
    page.get_by_role("alertdialog").wait_for()


def _several(page: Page) -> None:
    page.locator(_row("cleanup-temp-files")).click()
    page.locator(_row("sync-stock")).click(modifiers=["Shift"])
    page.locator('[data-command="run"]').click()
    page.get_by_role("alertdialog").wait_for()


def _add(page: Page) -> None:
    page.locator('[data-command="add"]').click()
    page.locator("#id_name").fill("nightly-backup")
    page.locator("#id_type").select_option("triggered")
    page.locator("#id_triggers").select_option("scheduled")
    page.locator('[data-part="kind"]').select_option("workdays")
    page.locator(".preview li").first.wait_for()


def _properties(page: Page) -> None:
    page.locator(_row("nightly-report")).dblclick()
    page.locator("dialog.panel .panel-body").wait_for()


def _palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("re")
    page.locator(".found").first.wait_for()
    page.wait_for_load_state("networkidle")


def _changed(page: Page) -> None:
    page.locator('#settings tr[data-name="ORDERS_API_URL"] a.edit-name').click()
    page.locator("#id_value").fill("https://orders.example.org/v2")
    page.locator("dialog .button.primary").click()
    page.locator("dialog.panel").wait_for(state="detached")
    page.locator('#settings tr[data-name="SMTP_HOST"] [data-delete]').click()


def _advanced(page: Page) -> None:
    page.locator("[data-advanced]").click()
    page.locator("#id_json").wait_for()


def _add_wrongly(page: Page) -> None:
    page.locator('[data-command="add"]').click()
    page.locator("#id_name").fill("no spaces, please")
    page.locator("dialog .button.primary").click()
    page.locator("dialog [aria-invalid=true]").first.wait_for()


def _undo(page: Page) -> None:
    WebJob.objects.filter(name="legacy-bridge").update(is_stopped=True)
    page.reload()
    page.locator(_row("legacy-bridge")).click()
    page.locator('[data-command="start"]').click()
    page.get_by_role("alertdialog").locator("[data-yes]").click()
    page.locator(".toast .undo").wait_for()
    WebJob.objects.filter(name="legacy-bridge").update(is_stopped=True)


def _notices(page: Page) -> None:
    _undo(page)
    page.locator("#bell").click()


def _account(page: Page) -> None:
    page.locator("#user-menu summary").click()


def _review(page: Page) -> None:
    files = {"run.sh": "echo three\n", "import.py": "print()\n", "README.txt": "Read me\n"}
    page.locator("#id_file").set_input_files(zip_file(files))
    page.locator("#id_retry_attempts").fill("3")
    page.locator('button[value="review"]').click()
    page.locator(".review").wait_for()


def _apply(page: Page) -> None:
    _changed(page)
    page.locator("#settings-apply").click()
    page.get_by_role("alertdialog").wait_for()


def _searched(page: Page) -> None:
    page.locator(".log-search input[type=search]").fill("article")
    page.locator(".log-clock").select_option("utc")
    page.locator(".search-next:enabled").wait_for()


def shots() -> list[Shot]:
    """Needs the sample in the database."""
    failed = Run.objects.filter(job__name="import-price-list").latest("number").number
    queued = Run.objects.get(job__name="export-invoices").number
    running = Run.objects.get(job__name="sync-stock").number
    deployed = Deployment.objects.latest("pk").pk
    instance = Instance.objects.get(name="web-worker-1").key
    return [
        Shot("sign-in", "/sign-in", is_main=True, signed_in=False),
        Shot("sign-in-refused", "/sign-in", _refused, signed_in=False),
        Shot("apps", "/apps/", is_main=True),
        Shot("create-app", "/apps/add"),
        Shot("blade", BLADE, is_main=True),
        Shot("blade-menu", BLADE, _menu, is_main=True),
        Shot("blade-run", BLADE, _question, is_main=True),
        Shot("blade-several", BLADE, _several, is_main=True),
        Shot("blade-add", BLADE, _add, is_main=True),
        Shot("blade-properties", BLADE, _properties, is_main=True),
        Shot("blade-search", BLADE, _palette, is_main=True),
        Shot("blade-none", f"/apps/{NONE}/webjobs/"),
        Shot("blade-many", f"/apps/{MANY}/webjobs/"),
        Shot("blade-add-errors", BLADE, _add_wrongly),
        Shot("blade-undo", BLADE, _undo, is_main=True),
        Shot("blade-notices", BLADE, _notices),
        Shot("blade-account", BLADE, _account),
        Shot("blade-long-names", f"/apps/{LONG}/webjobs/"),
        Shot("add", f"{BLADE}add"),
        Shot("properties", f"{BLADE}triggered/nightly-report/properties"),
        Shot("run", f"{BLADE}triggered/nightly-report/run"),
        Shot("delete", f"{BLADE}triggered/nightly-report/delete"),
        Shot("debug", f"{BLADE}continuous/invoice-mailer/debug/{instance}/start"),
        Shot("versions", f"{BLADE}triggered/resize-images/versions/", is_main=True),
        Shot("version-changes", f"{BLADE}triggered/resize-images/versions/changes?from=1&to=2"),
        Shot("roll-back", f"{BLADE}triggered/resize-images/versions/1/roll-back"),
        Shot("history", HISTORY, is_main=True),
        Shot("history-none", f"/apps/{NONE}/history/"),
        Shot("job-details", f"{HISTORY}triggered/nightly-report/", is_main=True),
        Shot("job-details-failed", f"{HISTORY}triggered/import-price-list/?status=Failed"),
        Shot("job-details-long", f"/apps/{LONG}/history/triggered/{LONG_JOB}/"),
        Shot("job-details-never", f"{HISTORY}triggered/cleanup-temp-files/"),
        Shot("run-failed", f"{HISTORY}triggered/import-price-list/runs/{failed}/", is_main=True),
        Shot("run-search", f"{HISTORY}triggered/import-price-list/runs/{failed}/", _searched),
        Shot("run-queued", f"{HISTORY}triggered/export-invoices/runs/{queued}/"),
        Shot("run-running", f"{HISTORY}triggered/sync-stock/runs/{running}/"),
        Shot("continuous", f"{HISTORY}continuous/thumbnail-worker/", is_main=True),
        Shot("scheduler-log", f"{HISTORY}triggered/nightly-report/scheduler/"),
        Shot("settings", SETTINGS, is_main=True),
        Shot("settings-changed", SETTINGS, _changed, is_main=True),
        Shot("settings-apply", SETTINGS, _apply, is_main=True),
        Shot("settings-advanced", SETTINGS, _advanced),
        Shot("settings-edit", f"{SETTINGS}SMTP_HOST/edit"),
        Shot("setting-delete", f"{SETTINGS}SMTP_HOST/delete"),
        Shot("settings-none", f"/apps/{NONE}/settings/"),
        Shot("edit-continuous", f"{BLADE}continuous/thumbnail-worker/edit"),
        Shot("edit-review", f"{BLADE}triggered/resize-images/edit", _review, is_main=True),
        Shot("edit", f"{BLADE}triggered/nightly-report/edit", is_main=True),
        Shot("call", f"{BLADE}triggered/nightly-report/call", is_main=True),
        Shot("configuration", f"/apps/{APP}/configuration/", is_main=True),
        Shot("slots", f"{SLOTS}", is_main=True),
        Shot("slot-add", f"{SLOTS}add"),
        Shot("slot-delete", f"{SLOTS}staging/delete"),
        Shot("slot-swap", f"{SLOTS}swap", is_main=True),
        Shot("blade-staging", f"/apps/{APP}/slots/staging/webjobs/"),
        Shot("blade-connected", f"/apps/{ONE}/webjobs/"),
        Shot("deployment-none", f"/apps/{NONE}/deployment/", is_main=True),
        Shot("deployment", f"/apps/{ONE}/deployment/", is_main=True),
        Shot("deployment-details", f"/apps/{ONE}/deployment/{deployed}/", is_main=True),
        Shot("instances", "/instances/", is_main=True),
        Shot("instance", f"/instances/{instance}/", is_main=True),
        Shot("tokens", "/tokens/", is_main=True),
        Shot("help", "/help/", is_main=True),
        Shot("admin", "/admin/"),
        Shot("admin-runs", "/admin/webjobs/run/"),
        Shot("not-found", "/apps/none/webjobs/"),
    ]
