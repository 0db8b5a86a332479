"""Which file of a package is started."""

from __future__ import annotations

from django.test import SimpleTestCase

from webjobs.runner.entry_point import find


class ChoiceTest(SimpleTestCase):
    def chosen(self, *files: str) -> str:
        return find(files).candidates[0]

    def test_run_comes_before_everything_else(self) -> None:
        self.assertEqual(self.chosen("a.cmd", "run.py"), "run.py")

    def test_run_is_taken_in_the_order_of_the_types(self) -> None:
        order = ["cmd", "bat", "exe", "ps1", "sh", "py", "php", "js", "jar"]
        for first, second in zip(order, order[1:], strict=False):
            self.assertEqual(self.chosen(f"run.{second}", f"run.{first}"), f"run.{first}")

    def test_without_run_the_first_type_and_then_the_first_name_is_taken(self) -> None:
        found = find(["z.js", "b.sh", "A.sh", "notes.txt"])
        self.assertEqual(found.candidates, ("A.sh", "b.sh", "z.js"))

    def test_case_does_not_matter(self) -> None:
        self.assertEqual(self.chosen("a.CMD", "RUN.Js"), "RUN.Js")

    def test_the_caller_may_add_types(self) -> None:
        self.assertEqual(find(["run.rb", "a.sh"], [".sh", ".rb"]).candidates[0], "run.rb")


class FolderTest(SimpleTestCase):
    def test_a_single_folder_is_stepped_into_as_deep_as_it_goes(self) -> None:
        found = find(["a/b/run.sh", "a/b/lib/x.sh"])
        self.assertEqual((found.folder, found.candidates), ("a/b", ("a/b/run.sh",)))

    def test_two_folders_are_not_stepped_into(self) -> None:
        self.assertEqual(find(["a/run.sh", "b/x.txt"]).candidates, ())

    def test_a_file_beside_the_folder_keeps_us_out(self) -> None:
        self.assertEqual(find(["a/run.sh", "readme.txt"]).candidates, ())

    def test_settings_and_disable_marks_do_not(self) -> None:
        found = find(["a/run.sh", "Settings.job", "disable.job"])
        self.assertEqual(found.candidates, ("a/run.sh",))

    def test_folders_beside_the_script_are_never_searched(self) -> None:
        self.assertEqual(find(["run.sh", "lib/a.cmd"]).candidates, ("run.sh",))
