"""The addresses that the API really has, read from its URL patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import product
from typing import Any

from django.urls import URLPattern, URLResolver

# What answers whatever no other address takes.
CATCH_ALL = "-nothing"


def templates(patterns: Iterable[URLPattern | URLResolver], before: str = "/") -> Iterator[str]:
    """Every address of `patterns` as OpenAPI writes it, such as `/scm/{app}/api/webjobs`."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from templates(pattern.url_patterns, before + _written(str(pattern.pattern)))
        elif not str(pattern.name).endswith(CATCH_ALL):
            yield from (_tidy(before + rest) for rest in _expanded(str(pattern.pattern)))


def _written(route: str) -> str:
    return re.sub(r"<\w+:(\w+)>", r"{\1}", route)


def _tidy(path: str) -> str:
    return re.sub("//+", "/", path).rstrip("/")


def _expanded(regex: str) -> set[str]:
    """All texts that `regex` can match; a group that stands for anything is `{its name}`."""
    # Imported by name it is Any, whatever mypy has cached of `re`; its own stubs do not name it.
    parsed: Any = import_module("re._parser").parse(regex)
    names = {number: name for name, number in parsed.state.groupdict.items()}
    return set(_texts(parsed, names))


def _texts(parts: Any, names: dict[int, str]) -> list[str]:
    found = [_part(str(kind), value, names) for kind, value in parts]
    return ["".join(one) for one in product(*found)]


def _part(kind: str, value: Any, names: dict[int, str]) -> list[str]:
    match kind:
        case "LITERAL":
            return [chr(value)]
        case "AT":
            return [""]
        case "SUBPATTERN":
            number, _, _, inside = value
            try:
                return _texts(inside, names)
            except NotImplementedError:
                return [f"{{{names[number]}}}"]
        case "BRANCH":
            return [text for branch in value[1] for text in _texts(branch, names)]
        case "MAX_REPEAT" if value[:2] == (0, 1):
            return ["", *_texts(value[2], names)]
    raise NotImplementedError(kind)
