"""What is stored in English is recognised, whatever the engine can store, and told in French."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override

from tests.support import catalogue
from webjobs import retelling
from webjobs.endings import RUN_AGAIN
from webjobs.ncrontab import NcrontabError, parse
from webjobs.runner.ending import Cause, Limits, describe
from webjobs.runner.process import Exit
from webjobs.runner.refusal import PackageError
from webjobs.scheduler import words
from webjobs.scheduler.plan import Overdue
from webjobs.telling import number_words, told

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "webjobs"
WRITTEN = catalogue.read_po(ENGINE / "locale" / "fr" / "LC_MESSAGES" / "django.po")
PLACE = re.compile(r"%\((\w+)\)([ds])")
# What speaks to programs, to logs or in its own languages stores no reason that a page shows.
NOT_STORED = [
    *["api", "views", "admin", "management", "migrations", "ncrontab", "logs", "access.py"],
    *["debug_client.py", "tunnel.py", "engine/tunnel_end.py", "hooks.py", "dispatch/hooks.py"],
    "deploying/webhook.py",
]
# Calls whose texts are for logs or for those who develop and start the portal.
NOT_TOLD = {"say", "system", "warning", "error", "exception", "ValueError", "RuntimeError"}
# Azure's own lines for logs.
OF_AZURE = ("'Always On' doesn't", "timestamp differs", "exists in source", "has been deleted.")


def french(text: str) -> str | None:
    with override("fr"):
        return retelling.retold(text)


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", "") or getattr(call.func, "attr", "")


def _literal(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part) or "x" for part in node.values)
    return ""


def _unmarked(node: ast.AST) -> Iterator[str]:
    """The literals below `node` that read as a sentence and are for nobody to translate."""
    if isinstance(node, ast.Call) and _name(node) in catalogue.CALLS | NOT_TOLD:
        return
    if isinstance(node, ast.keyword) and node.arg == "help_text":
        return
    if isinstance(node, ast.Expr) and _literal(node.value):
        return  # A docstring.
    text = _literal(node)
    if re.search(r"\w[\w ].*[\w)\"']\.$", text, re.DOTALL) and " " in text:
        yield text
    if not text:
        for child in ast.iter_child_nodes(node):
            yield from _unmarked(child)


def _engine_files() -> list[Path]:
    left_out = {ENGINE / name for name in NOT_STORED}
    return sorted(path for path in ENGINE.rglob("*.py") if not left_out & {path, *path.parents})


@pytest.mark.parametrize("path", _engine_files(), ids=lambda path: str(path.relative_to(ENGINE)))
def test_no_sentence_of_the_engine_is_without_a_translation(path: Path) -> None:
    """Mark it with gettext_noop, its places as %(name)s, and translate it."""
    found = _unmarked(ast.parse(path.read_text(encoding="utf-8")))
    assert [text for text in found if not text.startswith(OF_AZURE)] == []


SAMPLES = {"d": "7", "s": "x-1"}


def _marked() -> list[str]:
    texts = {text for path in _engine_files() for text in catalogue.texts_of_python(path)}
    return sorted(text for text in texts if _is_sentence(text))


def _is_sentence(text: str) -> bool:
    is_counted = len(WRITTEN[text]) > 1
    is_long = len(PLACE.sub("", text)) >= retelling.SHORTEST
    return is_long and " " in text and not is_counted


@pytest.mark.parametrize("text", _marked())
def test_every_sentence_of_the_engine_is_recognised(text: str) -> None:
    """Alone, and in front of what follows from the end of a run."""
    stored, told = (
        PLACE.sub(lambda place: SAMPLES[place[2]], one).replace("%%", "%")
        for one in (text, WRITTEN[text][0])
    )
    assert french(stored) == told
    if text.endswith("."):
        assert french(f"{stored} {RUN_AGAIN}") == f"{told} {WRITTEN[RUN_AGAIN][0]}"


EXITS = [
    *[Exit(code=code) for code in (0, 1, 3, 126, 127, 130, 137, 143, 255)],
    *[Exit(signal=number) for number in (9, 11, 15, 63)],
    Exit(signal=9, lost=True),
]


@pytest.mark.parametrize("cause", Cause)
@pytest.mark.parametrize("exit", EXITS, ids=str)
@pytest.mark.parametrize("seconds", [1, 2.5, 3600])
def test_every_end_of_a_process_is_told(cause: Cause, exit: Exit, seconds: float) -> None:
    limits = Limits(grace=seconds, idle_timeout=seconds, max_time=seconds)
    for killed_after in (None, 0.0, seconds):
        stored = describe(cause, exit, limits, killed_after)
        for whole in (stored, f"Stopped by j.doe. {stored}", f"{stored} {RUN_AGAIN}"):
            told = french(whole)
            assert told is not None, whole
            assert not {"the", "process", "seconds", "was"} & set(re.findall(r"\w+", told)), told


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ("It ran for 1 second, the most", "Elle a duré 1 seconde, le maximum"),
        ("It ran for 0.5 seconds, the most", "Elle a duré 0,5 seconde, le maximum"),
        ("It ran for 2.5 seconds, the most", "Elle a duré 2,5 secondes, le maximum"),
        ("It ran for 3600 seconds, the most", "Elle a duré 3\xa0600 secondes, le maximum"),
    ],
)
def test_numbers_and_plurals_are_french(stored: str, told: str) -> None:
    rest = " that is allowed (WEBJOBS_MAX_RUN_TIME); raise this setting, or remove it for no limit."
    assert (french(stored + rest) or "").replace("\u202f", "\xa0").startswith(told)


def _overdue(count: int, *, is_more: bool = False) -> Overdue:
    first = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
    return Overdue(first, first + timedelta(hours=count - 1), count, is_more, None)


@pytest.mark.parametrize("was_idle", [True, False])
@pytest.mark.parametrize("overdue", [_overdue(1), _overdue(2), _overdue(1000, is_more=True)])
def test_every_missed_occurrence_is_told(overdue: Overdue, *, was_idle: bool) -> None:
    zone = ZoneInfo("Europe/Paris")
    for stored in (
        words.missed(overdue, zone, was_idle=was_idle),
        words.caught_up(overdue, zone, was_idle=was_idle),
    ):
        told = french(stored)
        assert told is not None, stored
        assert "2026-03-01 03:30:00 Europe/Paris" in told
        assert "occurrence" in told
        assert "1,000" not in told


@pytest.mark.parametrize("waiting", [1, 2])
def test_a_full_queue_is_told(waiting: int) -> None:
    moment, zone = datetime(2026, 3, 1, tzinfo=UTC), ZoneInfo("UTC")
    told = french(words.queue_full(waiting, moment, zone))
    assert told is not None
    assert ("1 exécution de cette tâche web attendait" in told) == (waiting == 1)


def test_several_sentences_are_told_one_after_the_other() -> None:
    stored = (
        "Stopped by anna. It was asked to stop. The process was killed: it had not ended within "
        "5 seconds. Retry 2 of 3 at 14:05:00 UTC."
    )
    assert french(stored) == (
        "Arrêtée par anna. Son arrêt a été demandé. Le processus a été tué\xa0: il ne s’était pas "
        "terminé en 5 secondes. Nouvelle tentative 2 sur 3 à 14:05:00 UTC."
    )


def test_what_git_said_stays_as_it_is_inside_of_a_sentence() -> None:
    stored = "git failed: fatal: early EOF. It was not there."
    told = french(stored)
    assert told is not None
    assert told.endswith("fatal: early EOF. It was not there.")


def test_a_sentence_inside_of_a_sentence_is_told_too() -> None:
    told = french("The arguments cannot be read: The arguments end in a backslash.")
    assert told is not None
    assert "The arguments" not in told


@pytest.mark.parametrize(
    "schedule",
    ["", "* * * * *", "1 2", "* * * ? * *", "99 * * * * *", "* x * * * *", "* * 9-a * * *",
     "0 0 0 * * 7", "1/ * * * * *", "1,,2 * * * * *"],
)  # fmt: skip
def test_a_schedule_that_a_deployment_refused_is_told(schedule: str) -> None:
    with pytest.raises(NcrontabError) as refused:
        parse(schedule)
    english = str(refused.value)
    assert french(f"schedule: {english}") == f"schedule\xa0: {refused.value.message('fr')}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Somebody else wrote this.",
        "The process was killed. Somebody else wrote this.",
        "Somebody else wrote this. The process was killed.",
        # A name is no sentence.
        "Somebody else. Another stopped it.",
    ],
)
def test_what_is_not_recognised_as_a_whole_is_left_alone(text: str) -> None:
    assert french(text) is None
    with override("fr"):
        assert retelling.shown(text) == text


def test_in_english_everything_is_as_it_was_stored() -> None:
    for language in ("en", "en-gb"):
        with override(language):
            assert retelling.retold("Whatever was stored.") == "Whatever was stored."


def test_a_person_may_be_called_like_a_word_of_the_catalogue() -> None:
    assert french("Stopped by Add.") == "Arrêtée par Add."


def test_numbers_of_refusals_are_french_too() -> None:
    zipped = PackageError("too_many", _ENTRIES, count="10,001", most="10,000")
    large = PackageError("too_large", _SIZE, size="101.5", most="100")
    folder = PackageError("too_many", _FILES, count=12034, most=999)
    with override("fr"):
        assert "10\xa0001 entrées ; 10\xa0000" in told(zipped).replace("\xa0;", " ;")
        assert "101,5 Mio" in told(large)
        assert "12\xa0034 fichiers" in told(folder)
        assert number_words("1.2.3") == "1.2.3"
    with override("en"):
        assert told(zipped) == str(zipped)
        assert told(large) == str(large)
        assert told(folder) == "The folder has 12,034 files; at most 999 are allowed."


_ENTRIES = (
    "The zip file has %(count)s entries; at most %(most)s are allowed. Leave out what the job does "
    "not need."
)
_FILES = "The folder has %(count)d files; at most %(most)d are allowed."
_SIZE = (
    "The file has %(size)s MiB, and at most %(most)s MiB are accepted. Leave out what the job does "
    "not need, or raise MAX_UPLOAD_MB."
)
