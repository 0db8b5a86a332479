"""Kudu's documents with the names that the SDKs read beside Kudu's own."""

from __future__ import annotations

from typing import Any

from webjobs.api.documents import Documents, Loaded
from webjobs.dotnet import NEVER
from webjobs.models import Run, WebJob


def run_properties(documents: Documents, job: WebJob, run: Run) -> dict[str, Any]:
    """A run; `end_time` is null until it has ended."""
    document = documents.run(job, run)
    if document["end_time"] == NEVER:
        document["end_time"] = None
    return document | {"web_job_id": document["id"], "web_job_name": document["name"]}


def job_properties(documents: Documents, loaded: Loaded) -> dict[str, Any]:
    """A WebJob of either type."""
    document = documents.job(loaded)
    more: dict[str, Any] = {"web_job_type": loaded.job.type.capitalize()}
    if loaded.run is not None:
        more["latest_run"] = run_properties(documents, loaded.job, loaded.run)
    if not loaded.job.is_continuous:
        more |= {"publicNetworkAccess": "Enabled", "storageAccountRequired": False}
    return document | more
