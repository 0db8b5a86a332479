"""Six-field NCRONTAB expressions: parsed, computed, described and warned about.

Behaves as NCrontab 3.3.3 does for `{second} {minute} {hour} {day} {month} {day of week}`:
every field must match (day *and* day of week), a reversed range is swapped, a name is any prefix
of the English one. Zones and daylight saving follow the WebJobs SDK. Imports no Django.
"""

from webjobs.ncrontab.errors import NcrontabError
from webjobs.ncrontab.schedule import Ncrontab, parse
from webjobs.ncrontab.warnings import NcrontabWarning

__all__ = ["Ncrontab", "NcrontabError", "NcrontabWarning", "parse"]
