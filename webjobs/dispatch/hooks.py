"""Web hooks: add, remove, publish."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from webjobs import hooks
from webjobs.dispatch.asking import Actor, Refused, record
from webjobs.models import Hook, Slot

MAX_URL = 2000
MAX_EVENT = 100
MAX_HOOKS = 50


@transaction.atomic
def add_hook(
    slot: Slot, url: str, event: str, actor: Actor, *, insecure_ssl: bool, base: str
) -> tuple[Hook, bool]:
    """A new hook, or the one that exists; whether it is new. Raises Refused.

    Its secret is made here.
    """
    _check(url, event)
    # The row's lock lets others wait who add hooks to this slot.
    Slot.objects.select_for_update().defer("publishing_password").get(pk=slot.pk)
    known = list(Hook.objects.filter(slot=slot))
    for hook in known:
        if hook.url == url:
            if hook.event == event:
                return hook, False
            raise Refused("Conflict", "This address is a hook for another event.", 409)
    if len(known) >= MAX_HOOKS:
        raise Refused("Conflict", f"There are {MAX_HOOKS} hooks already. Remove one.", 409)
    hook = Hook.objects.create(
        slot=slot,
        url=url,
        event=event,
        insecure_ssl=insecure_ssl,
        base=base,
        secret=secrets.token_urlsafe(32),
    )
    record(actor, "hook.add", slot, event, id=hook.pk)
    return hook, True


def _check(url: str, event: str) -> None:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    is_plain = url.isprintable() and url.isascii() and " " not in url
    if not is_good or not is_plain or len(url) > MAX_URL:
        raise Refused("BadRequest", "url: must be an http or https address.", 400)
    if not event or len(event) > MAX_EVENT or not event.isprintable():
        raise Refused("BadRequest", "event: must be a name such as TriggeredJobFinished.", 400)


@transaction.atomic
def delete_hook(hook: Hook, actor: Actor) -> None:
    record(actor, "hook.delete", hook.slot, hook.event, id=hook.pk)
    hook.delete()


@transaction.atomic
def publish(slot: Slot, event: str, payload: Any, actor: Actor) -> None:
    """Send `payload` to all hooks of `event`."""
    now = timezone.now()
    for hook in Hook.objects.filter(slot=slot, event=event):
        hooks.note(hook, event, payload, now)
    record(actor, "hook.publish", slot, event[:MAX_EVENT])
