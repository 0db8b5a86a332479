"""Source control: what a repository holds becomes the WebJobs of a slot.

A connection is a wish; a deployment is a row that any worker takes up once. Each WebJob is
replaced as a whole or stays as it was; none is deleted because its folder has gone.
"""

from webjobs.deploying.asking import (
    MANAGED,
    NOT_CONNECTED,
    change,
    connect,
    disconnect,
    is_connected,
    redeploy,
    renew_secret,
    request,
    require_unconnected,
    settings_of,
    sync_now,
)
from webjobs.deploying.reaching import newest_of, remote_of

__all__ = [
    "MANAGED",
    "NOT_CONNECTED",
    "change",
    "connect",
    "disconnect",
    "is_connected",
    "newest_of",
    "redeploy",
    "remote_of",
    "renew_secret",
    "request",
    "require_unconnected",
    "settings_of",
    "sync_now",
]
