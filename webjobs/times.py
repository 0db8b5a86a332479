"""How long instances may be silent, all in proportion to LOST_AFTER, in seconds.

Nobody compares clocks of two machines: who holds something counts from before it renewed, who
watches it counts from after it saw the renewal, and the holder's time is the shorter one.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

_SHARE: float = settings.WEBJOBS_LOST_AFTER / 30

# For people: without a heartbeat for this long an instance is shown as lost.
LOST_AFTER = timedelta(seconds=settings.WEBJOBS_LOST_AFTER)
# Heartbeats and leases are renewed this often.
RENEW_EVERY = 2 * _SHARE
# Without a heartbeat for this long an instance kills its runs. A database may be away for 20 s.
FENCE_AFTER = 25 * _SHARE
# Whoever has seen no heartbeat of another instance for this long aborts its runs.
DECLARE_AFTER = 27 * _SHARE
# The process of a singleton is killed when its lease was not renewed for this long.
LEASE_LASTS = 9 * _SHARE
# Whoever has seen a lease unchanged for this long may take it.
TAKE_OVER_AFTER = 11 * _SHARE
