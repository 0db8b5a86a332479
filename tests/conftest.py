"""Fixtures for all tests. The settings, and with them the database, are in tests/settings.py."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
from django.conf import settings as django_settings
from django.test import TransactionTestCase
from django.utils import translation

from tests.support import broker as broker_support
from tests.support import emptying
from tests.support.needs import require
from tests.support.watchdog import Watchdog

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django import Settings

SQLITE = "portal.sqlite"
_WATCHDOG = pytest.StashKey[Watchdog]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*programs): runs only where these are installed")
    config.addinivalue_line("markers", "own_database: brings SQLite itself; once is enough")
    emptying.install()
    config.stash[_WATCHDOG] = Watchdog()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    with item.config.stash[_WATCHDOG].watching(item.nodeid):
        return (yield)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker("browser")
    if django_settings.DATABASES["default"]["ENGINE"] == SQLITE:
        return
    # What does not touch the database was tried with the default one.
    others = [item for item in items if not _uses_database(item)]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in set(others)]


def _uses_database(item: pytest.Item) -> bool:
    if not isinstance(item, pytest.Function):
        return True
    is_case = item.cls is not None and issubclass(item.cls, TransactionTestCase)
    is_marked = item.get_closest_marker("django_db") is not None
    return is_case or is_marked or not {"db", "transactional_db"}.isdisjoint(item.fixturenames)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        require(*mark.args)


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """A page that was asked for in French leaves its language to nobody after it."""
    yield
    translation.deactivate()


@pytest.fixture
def data_dir(tmp_path: Path, settings: Settings) -> Path:
    """A data directory for one test, where the packages are kept too."""
    settings.WEBJOBS_DATA_DIR = tmp_path
    settings.PACKAGES_DIR = tmp_path / "packages"
    settings.STORAGES = {
        **settings.STORAGES,
        "packages": {
            "BACKEND": "portal.folder.PackageFolder",
            "OPTIONS": {"location": settings.PACKAGES_DIR, "base_url": None},
        },
    }
    return tmp_path


@pytest.fixture(scope="session")
def broker_server() -> Iterator[str]:
    """A real broker at the address that the settings name; yields its URL."""
    url: str = django_settings.CELERY_BROKER_URL
    with broker_support.running(Path(url.removeprefix("redis+socket://"))):
        yield url


@pytest.fixture
def broker(broker_server: str) -> str:
    """The URL of a real broker without the messages of other tests."""
    client = redis.Redis(unix_socket_path=broker_server.removeprefix("redis+socket://"))
    # The queue alone: producers of this process rely on the bindings beside it.
    client.delete(django_settings.CELERY_TASK_DEFAULT_QUEUE)
    return broker_server


@pytest.fixture
def operator(db: None, django_user_model: type[User]) -> User:
    """The superuser whom the first start creates."""
    return django_user_model.objects.create_superuser("admin", password="correct-horse-9")


@pytest.fixture
def stranger(db: None, django_user_model: type[User]) -> User:
    """Somebody who may sign in and is a member of no app."""
    return django_user_model.objects.create_user("stranger", password="correct-horse-9")
