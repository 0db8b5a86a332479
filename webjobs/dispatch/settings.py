"""Apps, their settings and their credentials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from webjobs import endings
from webjobs.dispatch.asking import Actor, Refused, record
from webjobs.models import (
    App,
    AppSetting,
    AuditEntry,
    EngineSettings,
    Membership,
    Role,
    Run,
    Schedule,
    Slot,
    WebJob,
    engine_settings,
)
from webjobs.models.setting import (
    SettingError,
    lenient_engine_settings,
    settings_of,
    steers_engine,
)
from webjobs.tasks import nudge_workers

CHANGED_MEANWHILE = gettext_noop("Somebody else has changed the same settings meanwhile.")
# So far back the record is read for who changed a setting.
SEARCHED_ENTRIES = 50


@dataclass(frozen=True)
class SettingChange:
    """Add or change (`value` given) or delete (`value` None) the app setting `name`."""

    name: str
    value: str | None
    is_secret: bool = False
    is_slot_setting: bool = False
    # The version that the asker saw, empty when there was none; None overwrites whatever is there.
    seen: str | None = None


@dataclass(frozen=True)
class Conflict:
    """A setting that somebody added, changed or deleted after the asker had looked."""

    name: str
    what: str  # added, changed or deleted
    by: str  # Empty when the record does not tell.


class SettingsConflict(Refused):
    """Others changed the same settings meanwhile."""

    def __init__(self, conflicts: list[Conflict]) -> None:
        super().__init__("settings-conflict", CHANGED_MEANWHILE)
        self.conflicts = conflicts


@transaction.atomic
def create_app(name: str, actor: Actor) -> App:
    """A new app with its production slot; its maker becomes Contributor."""
    try:
        with transaction.atomic():
            app = App.objects.create(name=name)
    except IntegrityError:
        text = gettext_noop("An app named %(name)s exists already. Choose another name.")
        raise Refused("app-exists", text, name=name) from None
    Slot.objects.create(app=app)
    if actor.user is not None:
        Membership.objects.create(app=app, user=actor.user, role=Role.CONTRIBUTOR)
    record(actor, "app.create", app, "")
    return app


@transaction.atomic
def change_settings(slot: Slot, changes: Sequence[SettingChange], actor: Actor) -> None:
    """Apply all `changes` or none; they take effect at once.

    Raises Refused naming the setting, SettingsConflict for those that are not as they were seen.
    """
    restart = any(not steers_engine(change.name) for change in changes)
    # First, because the row's lock lets others wait who change settings of this slot.
    Slot.objects.filter(pk=slot.pk).update(
        settings_revision=F("settings_revision") + 1,
        environment_revision=F("environment_revision") + int(restart),
    )
    _check_seen(slot, changes)
    before = settings_of(slot)
    after = {name.lower(): value for name, value in before.items()}
    for change in changes:
        if change.value is None:
            after.pop(change.name.lower(), None)
        else:
            after[change.name.lower()] = change.value
    try:
        engine = engine_settings(after)
    except SettingError as error:
        raise Refused("setting", "%(error)s", 400, error=error) from error
    for change in changes:
        _write_setting(slot, change)
    was = lenient_engine_settings(before)
    if engine != was:
        _change_schedules(slot, was, engine)
    if engine.stopped and not was.stopped:
        _stop_all_runs(slot)
    record(actor, "settings.change", slot, "", names=sorted(change.name for change in changes))
    transaction.on_commit(nudge_workers)


def _check_seen(slot: Slot, changes: Sequence[SettingChange]) -> None:
    if all(change.seen is None for change in changes):
        return
    present = {
        setting.name.lower(): setting
        for setting in AppSetting.objects.filter(slot=slot).defer("value")
    }
    found = []
    for change in changes:
        setting = present.get(change.name.lower())
        if change.seen in (None, setting.version if setting else ""):
            continue
        what = "deleted" if setting is None else "changed" if change.seen else "added"
        found.append(Conflict(change.name, what, _last_changed_by(slot, change.name)))
    if found:
        raise SettingsConflict(found)


def _last_changed_by(slot: Slot, name: str) -> str:
    entries = AuditEntry.objects.filter(
        app=slot.app_id, action="settings.change", target=str(slot)
    ).order_by("-at", "-pk")
    for entry in entries[:SEARCHED_ENTRIES]:
        if name.lower() in {str(changed).lower() for changed in entry.details.get("names", ())}:
            return entry.user_name
    return ""


def _write_setting(slot: Slot, change: SettingChange) -> None:
    existing = AppSetting.objects.filter(slot=slot, name__iexact=change.name)
    if change.value is None:
        existing.delete()
        return
    setting = existing.first() or AppSetting(slot=slot)
    setting.name, setting.value = change.name, change.value
    setting.is_secret, setting.is_slot_setting = change.is_secret, change.is_slot_setting
    setting.save()


def _change_schedules(slot: Slot, was: EngineSettings, engine: EngineSettings) -> None:
    """Let beat see it. What another zone, or the time it was off, would have fired is no debt."""
    now = timezone.now()
    is_other = (was.zone, was.schedules_disabled) != (engine.zone, engine.schedules_disabled)
    since = {"since": now} if is_other else {}
    Schedule.objects.filter(job__slot=slot).update(changed_at=now, **since)


def _stop_all_runs(slot: Slot) -> None:
    now = timezone.now()
    reason = gettext_noop("WEBJOBS_STOPPED was set to 1, which stops every WebJob of the app.")
    # Whoever ends one of their runs waits until this is over, and then plans no retry.
    list(WebJob.objects.select_for_update(no_key=True).filter(slot=slot).order_by("pk").only("pk"))
    for run in Run.objects.active().filter(job__slot=slot):
        run.request_stop(now, reason)
        endings.cancel(run, now, reason)


@transaction.atomic
def restart(slot: Slot, actor: Actor) -> None:
    """Let every continuous WebJob of `slot` start anew."""
    Slot.objects.filter(pk=slot.pk).update(environment_revision=F("environment_revision") + 1)
    record(actor, "slot.restart", slot, "")
    transaction.on_commit(nudge_workers)


@transaction.atomic
def set_publishing_password(slot: Slot, password: str, actor: Actor) -> None:
    """Change the webhook's password; the old one is refused from now on."""
    slot.publishing_password = password
    slot.save(update_fields=["publishing_password"])
    record(actor, "slot.password", slot, "")
