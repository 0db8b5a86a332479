"""What Kudu's addresses answer the front end of Azure Resource Manager."""

from __future__ import annotations

from webjobs.api.openapi.parts import TEXT, URL, Node, always, header, list_of, or_null, ref

LOCATION = header(
    "x-ms-geo-location",
    "ARM mode: answers are resources, whose `location` this is, and a run is answered with 200.",
)

SCHEMAS: dict[str, Node] = {
    "KuduResource": always(
        "In ARM mode: the document, as a resource.",
        id={**TEXT, "description": "The path of the Referer, else of the request."},
        name={**TEXT, "examples": ["demo/nightly"]},
        type={**TEXT, "examples": ["Microsoft.Web/sites/triggeredwebjobs"]},
        location=TEXT,
        properties={"type": "object"},
    ),
    "KuduResources": always(
        "In ARM mode: a page of resources.",
        value=list_of(ref("KuduResource")),
        nextLink=or_null(URL),
    ),
    "KuduArmSettings": always(
        "In ARM mode a WebJob takes settings.job alone.",
        properties=always("", settings=ref("SettingsJob")),
    ),
}


def bare_or(bare: Node, resource: str) -> Node:
    """What is told, and how it is told in ARM mode."""
    return {"anyOf": [bare, ref(resource)]}
