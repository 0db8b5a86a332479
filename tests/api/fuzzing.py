"""Makes up the requests of test_fuzz, and judges their answers. Its tests import it only when they
run: schemathesis takes two seconds, which every other process of tests does without."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, TypeAlias

import schemathesis
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.api.calling import zip_of
from webjobs.api.openapi.document import document

if TYPE_CHECKING:
    from tests.api.test_fuzz import Fuzzed, Names

    Tries: TypeAlias = list[tuple[GenerationMode, Names]]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]
SEED = 20160519
# Of each operation, and of each sort of requests; FUZZ=20 looks further, always at the same.
EXAMPLES = 2 * int(os.environ.get("FUZZ", "1"))
SYSTEMATIC = 2 * EXAMPLES


@schemathesis.serializer("application/zip")
def _zipped(_context: Any, value: Any) -> bytes:
    """Every other body is a zip that works."""
    data = value if isinstance(value, bytes) else str(value).encode(errors="replace")
    if len(data) % 2:
        return data
    return zip_of({"run.sh": "true", "App_Data/jobs/triggered/new/run.sh": "true"})


@schemathesis.serializer("application/x-git-receive-pack-request")
def _pushed(_context: Any, value: Any) -> bytes:
    """Every other body begins as a push does."""
    data = value if isinstance(value, bytes) else str(value).encode(errors="replace")
    line = b"%s %s refs/heads/main\0report-status side-band-64k\n" % (b"0" * 40, b"1" * 40)
    return b"%04x%s0000%s" % (len(line) + 4, line, data) if len(data) % 2 else data


@cache
def _schema(root: str) -> Any:
    schema = schemathesis.openapi.from_dict(document() | {"servers": [{"url": root}]})
    schema.app = get_wsgi_application()
    return schema


def _send(case: Case[Any], auth: str) -> None:
    headers = {"Accept-Encoding": "identity"}
    if case.operation.path != "/msi/token":
        headers["Authorization"] = auth
    with transaction.atomic():
        case.call_and_validate(headers=headers, checks=CHECKS)
        transaction.set_rollback(True)


def _systematic(operation: Any) -> Iterator[Case[Any]]:
    """The edges of what the document allows, and steps over them, one after the other."""
    modes = list(GenerationMode)
    yield from operation.schema.iter_coverage_cases(
        operation, generation_modes=modes, generation_config=GenerationConfig()
    )


def fuzz(label: str, addresses: Sequence[str], fuzzed: Fuzzed, root: str, auth: str) -> None:
    """Send what the operation allows, and steps over it, in turn to all its addresses."""
    method, _, first = label.partition(" ")
    schema = _schema(root)
    operation = schema[first][method]

    def send(case: Case[Any], path: str, names: Names) -> None:
        case.operation, case.path = schema[path][method], path
        case.path_parameters = {**case.path_parameters, **names(path)}
        _send(case, auth)

    systematic = islice(_systematic(operation), max(SYSTEMATIC, len(addresses)))
    for case, path in zip(systematic, cycle(addresses), strict=False):
        send(case, path, fuzzed.names)

    tries: Tries = [(mode, fuzzed.names) for mode in GenerationMode]
    # Names that find nothing, or look like something else.
    tries.append((GenerationMode.POSITIVE, fuzzed.places))
    cases = [st.tuples(operation.as_strategy(mode), st.just(names)) for mode, names in tries]

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES * len(cases),
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(named=st.one_of(cases), path=st.sampled_from(addresses))
    def made_up(named: tuple[Case[Any], Names], path: str) -> None:
        case, names = named
        send(case, path, names)

    made_up()
