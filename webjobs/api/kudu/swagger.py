"""`/api/triggeredwebjobsswagger`: how to run each triggered WebJob, as Swagger 2.0."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse

from webjobs.access import slot_for
from webjobs.api.answers import answer
from webjobs.api.finding import jobs_of
from webjobs.api.kudu.surface import KUDU
from webjobs.api.links import scm_of
from webjobs.models import WebJob
from webjobs.models.app import PRODUCTION
from webjobs.states import JobType


def _get(request: HttpRequest, app: str, slot: str = PRODUCTION) -> HttpResponse:
    found = slot_for(request, app, slot)
    address = urlsplit(scm_of(request, found))
    paths = {
        f"/api/triggeredjobs/{job.name}/run": {"post": _operation(job)}
        for job in jobs_of(found, JobType.TRIGGERED)
    }
    document = {
        "swagger": "2.0",
        "info": {"version": "v1", "title": "WebJobs"},
        "host": address.netloc,
        "basePath": address.path or "/",
        "schemes": [address.scheme],
        "paths": paths,
    }
    return answer(document)


def _operation(job: WebJob) -> dict[str, Any]:
    arguments = {
        "name": "arguments",
        "in": "query",
        "description": "Web Job Arguments",
        "required": False,
        "type": "string",
    }
    return {
        "operationId": job.name,
        "consumes": [],
        "produces": [],
        "parameters": [arguments],
        "responses": {"200": {"description": "Success"}, "default": {"description": "Success"}},
        "deprecated": False,
    }


swagger = KUDU.endpoint(GET=_get)
