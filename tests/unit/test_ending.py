from __future__ import annotations

from webjobs.runner.ending import Cause, Limits, describe
from webjobs.runner.process import Exit

LIMITS = Limits(grace=5.0, idle_timeout=120.0, max_time=3600.0)


def words(cause: Cause, exit: Exit, killed_after: float | None = None) -> str:
    return describe(cause, exit, LIMITS, killed_after)


def test_it_names_the_exit_code() -> None:
    assert words(Cause.EXITED, Exit(code=3)) == "The process exited with code 3."


def test_it_names_a_signal() -> None:
    expected = "The process was ended by signal 11 (SIGSEGV)."
    assert words(Cause.EXITED, Exit(signal=11)) == expected


def test_it_names_a_signal_without_a_name_by_its_number() -> None:
    assert words(Cause.EXITED, Exit(signal=63)) == "The process was ended by signal 63."


def test_it_points_at_the_memory_when_a_kill_came_from_elsewhere() -> None:
    assert "memory of the machine" in words(Cause.EXITED, Exit(signal=9))


def test_it_explains_the_codes_of_shells() -> None:
    assert "could not be executed" in words(Cause.EXITED, Exit(code=126))
    assert "was not found" in words(Cause.EXITED, Exit(code=127))
    assert "signal 15 (SIGTERM) ended a command" in words(Cause.EXITED, Exit(code=143))


def test_it_explains_no_ordinary_code() -> None:
    assert words(Cause.EXITED, Exit(code=255)) == "The process exited with code 255."


def test_an_idle_timeout_names_its_setting_and_how_to_switch_it_off() -> None:
    text = words(Cause.IDLE_TIMEOUT, Exit(signal=15))
    assert "for 120 seconds (WEBJOBS_IDLE_TIMEOUT)" in text
    assert "-1" in text


def test_a_maximum_run_time_names_its_setting() -> None:
    text = words(Cause.MAX_RUN_TIME, Exit(signal=15))
    assert text.startswith("It ran for 3600 seconds")
    assert "WEBJOBS_MAX_RUN_TIME" in text


def test_a_stop_tells_how_the_process_took_it() -> None:
    expected = "It was asked to stop. The process exited with code 0."
    assert words(Cause.STOPPED, Exit(code=0)) == expected


def test_a_stop_tells_that_the_grace_was_not_enough() -> None:
    expected = "It was asked to stop. The process was killed: it had not ended within 5 seconds."
    assert words(Cause.STOPPED, Exit(signal=9), 5.01) == expected


def test_a_kill_without_grace_does_not_speak_of_it() -> None:
    assert words(Cause.STOPPED, Exit(signal=9), 0.0).endswith("The process was killed.")


def test_a_shutdown_tells_whose() -> None:
    assert words(Cause.SHUTDOWN, Exit(code=0)).startswith("This instance is shutting down.")


def test_a_loss_tells_what_to_look_at() -> None:
    assert "check the memory" in words(Cause.LOST, Exit(lost=True))


def test_a_loss_during_a_stop_tells_both() -> None:
    text = words(Cause.STOPPED, Exit(lost=True))
    assert text.startswith("It was asked to stop. The process was killed together")
