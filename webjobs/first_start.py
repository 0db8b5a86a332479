"""What a new portal begins with: its operator, and an app that shows life."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from webjobs import dispatch, packages
from webjobs.models import Slot
from webjobs.runner.extraction import zip_folder
from webjobs.states import JobType

SAMPLES = settings.BASE_DIR / "samples"
DEMO_APP = "demo"
# Name of the WebJob, its type, its folder in samples/.
DEMO_WEBJOBS = (
    ("heartbeat", JobType.CONTINUOUS, "demo-continuous"),
    ("report", JobType.TRIGGERED, "demo-manual"),
    ("disk-space", JobType.TRIGGERED, "demo-scheduled"),
)
# 96 bits in letters that are typed easily.
PASSWORD_BYTES = 12


@dataclass(frozen=True)
class Account:
    """The operator that was just made. `password` is empty when the environment set it."""

    user_name: str
    password: str


def prepare(user_name: str, password: str, say: Callable[[str], None]) -> Account | None:
    """Make the operator and the app `demo` in a portal without users; None when it has some.

    All or nothing, so that a start that was cut off is the first one again.
    """
    with transaction.atomic():
        if User.objects.exists():
            return None
        say("first start: making the operator and the app demo")
        generated = "" if password else secrets.token_urlsafe(PASSWORD_BYTES)
        User.objects.create_superuser(user_name, password=password or generated)
        _add_demo()
    return Account(user_name, generated)


def _add_demo() -> None:
    app = dispatch.create_app(DEMO_APP, dispatch.PORTAL)
    slot = Slot.objects.get(app=app)
    with tempfile.TemporaryDirectory() as folder:
        for name, type, sample in DEMO_WEBJOBS:
            path = Path(folder) / f"{sample}.zip"
            zip_folder(SAMPLES / sample, path)
            upload = packages.check_upload(path, path.name)
            dispatch.add_webjob(
                slot, dispatch.NewWebJob(name=name, type=type, upload=upload), dispatch.PORTAL
            )
