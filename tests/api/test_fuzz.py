"""Requests that schemathesis makes up from the OpenAPI document, to the running application.

Whatever is sent: no fault of ours, and every answer is one that the document knows. Each request
is undone before the next one, so that destructive ones always find something to destroy. The
requests of an operation go in turn to all its addresses: older names, and those of a slot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import pytest
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.urls import resolve

from tests.api.calling import SUB, basic, token_for
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

# One process reads the document for all of them.
pytestmark = pytest.mark.xdist_group("fuzz")
ROOT = "http://localhost"
Names: TypeAlias = Callable[[str], dict[str, str]]
PID = 4711
# These have tests of their own: they ask a broker, which the tests of requests do without.
LEFT_OUT = ("/connections", "/healthz")


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


@pytest.mark.parametrize("label", _operations(), ids=str)
def test_every_answer_is_one_of_the_document(fuzzed: Fuzzed, label: str) -> None:
    from tests.api.fuzzing import fuzz

    auth = basic("cora", token_for(fuzzed.user))
    fuzz(label, _operations()[label], fuzzed, ROOT, auth)
