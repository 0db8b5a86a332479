"""Deleting logs whose owners are gone, so that nobody waits for it."""

from __future__ import annotations

import time

from django.db import transaction

from webjobs.models import Log, LogChunk

# Bytes and rows of one transaction: a writer waits a few milliseconds for it.
_BYTES_AT_ONCE = 4 * 1024 * 1024
_CHUNKS_AT_ONCE = 500
_LOGS_AT_ONCE = 100
# Whoever waits for SQLite's lock looks at it this often.
_PAUSE = 0.01


def purge(seconds: float) -> bool:
    """Delete ownerless logs for about so long; whether none is left.

    Between its short transactions others get their turn.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        begun = time.monotonic()
        if not _purge_some():
            return True
        time.sleep(max(_PAUSE, time.monotonic() - begun))
    return False


def _purge_some() -> bool:
    logs = list(Log.objects.ownerless().order_by("pk").values_list("pk", flat=True)[:_LOGS_AT_ONCE])
    chunks = _some_chunks(logs)
    with transaction.atomic(durable=True):
        if chunks:
            LogChunk.objects.filter(pk__in=chunks).delete()
        elif logs:
            Log.objects.ownerless().filter(pk__in=logs).delete()
    return bool(logs)


def _some_chunks(logs: list[int]) -> list[int]:
    found = LogChunk.objects.filter(log__in=logs).values_list("pk", "size")[:_CHUNKS_AT_ONCE]
    total, chunks = 0, []
    for pk, size in found:
        total += size
        chunks.append(pk)
        if total >= _BYTES_AT_ONCE:
            break
    return chunks
