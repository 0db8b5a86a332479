"""In words: the settings of a WebJob, and what somebody else made of them meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from webjobs import dispatch
from webjobs.models import AuditEntry, WebJob


def labels() -> dict[str, str]:
    """What pages call the keys of settings.job."""
    return {
        "schedule": _("CRON Expression"),
        "time_zone": _("Time zone"),
        "is_singleton": _("Scale"),
        "is_in_place": _("Run in place"),
        "stopping_wait_time": _("Seconds to stop"),
        "concurrency": _("While a run is in progress"),
        "max_parallel": _("Parallel runs"),
        "queue_limit": _("Places in the queue"),
        "retry_attempts": _("Retries"),
        "retry_delay": _("Seconds before a retry"),
        "retry_on": _("Try again"),
    }


def shown(value: Any) -> str:
    if value is None:
        return _("default")
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def shown_of(key: str, value: Any) -> str:
    if key == "is_singleton":
        return _("Single Instance") if value else _("Multi Instance")
    return shown(value)


def _package_words(job: WebJob, sha256: Any) -> str:
    """What a page says of a package that `job` has or had; of others it knows nothing."""
    versions = job.versions.select_related("package")
    known = {one.package.sha256: one.package for one in versions}
    package = known.get(str(sha256))
    return f"{package.file_name} ({package.short_hash})" if package else _("another package")


def last_editor(job: WebJob) -> str:
    """Who has changed `job` last; empty when nobody is recorded."""
    entries = AuditEntry.objects.filter(
        app=job.slot.app_id,
        target=f"{job.slot}/{job.type}/{job.name}",
        action__startswith="webjob.",
    )
    return entries.values_list("user_name", flat=True).first() or ""


def base_of(job: WebJob, keys: Iterable[str]) -> str:
    """What a form that changes `keys` begins from, to be sent back with it."""
    now = dispatch.present(job)
    return json.dumps({key: now.get(key) for key in keys}, sort_keys=True)


def seen_in(request: HttpRequest, keys: Iterable[str]) -> dict[str, Any] | None:
    """What the form that was sent began from; None when it does not say."""
    try:
        found = json.loads(request.POST.get("base", ""))
    except (ValueError, RecursionError):
        return None
    return {key: found.get(key) for key in keys} if isinstance(found, dict) else None


def changed_words(job: WebJob, error: dispatch.Changed) -> str:
    """Who has changed what, and how to go on."""
    names = labels() | {"is_enabled": _("Run on schedule"), "package": _("Package")}

    def of(key: str, value: Any) -> str:
        return _package_words(job, value) if key == "package" else shown_of(key, value)

    changes = [
        _("%(what)s: %(value)s")
        % {
            "what": names[key],
            "value": f"{of(key, error.seen[key])} → {of(key, error.now.get(key))}",
        }
        for key in error.keys
    ]
    words = _(
        "%(by)s has changed this WebJob meanwhile, so nothing was applied. %(changes)s. Apply "
        "again to replace that."
    )
    return words % {"by": last_editor(job) or _("Somebody"), "changes": "; ".join(changes)}
