"""Small makers of the objects that an OpenAPI document consists of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

Node: TypeAlias = dict[str, Any]

TEXT: Node = {"type": "string"}
INTEGER: Node = {"type": "integer"}
BOOLEAN: Node = {"type": "boolean"}
URL: Node = {"type": "string", "format": "uri"}
TIME: Node = {"type": "string", "format": "date-time"}
# Unlike the other times NEVER has no zone.
TIME_OR_NEVER: Node = {"anyOf": [TIME, {"const": "0001-01-01T00:00:00"}]}
DURATION: Node = {
    "type": "string",
    "pattern": r"^([0-9]+\.)?[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?$",
}
ANY_OBJECT: Node = {"type": "object"}


def ref(schema: str) -> Node:
    return {"$ref": f"#/components/schemas/{schema}"}


def list_of(schema: Node) -> Node:
    return {"type": "array", "items": schema}


def or_null(schema: Node) -> Node:
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def words(*values: str) -> Node:
    return {"type": "string", "enum": list(values)}


def always(what: str, **properties: Node) -> Node:
    """An object that has all of `properties`; others may come with later versions."""
    return {
        "type": "object",
        "description": what,
        "required": list(properties),
        "properties": properties,
    }


def content(schema: Node, type: str = "application/json") -> Node:
    return {type: {"schema": schema}}


def gives(what: str, schema: Node | None = None, **headers: str) -> Node:
    """A response with `schema` as JSON, or without a body; underscores in headers are hyphens."""
    found: Node = {"description": what}
    if schema is not None:
        found["content"] = content(schema)
    if headers:
        found["headers"] = {
            name.replace("_", "-"): {"description": text, "schema": TEXT}
            for name, text in headers.items()
        }
    return found


def parameter(place: str, name: str, what: str, schema: Node, **more: Any) -> Node:
    return {"name": name, "in": place, "description": what, "schema": schema, **more}


def query(name: str, what: str, schema: Node = TEXT, **more: Any) -> Node:
    return parameter("query", name, what, schema, **more)


def header(name: str, what: str, schema: Node = TEXT, **more: Any) -> Node:
    return parameter("header", name, what, schema, **more)


def json_body(schema: Node) -> Node:
    return {"required": True, "content": content(schema)}


def operation(
    tag: str,
    summary: str,
    good: Mapping[str, Node],
    errors: Mapping[str, Node],
    *,
    parameters: Iterable[Node] = (),
    body: Node | None = None,
    **more: Any,
) -> Node:
    """One method of one address; `good` and `errors` are responses by status."""
    found: Node = {"tags": [tag], "summary": summary}
    if parameters:
        found["parameters"] = list(parameters)
    if body is not None:
        found["requestBody"] = body
    return found | {"responses": {**good, **errors}} | more


def named(path: str, item: Mapping[str, Node]) -> Node:
    """The path item with its parameters, and an operationId for each method."""
    names = re.findall(r"{(\w+)}", path)
    found: Node = {}
    if names:
        found["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in names]
    for method, one in item.items():
        found[method] = {**one, "operationId": f"{method} {path}"}
    return found
