"""Requests that schemathesis makes up from the OpenAPI document, to the running application.

Whatever is sent: no fault of ours, and every answer is one that the document knows. Each request
is undone before the next one, so that destructive ones always find something to destroy. The
requests of an operation go in turn to all its addresses: older names, and those of a slot.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import cycle, islice
from typing import Any, TypeAlias

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.urls import resolve
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
from tests.api.test_openapi import METHODS, example
from tests.web.objects import (
    make_instance,
    make_job,
    make_member,
    make_run,
    make_setting,
    make_slot,
)
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
Names: TypeAlias = Callable[[str], dict[str, str]]
SEED = 20160519
# Of each operation, and of each sort of requests; FUZZ=20 looks further, always at the same.
EXAMPLES = 2 * int(os.environ.get("FUZZ", "1"))
SYSTEMATIC = 2 * EXAMPLES
PID = 4711
# These have tests of their own: they ask a broker, which the tests of requests do without.
LEFT_OUT = ("/connections", "/healthz")


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


@cache
def _operations() -> dict[str, list[str]]:
    """By the first of its addresses, all addresses of an operation: they lead to the same code."""
    found: dict[Any, list[str]] = {}
    for path, item in document()["paths"].items():
        if any(part in path for part in LEFT_OUT):
            continue
        match = resolve(example(path))
        parts = {name: value for name, value in match.kwargs.items() if name != "slot"}
        for method in METHODS:
            if method in item:
                key = (method, match.func, *sorted(parts.items()))
                found.setdefault(key, []).append(path)
    return {f"{key[0].upper()} {paths[0]}": paths for key, paths in found.items()}


@dataclass(frozen=True)
class Fuzzed:
    """An app and a slot of it with one of everything each."""

    user: User
    runs: dict[str, Run]
    hooks: dict[str, str]

    def names(self, path: str) -> dict[str, str]:
        """What finds something, for each parameter of `path`."""
        of_type = "listener" if "continuous" in path else "nightly"
        slot = "staging" if "{slot}" in path else "production"
        run = self.runs[slot]
        known = {
            "app": "demo",
            "slot": slot,
            "sub": SUB,
            "rg": "rg",
            "tenant": "portal",
            "repository": "demo",
            "name": of_type,
            "key": "GREETING",
            "event": "TriggeredJobFinished",
            "id": self.id_in(path, slot),
            "path": f"data/jobs/triggered/nightly/{run.number}/output_log.txt",
        }
        return {name: value for name, value in known.items() if f"{{{name}}}" in path}

    def id_in(self, path: str, slot: str) -> str:
        """Of what the address is about."""
        if "/processes/" in path:
            return str(PID)
        return self.hooks[slot] if "/hooks/" in path else str(self.runs[slot].number)

    def places(self, path: str) -> dict[str, str]:
        """Of these only where it is looked for."""
        return {name: text for name, text in self.names(path).items() if name in ("app", "slot")}


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
    monkeypatch.setattr(
        runs, "wait_for", lambda request, run, _seconds: wait_for(request, run, 0.0)
    )


def _filled(slot: Slot) -> tuple[Run, str]:
    """A run and a hook of `slot`, which gets one of everything."""
    job = make_job(slot, "nightly")
    run = make_run(job, status=RunStatus.SUCCESS)
    where: dict[str, Any] = {"instance": make_instance(), "epoch": 1, "pid": PID}
    make_run(make_job(slot, "busy"), status=RunStatus.RUNNING, **where)
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
    return run, str(hook.pk)


@pytest.fixture
def fuzzed(db: None, _one_connection: None, _no_waiting: None) -> Fuzzed:
    slots = [make_slot(), make_slot("demo", "staging")]
    filled = {slot.name: _filled(slot) for slot in slots}
    return Fuzzed(
        user=make_member(slots[0].app, "cora", Role.CONTRIBUTOR),
        runs={name: run for name, (run, _) in filled.items()},
        hooks={name: hook for name, (_, hook) in filled.items()},
    )


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
    method, _, first = label.partition(" ")
    operation, addresses = _schema()[first][method], _operations()[label]
    auth = basic("cora", token_for(fuzzed.user))

    def send(case: Case[Any], path: str, names: Names) -> None:
        case.operation, case.path = _schema()[path][method], path
        case.path_parameters = {**case.path_parameters, **names(path)}
        _send(case, auth)

    systematic = islice(_systematic(operation), max(SYSTEMATIC, len(addresses)))
    for case, path in zip(systematic, cycle(addresses), strict=False):
        send(case, path, fuzzed.names)

    tries: list[tuple[Any, Names]] = [(mode, fuzzed.names) for mode in GenerationMode]
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
    def fuzz(named: tuple[Case[Any], Names], path: str) -> None:
        case, names = named
        send(case, path, names)

    fuzz()
