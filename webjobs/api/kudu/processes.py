"""`/api/processes`: the processes of the slot's WebJobs on all live instances, read only.

The rows tell of them: of each run and each copy the process that was started for it. What it
started itself only its own machine could tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from webjobs.access import slot_for
from webjobs.api.answers import answer
from webjobs.api.arm_mode import is_arm, resource, resources
from webjobs.api.kudu.surface import KUDU_JSON
from webjobs.api.links import Links
from webjobs.dotnet import time_text
from webjobs.models import Copy, Instance, Run, Slot
from webjobs.models.app import PRODUCTION
from webjobs.states import CopyStatus, RunStatus

READ_ONLY = "Processes are read only here. Stop the run or the WebJob instead."
_WITH_PROCESS = (CopyStatus.RUNNING, CopyStatus.STOPPING)


def _list(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    found = slot_for(request, app, slot)
    told = list(_processes(request, found))
    if is_arm(request):
        items = [([str(process["id"])], process) for process in told]
        return answer(resources(request, found, "processes", items))
    return answer(told)


def _get(request: HttpRequest, app: str, id: str, slot: str = PRODUCTION) -> HttpResponse:
    """Machines number their processes alike: `?instance=` says which one is meant."""
    instance = request.GET.get("instance")
    found = slot_for(request, app, slot)
    for process in _processes(request, found):
        if str(process["id"]) == id and instance in (None, process["instance_id"]):
            return answer(
                resource(request, found, "processes", [id], process) if is_arm(request) else process
            )
    raise Http404("No such process.")


def _processes(request: HttpRequest, slot: Slot) -> Iterator[dict[str, Any]]:
    """Of continuous WebJobs first; each by the WebJob's name and the instance's."""
    links = Links(request, slot)
    live = Instance.objects.live(timezone.now()).in_bulk()
    here = {"pid__isnull": False, "epoch": F("instance__epoch"), "instance__in": list(live)}
    for row in (*_copies(slot).filter(**here), *_runs(slot).filter(**here)):
        yield _document(links, row, live[row.instance_id or 0])


def _copies(slot: Slot) -> Any:
    copies = Copy.objects.filter(job__slot=slot, status__in=_WITH_PROCESS)
    return copies.select_related("job").order_by("job__name", "instance__name")


def _runs(slot: Slot) -> Any:
    runs = Run.objects.filter(job__slot=slot, status=RunStatus.RUNNING)
    return runs.select_related("job").order_by("job__name", "instance__name", "number")


def _document(links: Links, row: Copy | Run, instance: Instance) -> dict[str, Any]:
    """Kudu's names as far as the portal knows what belongs there; those of ours come last."""
    job = row.job
    script = row.script if isinstance(row, Run) else job.script
    started: datetime | None = row.started_at
    return {
        "id": row.pid,
        "name": script.rpartition("/")[2],
        "href": f"{links.scm}/api/processes/{row.pid}?instance={instance.key}",
        "start_time": time_text(started),
        "is_scm_site": False,
        "is_webjob": True,
        "description": f"WebJob: {job.name}, Type: {job.type}",
        "instance": instance.name,
        "instance_id": instance.key,
        "webjob_url": links.job(job),
        "run_url": links.run(job, row.number) if isinstance(row, Run) else None,
    }


processes = KUDU_JSON.endpoint(READ_ONLY, GET=_list)
process = KUDU_JSON.endpoint(READ_ONLY, GET=_get)
