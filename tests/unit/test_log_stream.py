"""The common log stream of `manage.py up`."""

from __future__ import annotations

import io
import os
from unittest import mock

from django.test import SimpleTestCase

from portal.output import LONGEST_LINE, Output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class OutputTest(SimpleTestCase):
    def setUp(self) -> None:
        self.stream = io.StringIO()
        self.output = Output(self.stream)

    def test_every_line_carries_the_name_of_its_process(self) -> None:
        self.output.write("web", b"one\ntwo\r\n")
        self.assertEqual(self.stream.getvalue(), "web    | one\nweb    | two\n")

    def test_lines_in_pieces_are_not_mixed(self) -> None:
        self.output.write("web", b"on")
        self.output.write("worker", b"three\n")
        self.output.write("web", b"e\n")
        self.assertEqual(self.stream.getvalue(), "worker | three\nweb    | one\n")

    def test_the_last_words_of_a_process_are_shown_without_a_line_end(self) -> None:
        self.output.write("beat", b"Killed")
        self.output.end("beat")
        self.output.end("beat")
        self.assertEqual(self.stream.getvalue(), "beat   | Killed\n")

    def test_bytes_that_are_no_text_do_not_stop_it(self) -> None:
        self.output.write("web", b"\xff\xfe\n")
        self.assertEqual(self.stream.getvalue(), "web    | \ufffd\ufffd\n")

    def test_an_endless_line_is_not_kept_for_ever(self) -> None:
        self.output.write("web", b"x" * (LONGEST_LINE + 1))
        self.assertEqual(len(self.stream.getvalue()), len("web    | \n") + LONGEST_LINE + 1)

    def test_noise_is_left_out(self) -> None:
        self.output.leave_out("broker", ("known",))
        self.output.write("broker", b"a known warning\nnews\n")
        self.assertEqual(self.stream.getvalue(), "broker | news\n")

    def test_a_terminal_gets_colours_unless_it_wants_none(self) -> None:
        with mock.patch.dict(os.environ):
            os.environ.pop("NO_COLOR", None)
            coloured, plain = Terminal(), Terminal()
            Output(coloured).line("web", "text")
            os.environ["NO_COLOR"] = "1"
            Output(plain).line("web", "text")
        self.assertIn("\x1b[", coloured.getvalue())
        self.assertEqual(plain.getvalue(), "web    | text\n")

    def test_a_reader_that_went_away_does_not_stop_it(self) -> None:
        self.stream.close()
        self.output.line("up", "still here")
