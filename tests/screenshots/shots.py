"""The pages to look at, as a person would go through them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from playwright.sync_api import Page

from tests.screenshots import doing
from tests.screenshots.sample import APP, LONG, LONG_JOB, MANY, NONE, ONE, READER
from tests.screenshots.sources import DEPLOYING, SWAPPING
from webjobs.models import Deployment, Instance, Run

Do = Callable[[Page], None]
BLADE = f"/apps/{APP}/webjobs/"
HISTORY = f"/apps/{APP}/history/"
SETTINGS = f"/apps/{APP}/settings/"
SLOTS = f"/apps/{APP}/deployment-slots/"
NIGHTLY = f"{BLADE}triggered/nightly-report/"
IMAGES = f"{BLADE}triggered/resize-images/"
IMPORT = f"{HISTORY}triggered/import-price-list/"


@dataclass(frozen=True)
class Shot:
    """One page; `is_main` ones are taken in French and on a very wide screen too.

    `{places}` in the path are what `_places` has; `user` is who looks, empty for nobody.
    """

    name: str
    path: str
    do: Do | None = None
    is_main: bool = False
    user: str = "ada"


_START = [
    Shot("sign-in", "/sign-in", is_main=True, user=""),
    Shot("sign-in-refused", "/sign-in", doing.refused, user=""),
    Shot("apps", "/apps/", is_main=True),
    Shot("create-app", "/apps/add"),
]
_BLADE = [
    Shot("blade", BLADE, is_main=True),
    Shot("blade-menu", BLADE, doing.menu, is_main=True),
    Shot("blade-run", BLADE, doing.question, is_main=True),
    Shot("blade-several", BLADE, doing.several, is_main=True),
    Shot("blade-add", BLADE, doing.add, is_main=True),
    Shot("blade-properties", BLADE, doing.properties, is_main=True),
    Shot("blade-search", BLADE, doing.palette, is_main=True),
    Shot("blade-none", f"/apps/{NONE}/webjobs/"),
    Shot("blade-many", f"/apps/{MANY}/webjobs/"),
    Shot("blade-add-errors", BLADE, doing.add_wrongly),
    Shot("blade-undo", BLADE, doing.undo, is_main=True),
    Shot("blade-notices", BLADE, doing.notices),
    Shot("blade-account", BLADE, doing.account),
    Shot("blade-long-names", f"/apps/{LONG}/webjobs/"),
    Shot("blade-staging", f"/apps/{APP}/slots/staging/webjobs/"),
    Shot("blade-connected", f"/apps/{ONE}/webjobs/"),
    Shot("blade-signed-out", BLADE, doing.sign_out_and_add, is_main=True),
]
_WEBJOB = [
    Shot("add", f"{BLADE}add"),
    Shot("properties", f"{NIGHTLY}properties"),
    Shot("run", f"{NIGHTLY}run"),
    Shot("delete", f"{NIGHTLY}delete"),
    Shot("debug", BLADE + "continuous/invoice-mailer/debug/{instance}/start"),
    Shot("versions", f"{IMAGES}versions/", is_main=True),
    Shot("version-changes", f"{IMAGES}versions/changes?from=1&to=2"),
    Shot("roll-back", f"{IMAGES}versions/1/roll-back"),
    Shot("edit-continuous", f"{BLADE}continuous/thumbnail-worker/edit"),
    Shot("edit-review", f"{IMAGES}edit", doing.review, is_main=True),
    Shot("edit", f"{NIGHTLY}edit", is_main=True),
    Shot("call", f"{NIGHTLY}call", is_main=True),
]
_HISTORY = [
    Shot("history", HISTORY, is_main=True),
    Shot("history-none", f"/apps/{NONE}/history/"),
    Shot("job-details", f"{HISTORY}triggered/nightly-report/", is_main=True),
    Shot("job-details-failed", f"{IMPORT}?status=Failed"),
    Shot("job-details-long", f"/apps/{LONG}/history/triggered/{LONG_JOB}/"),
    Shot("job-details-never", f"{HISTORY}triggered/cleanup-temp-files/"),
    Shot("run-failed", IMPORT + "runs/{failed}/", is_main=True),
    Shot("run-search", IMPORT + "runs/{failed}/", doing.searched),
    Shot("run-queued", HISTORY + "triggered/export-invoices/runs/{queued}/"),
    Shot("run-running", HISTORY + "triggered/sync-stock/runs/{running}/", is_main=True),
    Shot("continuous", f"{HISTORY}continuous/thumbnail-worker/", is_main=True),
    Shot("scheduler-log", f"{HISTORY}triggered/nightly-report/scheduler/"),
]
_SETTINGS = [
    Shot("settings", SETTINGS, is_main=True),
    Shot("settings-changed", SETTINGS, doing.changed, is_main=True),
    Shot("settings-restored", SETTINGS, doing.restored, is_main=True),
    Shot("settings-apply", SETTINGS, doing.apply, is_main=True),
    Shot("settings-advanced", SETTINGS, doing.advanced),
    Shot("settings-edit", f"{SETTINGS}SMTP_HOST/edit"),
    Shot("setting-delete", f"{SETTINGS}SMTP_HOST/delete"),
    Shot("settings-none", f"/apps/{NONE}/settings/"),
    Shot("configuration", f"/apps/{APP}/configuration/", is_main=True),
]
_DEPLOYMENT = [
    Shot("slots", f"{SLOTS}", is_main=True),
    Shot("slot-add", f"{SLOTS}add"),
    Shot("slot-delete", f"{SLOTS}staging/delete"),
    Shot("slot-swap", f"{SLOTS}swap", is_main=True),
    Shot("slots-swapping", f"/apps/{SWAPPING}/deployment-slots/", is_main=True),
    Shot("blade-swapping", f"/apps/{SWAPPING}/webjobs/"),
    Shot("deployment-none", f"/apps/{NONE}/deployment/", is_main=True),
    Shot("deployment", f"/apps/{ONE}/deployment/", is_main=True),
    Shot("deployment-details", f"/apps/{ONE}/deployment/{{deployed}}/", is_main=True),
    Shot("deploying", f"/apps/{DEPLOYING}/deployment/", is_main=True),
    Shot("deploying-details", f"/apps/{DEPLOYING}/deployment/{{deploying}}/"),
]
_PORTAL = [
    Shot("instances", "/instances/", is_main=True),
    Shot("instance", "/instances/{instance}/", is_main=True),
    Shot("tokens", "/tokens/", is_main=True),
    Shot("help", "/help/", is_main=True),
    Shot("admin", "/admin/", is_main=True),
    Shot("admin-runs", "/admin/webjobs/run/", is_main=True),
]
_REFUSALS = [
    Shot("not-found", "/apps/none/webjobs/", is_main=True),
    Shot("forbidden", f"{BLADE}add", user=READER, is_main=True),
    Shot("fault", "/fails/500", is_main=True),
    Shot("unavailable", "/fails/503", is_main=True),
]


def _places() -> dict[str, object]:
    run = Run.objects.order_by("number")
    return {
        "failed": run.filter(job__name="import-price-list").latest("number").number,
        "queued": run.get(job__name="export-invoices").number,
        "running": run.get(job__name="sync-stock").number,
        "deployed": Deployment.objects.filter(slot__app__name=ONE).latest("pk").pk,
        "deploying": Deployment.objects.filter(slot__app__name=DEPLOYING).latest("pk").pk,
        "instance": Instance.objects.get(name="web-worker-1").key,
    }


def shots() -> list[Shot]:
    """Needs the sample in the database."""
    every = [_START, _BLADE, _WEBJOB, _HISTORY, _SETTINGS, _DEPLOYMENT, _PORTAL, _REFUSALS]
    places = _places()
    return [replace(shot, path=shot.path.format(**places)) for part in every for shot in part]
