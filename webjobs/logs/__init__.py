"""The log store: everything that jobs and the engine print, kept byte for byte, read by pages.

A log is one sequence of bytes of all its streams in order of arrival, stored as chunk rows. Lines
and their numbers are counted from 1, offsets in bytes from 0; both go on counting when the oldest
chunks of a rolling log are deleted. Text is rendered on reading.
"""

from webjobs.logs.owners import log_of_copy, log_of_run, log_of_schedule
from webjobs.logs.ranges import text_range, text_size
from webjobs.logs.reader import Line, Page, read_after, read_before, read_lines, tail
from webjobs.logs.render import azure_text, raw
from webjobs.logs.writer import LogUnavailable, LogWriter, flush_many

__all__ = [
    "Line",
    "LogUnavailable",
    "LogWriter",
    "Page",
    "azure_text",
    "flush_many",
    "log_of_copy",
    "log_of_run",
    "log_of_schedule",
    "raw",
    "read_after",
    "read_before",
    "read_lines",
    "tail",
    "text_range",
    "text_size",
]
