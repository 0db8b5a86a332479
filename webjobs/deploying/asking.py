"""What people and webhooks may ask of source control."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import IntegrityError, transaction
from django.utils import timezone

from webjobs.deployments import enqueue
from webjobs.dispatch import Actor, Refused, record
from webjobs.models import Deployment, Slot, SourceConnection
from webjobs.models.source import new_secret
from webjobs.reasons import gettext_noop
from webjobs.states import DEPLOYMENT_ACTIVE, DeploymentStatus, DeploymentTrigger

# The article's own words.
MANAGED = gettext_noop(
    "When you have source control configured for your application, Webjobs should be deployed as "
    "part of the source control integration. After source control is configured for your "
    "application, a WebJob can't be added from the portal."
)
CONNECTED = gettext_noop("A repository is connected already. Disconnect it first.")
CHANGED = gettext_noop(
    "Somebody else has changed these settings meanwhile, so nothing was applied. The branch is "
    "%(branch)s now. Save again to replace that."
)
NOT_CONNECTED = gettext_noop("No repository is connected.")
IN_PROGRESS = gettext_noop("This deployment is still in progress.")
NOTHING_TO_REDEPLOY = gettext_noop("This deployment brought no WebJob that could come back.")


@dataclass(frozen=True)
class Wish:
    """A connection as somebody wants it; `secret` empty keeps what is there."""

    url: str
    branch: str
    user_name: str = ""
    secret: str = ""
    public_key: str = ""
    known_hosts: str = ""
    poll_minutes: int | None = None


def is_connected(slot: Slot) -> bool:
    """Whether the WebJobs of `slot` come from a repository."""
    return SourceConnection.objects.filter(slot=slot).exists()


def require_unconnected(slot: Slot) -> None:
    """Raises Refused where WebJobs come from a repository."""
    if is_connected(slot):
        raise Refused("source-control", MANAGED)


def connect(slot: Slot, wish: Wish, actor: Actor) -> SourceConnection:
    """Connect a repository and ask for its newest commit; Refused when there is one already."""
    try:
        with transaction.atomic():
            source = SourceConnection.objects.create(
                slot=slot,
                url=wish.url,
                branch=wish.branch,
                user_name=wish.user_name,
                secret=wish.secret,
                public_key=wish.public_key,
                known_hosts=wish.known_hosts,
                poll_minutes=wish.poll_minutes,
                next_poll_at=_next_poll(wish.poll_minutes),
                by_name=actor.name[:150],
            )
            record(actor, "source.connect", slot, wish.url, branch=wish.branch)
            request(source, DeploymentTrigger.MANUAL, actor)
    except IntegrityError:
        raise Refused("connected", CONNECTED) from None
    return source


def _next_poll(minutes: int | None) -> datetime | None:
    return None if minutes is None else timezone.now() + timedelta(minutes=minutes)


def settings_of(source: SourceConnection) -> str:
    """What can be changed of a connection, as one text to be compared; no secret is in it."""
    return f"{source.poll_minutes or 0} {source.branch} {source.user_name}"


@transaction.atomic
def change(
    source: SourceConnection, wish: Wish, actor: Actor, *, forget_host: bool, seen: str = ""
) -> None:
    """Other settings of a connection; another branch is deployed at once. Raises Refused when the
    settings are no longer as `seen`, where that is said, which is what `settings_of` tells."""
    now = SourceConnection.objects.select_for_update().filter(pk=source.pk).defer("secret").first()
    if now is None:
        raise Refused("gone", NOT_CONNECTED, 404)
    if seen not in ("", settings_of(now)):
        raise Refused("changed", CHANGED, branch=now.branch)
    values: dict[str, object] = {
        "branch": wish.branch,
        "user_name": wish.user_name,
        "poll_minutes": wish.poll_minutes,
        "next_poll_at": _next_poll(wish.poll_minutes),
    }
    if wish.secret:
        source.secret = wish.secret
        source.save(update_fields=["secret"])
        values["public_key"] = wish.public_key
    if forget_host:
        values["known_hosts"] = ""
    is_other = source.branch != wish.branch
    if is_other:
        values["commit"] = ""
    SourceConnection.objects.filter(pk=source.pk).update(**values)
    source.refresh_from_db(fields=["branch", "commit"])
    record(
        actor, "source.settings", source.slot, source.url, branch=wish.branch,
        poll_minutes=wish.poll_minutes, new_secret=bool(wish.secret), forget_host=forget_host,
    )  # fmt: skip
    if is_other:
        request(source, DeploymentTrigger.MANUAL, actor)


@transaction.atomic
def disconnect(source: SourceConnection, actor: Actor) -> None:
    """Forget the repository; WebJobs and the deployments so far stay."""
    record(actor, "source.disconnect", source.slot, source.url)
    now, reason = timezone.now(), gettext_noop("The repository was disconnected.")
    waiting = Deployment.objects.filter(slot=source.slot_id, status=DeploymentStatus.PENDING)
    waiting.update(status=DeploymentStatus.FAILED, ended_at=now, reason=reason)
    source.delete()


@transaction.atomic
def renew_secret(source: SourceConnection, actor: Actor) -> None:
    """Another webhook secret; the old one is refused from now on."""
    source.webhook_secret = new_secret()
    source.save(update_fields=["webhook_secret"])
    record(actor, "source.secret", source.slot, source.url)


@transaction.atomic
def sync_now(source: SourceConnection, actor: Actor) -> Deployment:
    """Deploy the newest commit."""
    record(actor, "source.sync", source.slot, source.url)
    return request(source, DeploymentTrigger.MANUAL, actor)


def request(source: SourceConnection, trigger: DeploymentTrigger, actor: Actor) -> Deployment:
    """A deployment of the newest commit, or the one that waits already."""
    try:
        with transaction.atomic():
            made = Deployment.objects.create(
                slot=source.slot,
                trigger=trigger,
                repository=source.url,
                branch=source.branch,
                requested_at=timezone.now(),
                created_by=actor.user,
                by_name=actor.name[:150],
            )
    except IntegrityError:
        made = Deployment.objects.get(slot=source.slot, status=DeploymentStatus.PENDING, again=None)
    transaction.on_commit(partial(enqueue, made.pk))
    return made


@transaction.atomic
def redeploy(again: Deployment, actor: Actor) -> Deployment:
    """Deploy the WebJobs of an earlier deployment as they were; needs no repository."""
    if again.status in DEPLOYMENT_ACTIVE:
        raise Refused("in-progress", IN_PROGRESS)
    if not any(result.get("package") for result in again.results):
        raise Refused("nothing", NOTHING_TO_REDEPLOY)
    made = Deployment.objects.create(
        slot=again.slot,
        trigger=DeploymentTrigger.REDEPLOY,
        again=again,
        repository=again.repository,
        branch=again.branch,
        commit=again.commit,
        author=again.author,
        message=again.message,
        committed_at=again.committed_at,
        requested_at=timezone.now(),
        created_by=actor.user,
        by_name=actor.name[:150],
    )
    record(actor, "source.redeploy", again.slot, again.commit, deployment=again.pk)
    transaction.on_commit(partial(enqueue, made.pk))
    return made
