"""The one way from a request to an object: a stranger gets 404, too low a role 403."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import CharField
from django.db.models.functions import Lower
from django.http import Http404, HttpRequest
from django.utils import timezone

from webjobs import idling
from webjobs.dispatch import Actor
from webjobs.messages import nudge_workers
from webjobs.models import App, Instance, Membership, Role, Run, Slot, WebJob
from webjobs.models.app import PRODUCTION
from webjobs.models.instance import InstanceQuerySet
from webjobs.models.prepared import Given, PreparedQuery
from webjobs.reasons import Phrase, Reason, gettext_noop

NO_SUCH_JOB = gettext_noop(
    'There is no WebJob "%(name)s" here. It may have been deleted, or swapped into another slot.'
)
# No database could be asked for a number like that.
_TOO_LONG = 10**18
_APP = PreparedQuery(
    lambda: App.objects.alias(lower=Lower("name")).filter(lower=Lower(Given("name", CharField())))
)
_ROLE = PreparedQuery(
    lambda: Membership.objects.filter(app=Given("app"), user=Given("user")).order_by()
)
_SLOT = PreparedQuery(
    lambda: (
        Slot.objects.living()
        .alias(lower=Lower("name"))
        .filter(app=Given("app"), lower=Lower(Given("name", CharField())))
        .defer("publishing_password")
    )
)
_JOB = PreparedQuery(
    lambda: (
        WebJob.objects.living()
        .alias(lower=Lower("name"))
        .filter(slot=Given("slot"), type=Given("type", CharField()))
        .filter(lower=Lower(Given("name", CharField())))
        .select_related("schedule")
    )
)
_RUN = PreparedQuery(
    lambda: Run.objects.filter(job=Given("job"), number=Given("number")).select_related(
        "instance", "requested_by"
    )
)


@dataclass(frozen=True)
class Caller:
    """Who calls the API: a person by a token, or a slot's publishing credentials.

    Where a request has a `caller`, it alone decides; cookies count for nothing there.
    """

    name: str
    user: User | None = None
    slot: Slot | None = None  # of publishing credentials: all that they open
    app_id: int | None = None  # of a token: the only app that it opens
    most: Role = Role.CONTRIBUTOR  # of a token: what it allows at most

    def role_in(self, app: App) -> Role | None:
        """The role in `app`; None for a stranger."""
        if self.slot is not None:
            return Role.CONTRIBUTOR if self.slot.app_id == app.pk else None
        if self.user is None or self.app_id not in (None, app.pk):
            return None
        held = role_of(self.user, app)
        return None if held is None else min(held, self.most)


def caller_of(request: HttpRequest) -> Caller | None:
    """Who calls the API; None where a page is asked for."""
    return getattr(request, "caller", None)


def actor_of(request: HttpRequest) -> Actor:
    """Who asks, for the record."""
    caller = caller_of(request)
    if caller is not None:
        return Actor(user=caller.user, name=caller.name, address=address_of(request))
    user = request.user if isinstance(request.user, User) else None
    name = user.get_username() if user else ""
    return Actor(user=user, name=name, address=address_of(request))


def address_of(request: HttpRequest) -> str | None:
    """The client's IP address; that of a proxy counts as the client's unless it is trusted.

    A trusted proxy adds the address it saw to the end of X-Forwarded-For; what stands before may
    be the client's invention. None when there is none, as on a Unix socket.
    """
    seen = [request.META.get("REMOTE_ADDR", "")]
    if settings.USE_X_FORWARDED_HOST:
        seen.append(request.headers.get("X-Forwarded-For", "").rpartition(",")[2])
    for text in reversed(seen):
        with suppress(ValueError):
            return str(ip_address(text.strip()))
    return None


def role_of(user: User | AnonymousUser, app: App) -> Role | None:
    """The role of `user` in `app`; None for a stranger."""
    if not user.is_active:
        return None
    if user.is_superuser:
        return Role.CONTRIBUTOR
    found = _ROLE.first(app=app.pk, user=user.pk)
    return None if found is None else Role(found.role)


def _check(request: HttpRequest, app: App, role: Role) -> None:
    """Raises Http404 for a stranger, PermissionDenied for whom `role` is too high."""
    caller = caller_of(request)
    held = role_of(request.user, app) if caller is None else caller.role_in(app)
    if held is None:
        raise Http404("No such app.")
    if held < role:
        raise PermissionDenied(
            Reason(
                "role",
                gettext_noop(
                    "Your role in %(app)s is %(held)s; this needs %(needed)s. Ask an "
                    "administrator of this portal."
                ),
                app=app.name,
                held=Phrase(held.label),
                needed=Phrase(role.label),
            )
        )
    _note_use(app)


def _note_use(app: App) -> None:
    """Whoever asks for something of an app uses it, and what idled goes on."""
    if idling.note_use(app, timezone.now()):
        transaction.on_commit(nudge_workers)


def _name(text: str) -> str:
    """`text` unless no database could be asked for it."""
    if "\0" in text:
        raise Http404("No such name.")
    return text


def app_for(request: HttpRequest, app: str, role: Role = Role.READER) -> App:
    found = _APP.first(name=_name(app))
    if found is None:
        raise Http404("No such app.")
    _check(request, found, role)
    return found


def slot_for(
    request: HttpRequest, app: str, slot: str = PRODUCTION, role: Role = Role.READER
) -> Slot:
    caller = caller_of(request)
    only = caller.slot if caller else None
    if only and (only.app.name.lower(), only.name.lower()) == (app.lower(), slot.lower()):
        # Signing in has read it, and its own credentials may do everything in it.
        _note_use(only.app)
        return only
    parent = app_for(request, app, role)
    found = _SLOT.first(app=parent.pk, name=_name(slot))
    if found is None or only not in (None, found):
        raise Http404("No such slot.")
    found.app = parent
    return found


def webjob_for(
    request: HttpRequest, app: str, slot: str, type: str, name: str, role: Role = Role.READER
) -> WebJob:
    parent = slot_for(request, app, slot, role)
    found = _JOB.first(slot=parent.pk, type=_name(type), name=_name(name))
    if found is None:
        # Who comes as far as here may know.
        raise Http404(Reason("gone", NO_SUCH_JOB, name=name))
    found.slot = parent
    return found


def any_webjob_for(request: HttpRequest, pk: int, role: Role) -> WebJob:
    """Also one that was deleted, as long as it is there: for whoever takes that back."""
    jobs = WebJob.objects.filter(slot__deleted_at=None).select_related("slot__app", "schedule")
    found = jobs.defer("slot__publishing_password").filter(pk=pk).first()
    if found is None:
        raise Http404("No such WebJob.")
    _check(request, found.slot.app, role)
    return found


def run_for(
    request: HttpRequest, app: str, slot: str, name: str, number: int, role: Role = Role.READER
) -> Run:
    job = webjob_for(request, app, slot, "triggered", name, role)
    found = _RUN.first(job=job.pk, number=number) if number < _TOO_LONG else None
    if found is None:
        raise Http404("No such run.")
    found.job = job
    return found


def instances_for(request: HttpRequest) -> InstanceQuerySet:
    """The instances, for whoever has a role in some app; what runs there is asked for by app."""
    if not App.objects.visible_to(request.user).exists() and not request.user.is_superuser:
        raise Http404("No such page.")
    return Instance.objects.all()


def instance_for(request: HttpRequest, key: str) -> Instance:
    found = instances_for(request).filter(key=_name(key)).first()
    if found is None:
        raise Http404("No such instance.")
    return found
