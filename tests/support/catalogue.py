"""Reads translation catalogues and finds the texts that the sources want translated."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

# One text as `gettext` knows it: with its plural, when it has one.
Catalogue = dict[str, list[str]]

CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
FIELD = re.compile(r'(msgid|msgid_plural|msgstr)(?:\[\d\])? (".*")')
QUOTED = r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
TRANSLATE = re.compile(r"{%\s*translate\s+" + QUOTED)
CONSTANT = re.compile(r"\b_\(" + QUOTED + r"\)")
BLOCK = re.compile(r"{%\s*blocktranslate\b.*?%}(.*?){%\s*endblocktranslate\s*%}", re.DOTALL)
PLURAL = re.compile(r"{%\s*plural\s*%}")
VARIABLE = re.compile(r"{{\s*(\w+)\s*}}")
SCRIPT = re.compile(r"\bn?gettext\(\s*" + QUOTED)


def read_po(path: Path) -> Catalogue:
    """What a translator wrote: the forms of the translation by text; the header is left out."""
    found: Catalogue = {}
    text, parts, key = "", [""], ""
    for line in [*path.read_text(encoding="utf-8").splitlines(), 'msgid ""']:
        field = FIELD.fullmatch(line)
        if field and field[1] == "msgid":
            found[text] = parts
            text, parts = "", []
        if field:
            key = field[1]
            if key == "msgstr":
                parts.append("")
        quoted = field[2] if field else line
        if not quoted.startswith('"'):
            continue
        if key == "msgid":
            text += ast.literal_eval(quoted)
        elif key == "msgstr":
            parts[-1] += ast.literal_eval(quoted)
    found.pop("", None)
    return found


def read_mo(path: Path) -> Catalogue:
    """What the portal uses."""
    with path.open("rb") as file:
        # Without a public way to list what is in it.
        compiled: dict[str | tuple[str, int], str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    found: Catalogue = {}
    for key in sorted(compiled, key=str):
        text = key[0] if isinstance(key, tuple) else key
        found.setdefault(text, []).append(compiled[key])
    found.pop("", None)
    return found


def texts_of_python(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            first = node.args[0] if node.args else None
            is_text = isinstance(first, ast.Constant) and isinstance(first.value, str)
            if node.func.id in CALLS and is_text:
                yield str(ast.literal_eval(node.args[0]))


def texts_of_template(path: Path) -> Iterator[str]:
    """Percent signs are doubled there, as Django does it."""
    source = path.read_text(encoding="utf-8")
    for quoted in TRANSLATE.findall(source) + CONSTANT.findall(source):
        yield str(ast.literal_eval(quoted)).replace("%", "%%")
    for block in BLOCK.findall(source):
        for text in PLURAL.split(block):
            yield VARIABLE.sub(r"%(\1)s", text.replace("%", "%%"))


def texts_of_script(path: Path) -> Iterator[str]:
    for quoted in SCRIPT.findall(path.read_text(encoding="utf-8")):
        yield str(ast.literal_eval(quoted))
