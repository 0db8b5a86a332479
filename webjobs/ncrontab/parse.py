"""From the text to the allowed values, with NCrontab 3.3.3's grammar."""

from __future__ import annotations

import re
from typing import NamedTuple

from webjobs.ncrontab.errors import NcrontabError, Param
from webjobs.ncrontab.fields import DAY_OF_WEEK, FIELDS, MONTH, Field, Values

# .NET reads numbers as 32-bit integers.
INT32_MAX = 2**31 - 1
# What other crons call these; offered as the mend.
NICKNAMES = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
# Characters of Quartz, Jenkins and other crons that NCRONTAB does not have.
FOREIGN = re.compile(r"[?#]|^L$|^LW$|^\d+[LW]$|^H(\(.*\))?$", re.IGNORECASE)
STEP = re.compile(r"[+-]?[0-9]+", re.ASCII)
DIGITS = re.compile(r"[0-9]+", re.ASCII)


class Note(NamedTuple):
    """Something accepted, but probably not what was meant; see `warnings`."""

    code: str
    field: str
    params: dict[str, Param]


def _number(digits: str, field: Field) -> int:
    significant = digits.lstrip("0") or "0"
    if len(significant) > 10 or int(significant) > INT32_MAX:
        raise NcrontabError("number_too_large", field.key, value=digits)
    return int(significant)


def _name(text: str, field: Field) -> int:
    if FOREIGN.search(text):
        raise NcrontabError("not_ncrontab", field.key, value=text)
    if not field.names:
        raise NcrontabError(
            "not_a_number", field.key, value=text, low=field.minimum, high=field.maximum
        )
    if text.isascii():
        for number, name in enumerate(field.names, start=field.minimum):
            if name.lower().startswith(text.lower()):
                return number
    first, last = field.names[0], field.names[-1]
    limits = {"low": field.minimum, "high": field.maximum}
    raise NcrontabError("unknown_name", field.key, value=text, first=first, last=last, **limits)


def _value(text: str, field: Field) -> int:
    if not text:
        raise NcrontabError("empty_item", field.key)
    if DIGITS.fullmatch(text):
        return _number(text, field)
    return _name(text, field)


def _check(low: int, high: int, field: Field) -> None:
    if low < field.minimum:
        code, value = "too_low", low
    elif high > field.maximum:
        code, value = "too_high", high
    else:
        return
    if field is DAY_OF_WEEK and value == 7:
        raise NcrontabError("seven_is_not_sunday", field.key)
    raise NcrontabError(code, field.key, value=value, low=field.minimum, high=field.maximum)


def _range(core: str, field: Field, stepped: bool, notes: list[Note]) -> tuple[int, int]:
    if core == "*":
        return field.minimum, field.maximum
    start, dash, end = core.partition("-")
    if not start or (dash and (not end or "-" in end)):
        raise NcrontabError("bad_range", field.key, value=core)
    low = _value(start, field)
    high = _value(end, field) if dash else (field.maximum if stepped else low)
    _check(min(low, high), max(low, high), field)
    if low > high:
        wrapped = [_span(low, field.maximum), _span(field.minimum, high)]
        params: dict[str, Param] = {"value": core, "read": _span(high, low)}
        notes.append(Note("reversed_range", field.key, params | {"mend": ",".join(wrapped)}))
    return min(low, high), max(low, high)


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"


def _step(text: str, item: str, field: Field, notes: list[Note]) -> int:
    if not STEP.fullmatch(text):
        raise NcrontabError("bad_step", field.key, value=item)
    step = _number(text.lstrip("+-"), field)
    if step == 0 or text.startswith("-"):
        notes.append(Note("step_below_one", field.key, {"value": item}))
        return 1
    return step


def _item(item: str, field: Field, notes: list[Note]) -> range:
    if not item:
        raise NcrontabError("empty_item", field.key)
    core, slash, step_text = item.partition("/")
    if slash and not core:
        raise NcrontabError("bad_step", field.key, value=item)
    if FOREIGN.search(core):
        raise NcrontabError("not_ncrontab", field.key, value=item)
    step = _step(step_text, item, field, notes) if slash else 1
    low, high = _range(core, field, bool(slash), notes)
    params: dict[str, Param] = {"value": item, "first": low, "step": step}
    if step > high - low and low != high:
        notes.append(Note("step_too_large", field.key, params))
    elif core == "*" and field.size % step and field not in (MONTH, DAY_OF_WEEK):
        last = low + (high - low) // step * step
        notes.append(Note("uneven_step", field.key, params | {"last": last}))
    return range(low, high + 1, step)


def _field(text: str, field: Field, notes: list[Note]) -> tuple[int, ...]:
    allowed: set[int] = set()
    for item in text.split(","):
        allowed.update(_item(item, field, notes))
    return tuple(sorted(allowed))


def _tokens(text: str) -> list[str]:
    tokens = [token for token in text.split(" ") if token]
    if len(tokens) == len(FIELDS):
        return tokens
    if not text.strip():
        raise NcrontabError("empty")
    if len(text.split()) != len(tokens):
        raise NcrontabError("blank_is_not_space")
    if mend := NICKNAMES.get(tokens[0].lower()):
        raise NcrontabError("nickname", value=tokens[0], mend=mend)
    if len(tokens) == 5:
        raise NcrontabError("five_fields", mend="0 " + " ".join(tokens))
    raise NcrontabError("field_count", count=len(tokens))


def parse_values(text: str) -> tuple[Values, tuple[Note, ...]]:
    """The allowed values of each field and what to warn about. Raises `NcrontabError`."""
    notes: list[Note] = []
    pairs = zip(_tokens(text), FIELDS, strict=True)
    values = Values(*(_field(token, field, notes) for token, field in pairs))
    return values, tuple(notes)
