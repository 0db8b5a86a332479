"""Why something is refused, as data: an English sentence with places, and what belongs there.

The engine knows no Django and raises these; who speaks to people translates text and places
(`webjobs.telling`). Imports no Django.
"""

from __future__ import annotations


def gettext_noop(text: str) -> str:
    """Mark `text` for translators, under the name that their tools look for."""
    return text


class Phrase(str):
    """A place's content that is translated too, such as "a list"."""

    __slots__ = ()


Param = str | int | Exception


class Reason(Exception):
    """A refusal. `str(error)` is the English sentence.

    `code` is a stable slug for programs; `text` is the English sentence with `%(name)s` places,
    which tells what is wrong, where, and how to mend it; `params` fill the places. An exception
    among them stands for its own sentence.
    """

    def __init__(self, code: str, text: str, **params: Param) -> None:
        self.code = code
        self.text = text
        self.params = params
        self.message = text % params if params else text
        super().__init__(self.message)
