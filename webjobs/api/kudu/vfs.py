"""`/api/vfs/`: the log files that documents link to, read only, with byte ranges."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from webjobs import logs
from webjobs.access import slot_for
from webjobs.api.answers import TEXT, answer, empty, etag_of, not_modified
from webjobs.api.kudu.ranges import Unsatisfiable, range_of
from webjobs.api.kudu.surface import KUDU_JSON
from webjobs.api.kudu.tree import File, Folder, Node, find
from webjobs.api.links import scm_of
from webjobs.dotnet import time_text
from webjobs.models import Log
from webjobs.models.app import PRODUCTION


def _get(
    request: HttpRequest, app: str, path: str = "", slot: str = PRODUCTION
) -> HttpResponseBase:
    """A file, or (with a slash at the end) what a folder holds."""
    found = slot_for(request, app, slot)
    node = find(found, path)
    if node is None:
        raise Http404("No such file.")
    try:
        if isinstance(node, File):
            return _file(request, node)
        if path and not path.endswith("/"):
            location = f"{scm_of(request, found)}/api/vfs/{path}/"
            response = empty(307)
            response["Location"] = location
            return response
        return _listing(node, f"{scm_of(request, found)}/api/vfs/{path}")
    except Log.DoesNotExist:
        raise Http404("The log was deleted.") from None


def _listing(folder: Folder, address: str) -> HttpResponse:
    """As Kudu lists folders; sizes of logs are those of what was printed."""
    return answer([_entry(node, address) for node in folder.nodes()])


def _entry(node: Node, address: str) -> dict[str, object]:
    is_file = isinstance(node, File)
    return {
        "name": node.name,
        "size": node.size if isinstance(node, File) else 0,
        "mtime": time_text(node.at),
        "crtime": time_text(node.at),
        "mime": "text/plain" if is_file else "inode/directory",
        "href": f"{address}{node.name}{'' if is_file else '/'}",
        "path": node.path,
    }


def _file(request: HttpRequest, file: File) -> HttpResponseBase:
    etag = etag_of(file.log.pk if file.log else file.text, file.size, file.is_complete)
    if unchanged := not_modified(request, etag):
        return unchanged
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff"}
    # A range is for GET alone: HEAD tells of all of the file.
    wanted = request.headers.get("Range") if request.method == "GET" else None
    if wanted and request.headers.get("If-Range", etag) == etag:
        response = _part(file, wanted)
    else:
        response = StreamingHttpResponse(_bytes(file, 0, None), content_type=TEXT)
        if request.method == "HEAD":
            response["Content-Length"] = str(_length(file))
    for name, value in headers.items():
        response[name] = value
    return response


def _part(file: File, wanted: str) -> HttpResponseBase:
    length = _length(file)
    try:
        found = range_of(wanted, length)
    except Unsatisfiable:
        response = HttpResponse(status=416, content_type=TEXT)
        response["Content-Range"] = f"bytes */{length}"
        return response
    if found is None:
        return StreamingHttpResponse(_bytes(file, 0, None), content_type=TEXT)
    start, stop = found
    part = StreamingHttpResponse(_bytes(file, start, stop), status=206, content_type=TEXT)
    part["Content-Range"] = f"bytes {start}-{stop - 1}/{length}"
    part["Content-Length"] = str(stop - start)
    return part


def _length(file: File) -> int:
    return logs.text_size(file.log) if file.log else len(file.text)


def _bytes(file: File, start: int, stop: int | None) -> Iterator[bytes]:
    if file.log is None:
        return iter([file.text[start:stop]])
    return logs.text_range(file.log, start, _length(file) if stop is None else stop)


READ_ONLY = "Files are read only here. Upload a WebJob under /api/triggeredwebjobs/ instead."
vfs = KUDU_JSON.endpoint(READ_ONLY, GET=_get)
