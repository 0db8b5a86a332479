"""Addresses that documents carry, as the client that asks can reach them."""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest

from webjobs.models import Slot, WebJob
from webjobs.views.addresses import slot_url


def root_of(request: HttpRequest) -> str:
    """Where the portal itself is: scheme and host, without a slash at the end."""
    host = getattr(request, "portal_host", None) or request.get_host()
    return f"{request.scheme}://{host}"


def scm_of(request: HttpRequest, slot: Slot) -> str:
    """Where Kudu's API of `slot` is, without a slash at the end."""
    if getattr(request, "is_scm_host", False):
        return f"{request.scheme}://{request.get_host()}"
    if settings.SCM_DOMAIN:
        port = request.get_host().partition(":")[1:]
        return f"{request.scheme}://{slot.site_name}.{settings.SCM_DOMAIN}{''.join(port)}"
    return root_of(request) + scm_path(slot)


def scm_path(slot: Slot) -> str:
    """The path of Kudu's API of `slot`, without a slash at the end."""
    path = f"/scm/{slot.app.name}"
    return path if slot.is_production else f"{path}/slots/{slot.name}"


class Links:
    """The addresses of one slot."""

    def __init__(self, request: HttpRequest, slot: Slot) -> None:
        self.scm = scm_of(request, slot)
        self._pages = root_of(request) + slot_url(slot, "history")

    def job(self, job: WebJob) -> str:
        return f"{self.scm}/api/{job.type}webjobs/{job.name}"

    def run(self, job: WebJob, number: int | str) -> str:
        return f"{self.job(job)}/history/{number}"

    def file(self, job: WebJob, *parts: str) -> str:
        """A file of the job's data, such as a log."""
        path = "/".join(quote(part) for part in parts)
        return f"{self.scm}/vfs/data/jobs/{job.type}/{job.name}/{path}"

    def page(self, job: WebJob) -> str:
        """The portal's page about the job."""
        return f"{self._pages}{job.type}/{job.name}/"
