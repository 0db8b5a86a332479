"""What is done about a body that nobody read, once its answer is out."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from portal import draining


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The server's end and the client's."""
    ends = socket.socketpair()
    yield ends
    for end in ends:
        end.close()


def serve(end: socket.socket, **environ: Any) -> Iterable[bytes]:
    def application(_environ: Any, _start: Any) -> Iterable[bytes]:
        return io.BytesIO(b"told")

    values = {"gunicorn.socket": end, "wsgi.input": end.makefile("rb"), **environ}
    return draining.drained(application)(values, lambda *_: lambda _: None)


def test_the_rest_of_a_body_is_read_after_the_answer(pair: Any) -> None:
    server, client = pair
    answer = serve(server, CONTENT_LENGTH="100000")
    client.sendall(bytes(100_000))
    client.shutdown(socket.SHUT_WR)
    assert b"".join(answer) == b"told"
    answer.close()  # type: ignore[attr-defined]
    server.setblocking(False)
    assert server.recv(1) == b""


def test_who_sends_nothing_is_not_waited_for_longer(
    pair: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "SECONDS", 0.2)
    server, _client = pair
    answer = serve(server, HTTP_TRANSFER_ENCODING="chunked")
    start = time.monotonic()
    answer.close()  # type: ignore[attr-defined]
    assert 0.1 < time.monotonic() - start < 5
    assert server.gettimeout() is None


@pytest.mark.parametrize("environ", [{}, {"CONTENT_LENGTH": "0"}, {"CONTENT_LENGTH": ""}])
def test_a_request_without_a_body_ends_with_its_answer(pair: Any, environ: Any) -> None:
    assert isinstance(serve(pair[0], **environ), io.BytesIO)
