"""Requests that schemathesis makes up from the OpenAPI document, to the running application.

Whatever is sent: no fault of ours, and every answer is one that the document knows. Each request
is undone before the next one, so that destructive ones always find something to destroy.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
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

from tests.api.calling import SUB, basic, token_for, zip_of
from tests.api.test_kudu_files import write
from tests.web.objects import make_job, make_member, make_run, make_setting, make_slot
from webjobs import logs
from webjobs.api.kudu import runs
from webjobs.api.openapi.document import document
from webjobs.api.waiting import wait_for
from webjobs.dispatch import Actor, add_hook, publish
from webjobs.models import Role, Run, Slot
from webjobs.states import JobType, RunStatus

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]
ROOT = "http://localhost"
SEED = 20160519
# Of each operation, and of each sort of requests; FUZZ=20 looks further, always at the same.
EXAMPLES = 2 * int(os.environ.get("FUZZ", "1"))
SYSTEMATIC = 2 * EXAMPLES
# These have tests of their own: they repeat another, wait on purpose, or ask a broker.
LEFT_OUT = (
    "/slots/{slot}",
    "/passthrough/{path}",
    "/continuouswebjobs/{name}/debug",
    "/continuouswebjobs/{name}/settings",
    "/v2.0/",
    "/connections",
    "/healthz",
)


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
def _schema() -> Any:
    schema = schemathesis.openapi.from_dict(document() | {"servers": [{"url": ROOT}]})
    schema.app = get_wsgi_application()
    return schema


def _operations() -> list[str]:
    """One of each: other names of an address, and those of a slot, lead to the same code."""
    return [
        f"{method.upper()} {path}"
        for path, item in document()["paths"].items()
        for method, one in item.items()
        if method != "parameters"
        and not one.get("deprecated")
        and not any(part in path for part in LEFT_OUT)
    ]


@dataclass(frozen=True)
class Fuzzed:
    """An app with one of everything."""

    slot: Slot
    user: User
    run: Run
    hook: str

    def names(self, path: str) -> dict[str, str]:
        """What finds something, for each parameter of `path`."""
        of_type = "listener" if "/continuous" in path else "nightly"
        known = {
            "app": "demo",
            "sub": SUB,
            "rg": "rg",
            "tenant": "portal",
            "repository": "demo",
            "connection": "1",
            "name": of_type,
            "key": "GREETING",
            "event": "TriggeredJobFinished",
            "id": self.hook if "/hooks/" in path else str(self.run.number),
            "path": f"data/jobs/triggered/nightly/{self.run.number}/output_log.txt",
        }
        return {name: value for name, value in known.items() if f"{{{name}}}" in path}


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """A request leaves the connection of the test open, as those of Django's own client do."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """`?wait=` looks once: nothing runs here."""
    monkeypatch.setattr(runs, "wait_for", lambda run, _seconds: wait_for(run, 0.0))


@pytest.fixture
def fuzzed(db: None, _one_connection: None, _no_waiting: None) -> Fuzzed:
    slot = make_slot()
    job = make_job(slot, "nightly")
    run = make_run(job, status=RunStatus.SUCCESS)
    make_run(make_job(slot, "busy"), status=RunStatus.RUNNING)
    make_job(slot, "listener", type=JobType.CONTINUOUS)
    make_setting(slot, "GREETING", "hello")
    make_setting(slot, "SECRET", "hidden", is_secret=True)
    write(logs.log_of_run(run, "abcdef123456"), b"hello\n", is_complete=True)
    actor = Actor(user=None, name="alice")
    event = "TriggeredJobFinished"
    hook, _ = add_hook(
        slot, "https://example.org/", event, actor, insecure_ssl=False, base=f"{ROOT}/scm/demo"
    )
    publish(slot, event, {"a": 1}, actor)
    user = make_member(slot.app, "cora", Role.CONTRIBUTOR)
    return Fuzzed(slot, user, run, str(hook.pk))


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


@pytest.mark.parametrize("label", _operations(), ids=str)
def test_every_answer_is_one_of_the_document(fuzzed: Fuzzed, label: str) -> None:
    method, path = label.split(" ")
    operation = _schema()[path][method]
    known = fuzzed.names(path)
    auth = basic("cora", token_for(fuzzed.user))

    for case in islice(_systematic(operation), SYSTEMATIC):
        if known:
            case.path_parameters = {**case.path_parameters, **known}
        _send(case, auth)

    strategies = [operation.as_strategy(mode, path_parameters=known) for mode in GenerationMode]
    # Names that find nothing, or look like something else.
    few = {"app": "demo"} if "app" in known else {}
    strategies.append(operation.as_strategy(path_parameters=few))

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES * len(strategies),
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(strategies))
    def fuzz(case: Case[Any]) -> None:
        _send(case, auth)

    fuzz()
