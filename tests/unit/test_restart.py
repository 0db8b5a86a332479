from __future__ import annotations

from webjobs.runner.restart import restart_wait


def test_it_restarts_at_once_what_lived_two_minutes() -> None:
    assert restart_wait(120.0, True, 0, 60.0).wait == 0.0


def test_it_waits_for_what_lived_shorter() -> None:
    assert restart_wait(119.9, True, 0, 60.0).wait == 60.0


def test_it_waits_after_a_fast_success_too() -> None:
    assert restart_wait(0.1, False, 0, 7.0).wait == 7.0


def test_it_counts_fast_failures() -> None:
    assert restart_wait(1.0, True, 2, 60.0).fast_failures == 3


def test_it_calls_five_fast_failures_in_a_row_a_crash_loop() -> None:
    failures = 0
    seen = []
    for _ in range(7):
        restart = restart_wait(1.0, True, failures, 60.0)
        failures = restart.fast_failures
        seen.append(restart.crash_looping)
    assert seen == [False] * 4 + [True] * 3


def test_it_never_gives_up() -> None:
    assert restart_wait(0.0, True, 10_000, 60.0).wait == 60.0


def test_a_fast_success_ends_the_crash_loop() -> None:
    restart = restart_wait(1.0, False, 9, 60.0)
    assert (restart.fast_failures, restart.crash_looping) == (0, False)


def test_a_long_life_ends_the_crash_loop() -> None:
    restart = restart_wait(500.0, True, 9, 60.0)
    assert (restart.fast_failures, restart.crash_looping) == (0, False)


def test_it_allows_no_wait_at_all() -> None:
    assert restart_wait(0.0, True, 0, 0.0).wait == 0.0
