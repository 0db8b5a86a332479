"""The tunnel at the broker: nothing is lost or doubled, nothing grows, nobody waits for ever."""

from __future__ import annotations

import secrets

import pytest

from tests.support.poll import until
from webjobs.tunnel import CLOSED, IN_FLIGHT, Closed, Connection, Full, asked, broker


@pytest.fixture
def session(broker: str) -> int:
    """The number of a session that no other test has."""
    return secrets.randbelow(10**9) + 10**9


@pytest.fixture
def ends(session: int) -> tuple[Connection, Connection]:
    """The developer's end and the worker's."""
    near = Connection.ask(session, None, "cora", "192.0.2.1")
    found = asked(session, 1)
    assert [(one.id, one.name, one.address, one.user) for one in found] == [
        (near.id, "cora", "192.0.2.1", "")
    ]
    return near, Connection(session, near.id)


def never() -> bool:
    return False


def test_a_connection_is_taken_by_one_worker(session: int) -> None:
    Connection.ask(session, 7, "cora", None)
    assert len(asked(session, 1)) == 1
    assert asked(session, 0.01) == []


def test_what_is_sent_twice_arrives_once_and_in_order(ends: tuple[Connection, Connection]) -> None:
    near, far = ends
    near.send("up", 1, b"one ", never)
    near.send("up", 2, b"two", never)
    near.send("up", 2, b"two", never)
    near.send("up", 1, b"one ", never)
    piece = far.receive("up", 0, 0)
    assert (piece.data, piece.after) == (b"one two", 2)
    # An answer that was lost is asked for again.
    assert far.receive("up", 0, 0) == piece
    assert far.receive("up", 2, 0).data == b""
    # What was taken is gone, and still does not come again.
    near.send("up", 2, b"two", never)
    assert far.receive("up", 2, 0).data == b""
    near.send("up", 3, b"three", never)
    assert far.receive("up", 2, 0).data == b"three"


def test_who_sends_too_much_waits_until_it_is_taken(ends: tuple[Connection, Connection]) -> None:
    near, far = ends
    for number in range(1, IN_FLIGHT + 1):
        near.send("up", number, b"x", never)
    with pytest.raises(Full):
        near.send("up", IN_FLIGHT + 1, b"y", never)
    far.receive("up", far.receive("up", 0, 0).after, 0)
    near.send("up", IN_FLIGHT + 1, b"y", never)
    assert far.receive("up", IN_FLIGHT, 0).data == b"y"


def test_the_end_comes_after_all_that_was_sent(ends: tuple[Connection, Connection]) -> None:
    near, far = ends
    near.send("up", 1, b"last", never)
    assert near.leave()
    assert not near.leave()
    assert far.receive("up", 0, 0).data == b"last"
    with pytest.raises(Closed, match=CLOSED):
        far.receive("up", 1, 0)
    far.send("down", 1, b"", never, end="The debugger has closed it.")
    far.forget()
    with pytest.raises(Closed, match=r"The debugger has closed it\."):
        near.receive("down", 0, 0)
    assert not near.touch("client")


def test_nothing_is_left_at_the_broker_for_ever(
    session: int, ends: tuple[Connection, Connection]
) -> None:
    near, far = ends
    near.send("up", 1, b"x", never)
    far.send("down", 1, b"x", never)
    keys = list(broker().scan_iter(f"webjobs:debug:{session}:*"))
    assert len(keys) >= 4
    assert all(0 < broker().ttl(key) <= 7200 for key in keys)


def test_a_silent_client_is_noticed(ends: tuple[Connection, Connection]) -> None:
    near, far = ends
    assert far.is_there("client")
    assert near.touch("client")
    broker().pexpire(near._alive("client"), 1)
    until(lambda: not far.is_there("client"), what="the client's sign has run out")
    assert not near.touch("client")
