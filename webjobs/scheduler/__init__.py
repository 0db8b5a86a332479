"""Schedules: when their occurrences come due, and what becomes of them.

Occurrences are computed from the schedule alone: the next one is the first strictly after the
later of `since` and `last_occurrence`. Every beat keeps all schedules in a heap; the locked row
decides who fires.
"""

from webjobs.scheduler.loop import Scheduler
from webjobs.scheduler.preview import effective_zone, next_run, upcoming

__all__ = ["Scheduler", "effective_zone", "next_run", "upcoming"]
