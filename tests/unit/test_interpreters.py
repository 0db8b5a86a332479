"""Which command runs which file."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from unittest import skipIf

from django.test import SimpleTestCase

from webjobs.runner.entry_point import RUNNABLE
from webjobs.runner.interpreters import (
    ArgumentsError,
    MissingInterpreter,
    available,
    check_arguments,
    command_for,
    split_arguments,
    table,
)


class InterpreterCase(SimpleTestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = folder.name

    def install(self, *programs: str) -> None:
        for program in programs:
            file = Path(self.path) / program
            file.write_text("#!/bin/sh\n")
            file.chmod(0o755)

    def command(self, script: str, *arguments: str) -> list[str]:
        command = command_for(Path(script), arguments, table(), self.path)
        return [command[0].removeprefix(self.path + os.sep), *command[1:]]


@skipIf(os.name == "nt", "the table of other systems")
class CommandTest(InterpreterCase):
    def test_every_type_has_its_command(self) -> None:
        self.install("wine", "pwsh", "bash", "python3", "php", "node", "java")
        policy = ["-NoProfile", "-ExecutionPolicy", "RemoteSigned", "-File"]
        expected = {
            ".cmd": ["wine", "cmd", "/c"],
            ".bat": ["wine", "cmd", "/c"],
            ".exe": ["wine"],
            ".ps1": ["pwsh", *policy],
            ".sh": ["bash"],
            ".py": ["python3"],
            ".php": ["php"],
            ".js": ["node"],
            ".jar": ["java", "-jar"],
        }
        self.assertEqual(tuple(table()), RUNNABLE)
        for extension, start in expected.items():
            script = f"/job/My Script{extension}"
            with self.subTest(extension=extension):
                self.assertEqual(self.command(script, "a b", "$c"), [*start, script, "a b", "$c"])

    def test_the_second_program_serves_when_the_first_is_missing(self) -> None:
        self.install("powershell.exe", "wine64")
        self.assertEqual(self.command("/job/run.ps1")[0], "powershell.exe")
        self.assertEqual(self.command("/job/run.exe")[0], "wine64")

    def test_the_case_of_the_extension_does_not_matter(self) -> None:
        self.install("bash")
        self.assertEqual(self.command("/job/RUN.SH"), ["bash", "/job/RUN.SH"])

    def test_python_falls_back_to_the_one_that_runs_the_portal(self) -> None:
        program = self.command("/job/run.py")[0]
        self.assertTrue(Path(program).is_relative_to(sys.base_prefix))
        self.assertTrue(os.access(program, os.X_OK))

    def test_a_missing_interpreter_is_named_with_the_way_to_get_it(self) -> None:
        words = {
            "run.cmd": ["Wine", "apt install wine"],
            "run.ps1": ["PowerShell", "pwsh, powershell.exe", "learn.microsoft.com"],
            "run.sh": ["bash"],
            "run.php": ["PHP", "apt install php-cli", "brew install php", "winget install"],
            "run.js": ["Node.js", "apt install nodejs"],
            "run.jar": ["Java", "default-jre-headless"],
        }
        for script, expected in words.items():
            with self.subTest(script=script), self.assertRaises(MissingInterpreter) as caught:
                self.command(f"/job/{script}")
            for word in [script, *expected]:
                self.assertIn(word, str(caught.exception))

    def test_a_type_that_nobody_runs_is_named(self) -> None:
        with self.assertRaisesMessage(MissingInterpreter, '".rb"'):
            self.command("/job/run.rb")

    def test_it_tells_what_is_there(self) -> None:
        self.install("bash", "node")
        found = available(table(), self.path)
        self.assertEqual(found[".sh"], str(Path(self.path) / "bash"))
        self.assertEqual(found[".js"], str(Path(self.path) / "node"))
        self.assertIsNone(found[".php"])
        self.assertIsNone(found[".exe"])


class OverridesTest(InterpreterCase):
    def test_a_command_of_the_setting_replaces_ours(self) -> None:
        rows = table({".PHP": "/opt/php/php -q {script} --"})
        self.assertEqual(rows[".php"].programs, ("/opt/php/php",))
        self.assertEqual(rows[".php"].arguments, ("-q", "{script}", "--"))
        self.assertEqual(rows[".php"].host, "PhpScriptHost")
        self.assertEqual(rows[".sh"], table()[".sh"])

    def test_the_script_is_appended_when_it_is_not_mentioned(self) -> None:
        self.assertEqual(table({".rb": "ruby -w"})[".rb"].arguments, ("-w", "{script}"))

    def test_a_new_type_comes_last(self) -> None:
        self.assertEqual(list(table({".rb": "ruby"}))[-1], ".rb")

    def test_a_script_may_start_itself(self) -> None:
        rows = table({".run": "{script} --verbose"})
        command = command_for(Path("/job/a.run"), ["x"], rows, self.path)
        self.assertEqual(command, ["/job/a.run", "--verbose", "x"])
        self.assertIsNotNone(available(rows, self.path)[".run"])

    def test_a_program_that_is_missing_points_to_the_setting(self) -> None:
        with self.assertRaisesMessage(MissingInterpreter, 'The setting for ".py" names pypy9'):
            command_for(Path("/job/a.py"), [], table({".py": "pypy9"}), self.path)

    def test_a_bad_setting_is_refused_by_name(self) -> None:
        for extension, command in (("py", "x"), (".", "x"), (".py", ""), (".py", 'a "b')):
            with self.subTest(extension=extension, command=command):
                self.assertRaisesMessage(ValueError, extension, table, {extension: command})


class ArgumentsTest(SimpleTestCase):
    def test_they_are_split_as_a_shell_does(self) -> None:
        cases: dict[str, list[str]] = {
            "": [],
            "  ": [],
            "a b": ["a", "b"],
            "'a b' \"c d\"": ["a b", "c d"],
            '{\\"a\\":1}': ['{"a":1}'],
            "'{\"a\": [1, 2]}'": ['{"a": [1, 2]}'],
            "a+b $HOME `id` ; rm *": ["a+b", "$HOME", "`id`", ";", "rm", "*"],
            "# no comment": ["#", "no", "comment"],
            "''": [""],
        }
        for text, expected in cases.items():
            with self.subTest(text=text):
                self.assertEqual(split_arguments(text), expected)

    def test_an_open_quote_is_refused_in_words(self) -> None:
        for text in ('a "b', "it's", "'"):
            with self.subTest(text=text):
                self.assertRaisesMessage(ArgumentsError, "not closed", split_arguments, text)
        self.assertRaisesMessage(ArgumentsError, "backslash", split_arguments, "a\\")

    def test_batch_files_get_nothing_that_their_shell_would_act_on(self) -> None:
        for bad in ("a&calc", "a|b", "%PATH%", "a>b", "^", 'say "x"', "a\r\nb"):
            for name in ("run.cmd", "RUN.BAT"):
                with self.subTest(bad=bad, name=name), self.assertRaises(ArgumentsError):
                    check_arguments(name, ["ok", bad])
            check_arguments("run.exe", [bad])
            check_arguments("run.sh", [bad])
        check_arguments("run.cmd", ["a b", "--x=1", "C:\\dir", "it's", "(1)"])

    def test_no_program_gets_a_nul(self) -> None:
        self.assertRaisesMessage(ArgumentsError, "NUL", check_arguments, "run.sh", ["a\0b"])
