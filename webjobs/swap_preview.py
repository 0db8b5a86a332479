"""What a swap of two slots would change, before anybody carries it out."""

from __future__ import annotations

from dataclasses import dataclass

from webjobs.models import AppSetting, Run, Slot, SourceConnection, WebJob
from webjobs.swapping import executing, sticky_names


@dataclass(frozen=True)
class JobChange:
    """One name in a slot: what has it now and what will have it; None: nothing."""

    name: str
    type: str
    before: WebJob | None
    after: WebJob | None

    @property
    def is_same_package(self) -> bool:
        return bool(self.before and self.after and self.before.package_id == self.after.package_id)


@dataclass(frozen=True)
class SettingChange:
    """One name in a slot. `what` is comes, goes, changes, same (it moves, and so does an equal
    one) or stays (it is a deployment slot setting). Values are compared and never shown."""

    name: str
    what: str


@dataclass(frozen=True)
class SlotChange:
    """All that changes in one slot; `other` is the one that it is swapped with."""

    slot: Slot
    other: Slot
    jobs: list[JobChange]
    settings: list[SettingChange]


@dataclass(frozen=True)
class Preview:
    """A swap that nobody has begun. `running` are the runs that it would wait for; `connected`
    are repositories, which stay with their slot."""

    changes: list[SlotChange]
    running: list[Run]
    connected: list[SourceConnection]


def preview(source: Slot, target: Slot) -> Preview:
    """Before and after, for both slots. Raises SecretUnreadable."""
    slots = [source.pk, target.pk]
    sticky = sticky_names(slots)
    connected = SourceConnection.objects.filter(slot__in=slots).select_related("slot")
    return Preview(
        [_change(source, target, sticky), _change(target, source, sticky)],
        executing(slots),
        list(connected.defer("secret", "webhook_secret").order_by("slot__name")),
    )


def _change(slot: Slot, other: Slot, sticky: set[str]) -> SlotChange:
    before, after = _jobs(slot), _jobs(other)
    jobs = [
        JobChange(
            name=(before.get(key) or after[key]).name,
            type=key[0],
            before=before.get(key),
            after=after.get(key),
        )
        for key in sorted(before.keys() | after.keys())
    ]
    return SlotChange(slot, other, jobs, _settings(slot, other, sticky))


def _jobs(slot: Slot) -> dict[tuple[str, str], WebJob]:
    jobs = WebJob.objects.living().filter(slot=slot).select_related("package", "schedule")
    return {(job.type, job.name.lower()): job for job in jobs}


def _settings(slot: Slot, other: Slot, sticky: set[str]) -> list[SettingChange]:
    mine, theirs = _values(slot), _values(other)
    found = []
    for name in sorted(mine.keys() | theirs.keys()):
        shown = (mine.get(name) or theirs[name]).name
        if name in sticky:
            what = "stays" if name in mine else ""
        elif name not in mine:
            what = "comes"
        elif name not in theirs:
            what = "goes"
        else:
            what = "same" if mine[name].value == theirs[name].value else "changes"
        if what:
            found.append(SettingChange(shown, what))
    return found


def _values(slot: Slot) -> dict[str, AppSetting]:
    return {setting.name.lower(): setting for setting in AppSetting.objects.filter(slot=slot)}
