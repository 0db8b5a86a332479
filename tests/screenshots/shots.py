"""The pages to look at, and what to do on them before the picture is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.screenshots.sample import APP, MANY, NONE, ONE
from webjobs.models import Deployment, Instance, Run

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


def shots() -> list[Shot]:
    """Needs the sample in the database."""
    failed = Run.objects.filter(job__name="import-price-list").latest("number").number
    running = Run.objects.get(job__name="sync-stock").number
    deployed = Deployment.objects.latest("pk").pk
    instance = Instance.objects.get(name="web-worker-1").key
    return [
        Shot("sign-in", "/sign-in", is_main=True, signed_in=False),
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
        Shot("versions", f"{BLADE}triggered/resize-images/versions/", is_main=True),
        Shot("history", HISTORY, is_main=True),
        Shot("history-none", f"/apps/{NONE}/history/"),
        Shot("job-details", f"{HISTORY}triggered/nightly-report/", is_main=True),
        Shot("job-details-never", f"{HISTORY}triggered/cleanup-temp-files/"),
        Shot("run-failed", f"{HISTORY}triggered/import-price-list/runs/{failed}/", is_main=True),
        Shot("run-running", f"{HISTORY}triggered/sync-stock/runs/{running}/"),
        Shot("continuous", f"{HISTORY}continuous/thumbnail-worker/", is_main=True),
        Shot("scheduler-log", f"{HISTORY}triggered/nightly-report/scheduler/"),
        Shot("settings", SETTINGS, is_main=True),
        Shot("settings-changed", SETTINGS, _changed, is_main=True),
        Shot("settings-advanced", SETTINGS, _advanced),
        Shot("settings-edit", f"{SETTINGS}SMTP_HOST/edit"),
        Shot("settings-none", f"/apps/{NONE}/settings/"),
        Shot("edit", f"{BLADE}triggered/nightly-report/edit", is_main=True),
        Shot("call", f"{BLADE}triggered/nightly-report/call", is_main=True),
        Shot("configuration", f"/apps/{APP}/configuration/", is_main=True),
        Shot("slots", f"{SLOTS}", is_main=True),
        Shot("slot-add", f"{SLOTS}add"),
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
        Shot("not-found", "/apps/none/webjobs/"),
    ]
