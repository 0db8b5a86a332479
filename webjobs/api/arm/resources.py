"""The envelope around every document, and the pages that lists come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from django.http import HttpRequest, HttpResponse

from webjobs.access import slot_for
from webjobs.api.answers import answer
from webjobs.api.links import root_of
from webjobs.models import Role, Slot

PAGE = 100
MAX_PAGE = 1000


@dataclass(frozen=True)
class Site:
    """A slot as ARM's paths name it: subscription and group are what the client says."""

    sub: str
    rg: str
    slot: Slot

    @property
    def id(self) -> str:
        group = f"/subscriptions/{self.sub}/resourceGroups/{self.rg}"
        return f"{group}/providers/Microsoft.Web/sites/{'/slots/'.join(self.names)}"

    @property
    def names(self) -> list[str]:
        """The app, and the slot unless it is production."""
        app = self.slot.app.name
        return [app] if self.slot.is_production else [app, self.slot.name]

    @property
    def type(self) -> str:
        return f"Microsoft.Web/sites{'' if self.slot.is_production else '/slots'}"


def site_for(
    request: HttpRequest, sub: str, rg: str, app: str, slot: str, role: Role = Role.READER
) -> Site:
    return Site(sub, rg, slot_for(request, app, slot, role))


def resource(
    site: Site, collection: str, names: Sequence[str], properties: dict[str, Any]
) -> dict[str, Any]:
    """A document below `site`: `triggeredwebjobs/history` with the names of job and run."""
    kinds = collection.split("/")
    path = "".join(f"/{kind}/{name}" for kind, name in zip(kinds, names, strict=True))
    return {
        "id": site.id + path,
        "name": "/".join([*site.names, *names]),
        "type": f"{site.type}/{collection}",
        "kind": None,
        "properties": properties,
    }


def page(
    request: HttpRequest, value: list[dict[str, Any]], token: str | None = None
) -> HttpResponse:
    """One page of a list; `token` is where the next one begins."""
    link = None
    if token is not None:
        query = {k: v for k, v in request.GET.items() if k.lower() != "$skiptoken"}
        query_text = urlencode(query | {"$skiptoken": token}, safe="$")
        link = f"{root_of(request)}{quote(request.path)}?{query_text}"
    return answer({"value": value, "nextLink": link})


def page_size(request: HttpRequest) -> int:
    """`$top`, within reason."""
    text = request.GET.get("$top", "")
    if text.isascii() and text.isdecimal() and len(text) < 6:
        return min(max(1, int(text)), MAX_PAGE)
    return PAGE
