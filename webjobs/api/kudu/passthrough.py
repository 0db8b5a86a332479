"""`/passthrough/`: a request for the web server that a continuous WebJob has on WEBJOBS_PORT."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from webjobs.api.answers import answer
from webjobs.api.bodies import BLOCK, blocks
from webjobs.api.finding import job_for
from webjobs.api.kudu.surface import KUDU_JSON
from webjobs.models import Copy, Instance, Role, WebJob
from webjobs.models.app import PRODUCTION
from webjobs.states import CopyStatus

SECONDS = 100.0
METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH")
# Who called is not the job's business, and the connection to it is another one.
_NOT_SENT = {
    "authorization", "connection", "content-length", "cookie", "expect", "host", "keep-alive",
    "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
}  # fmt: skip
# What a job answers must not act in the name of the portal: no cookies, no policies.
_PASSED_ON = {
    "cache-control", "content-disposition", "content-encoding", "content-language",
    "content-type", "etag", "expires", "last-modified", "link", "retry-after", "vary",
}  # fmt: skip


def _pass(
    request: HttpRequest, app: str, name: str, path: str = "", slot: str = PRODUCTION
) -> HttpResponseBase:
    """What the WebJob answers; 404 when it has no process on this machine that listens."""
    job = job_for(request, app, slot, "continuous", name, Role.OPERATOR)
    port = _port(job)
    if port is None:
        return _unreachable("It does not run on this machine.")
    body = b"".join(blocks(request, settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    query = request.META.get("QUERY_STRING", "")
    target = "/" + quote(path, safe="/:@!$&'()*+,;=~") + (f"?{query}" if query else "")
    headers = {k: v for k, v in request.headers.items() if k.lower() not in _NOT_SENT}
    try:
        connection.request(request.method or "GET", target, body or None, headers)
        found = connection.getresponse()
    except (OSError, http.client.HTTPException, ValueError):
        connection.close()
        return _unreachable("It does not answer on WEBJOBS_PORT.")
    return _passed_on(connection, found)


def _port(job: WebJob) -> int | None:
    """Of its process here. An instance that is gone may have left its port to somebody else."""
    here = Instance.objects.live(timezone.now()).filter(host=socket.gethostname())
    running = Copy.objects.filter(job=job, status=CopyStatus.RUNNING, instance__in=here)
    return running.exclude(port=None).values_list("port", flat=True).first()


def _unreachable(reason: str) -> HttpResponse:
    message = f"The request cannot be passed to the WebJob. {reason}"
    return answer({"Message": message, "Code": "NotFound"}, 404)


def _passed_on(
    connection: http.client.HTTPConnection, found: http.client.HTTPResponse
) -> HttpResponseBase:
    response = StreamingHttpResponse(_blocks(connection, found), status=found.status)
    del response["Content-Type"]
    for name, value in found.getheaders():
        if name.lower() in _PASSED_ON or name.lower().startswith("x-"):
            response[name] = value
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _blocks(
    connection: http.client.HTTPConnection, found: http.client.HTTPResponse
) -> Iterator[bytes]:
    try:
        while block := found.read1(BLOCK):
            yield block
    except (OSError, http.client.HTTPException):
        # The job ended in the middle of its answer, and so does ours.
        return
    finally:
        connection.close()


passthrough = KUDU_JSON.endpoint(**dict.fromkeys(METHODS, _pass))
