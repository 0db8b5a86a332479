"""The French phrases of `describe`."""

from __future__ import annotations

from collections.abc import Sequence

from webjobs.ncrontab.words import Run

MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
WEEKDAYS = ("dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi")
WHOLE = {"second": "de la minute", "minute": "de l’heure"}
UNITS = {"second": "seconde", "minute": "minute", "hour": "heure", "day": "jour"}


def _of(noun: str) -> str:
    return f"d’{noun}" if noun[0] in "aeo" else f"de {noun}"


def _day(number: int) -> str:
    return "1er" if number == 1 else str(number)


def _is_single(parts: Sequence[Run]) -> bool:
    return len(parts) == 1 and parts[0][0] == parts[0][1]


class French:
    """See `Words`. Times are on the 24-hour clock."""

    def join(self, items: Sequence[str]) -> str:
        """`a, b et c`."""
        return " et ".join(filter(None, [", ".join(items[:-1]), items[-1]]))

    def _values(self, parts: Sequence[Run]) -> str:
        return self.join([str(a) if a == b else f"{a} à {b}" for a, b in parts])

    def clock(self, hour: int, minute: int, second: int | None = None) -> str:
        """`09:30`, with the second when given."""
        return f"{hour:02}:{minute:02}" + ("" if second is None else f":{second:02}")

    def at_times(self, times: Sequence[str]) -> str:
        """`à 09:30`."""
        return f"à {self.join(times)}"

    def every(self, unit: str, step: int) -> str:
        """`toutes les 5 minutes`."""
        return f"toutes les {UNITS[unit]}s" if step == 1 else f"toutes les {step} {UNITS[unit]}s"

    def from_to(self, unit: str, first: int, last: int) -> str:
        """`de la minute 5 à la minute 55 de l’heure`."""
        return f"de la {UNITS[unit]} {first} à la {UNITS[unit]} {last} {WHOLE[unit]}"

    def at_values(self, unit: str, parts: Sequence[Run]) -> str:
        """`aux minutes 5 et 17 de l’heure`."""
        noun = f"à la {UNITS[unit]}" if _is_single(parts) else f"aux {UNITS[unit]}s"
        return f"{noun} {self._values(parts)} {WHOLE[unit]}"

    def in_minutes(self, parts: Sequence[Run]) -> str:
        """`pendant les minutes 5 à 10 de l’heure`."""
        noun = "la minute" if _is_single(parts) else "les minutes"
        return f"pendant {noun} {self._values(parts)} de l’heure"

    def one_in(self, unit: str, step: int) -> str:
        """`pendant une heure sur 2`; a day stands alone."""
        return f"un jour sur {step}" if unit == "day" else f"pendant une {UNITS[unit]} sur {step}"

    def span(self, start: str, end: str) -> str:
        """`de 09:00 à 17:59`."""
        return f"de {start} à {end}"

    def every_day(self) -> str:
        """`tous les jours`."""
        return "tous les jours"

    def on_date(self, day: int, month: int) -> str:
        """`le 1er janvier`."""
        return f"le {_day(day)} {MONTHS[month - 1]}"

    def on_days(self, parts: Sequence[Run]) -> str:
        """`le 15 du mois`, `les jours 1 à 7 et 15 du mois`."""
        if _is_single(parts):
            return f"le {_day(parts[0][0])} du mois"
        return f"les jours {self._values(parts)} du mois"

    def days_from_to(self, first: int, last: int) -> str:
        """`du 1er au 31 du mois`."""
        return f"du {_day(first)} au {_day(last)} du mois"

    def in_months(self, parts: Sequence[Run]) -> str:
        """`en mars et juin`, `d’avril à juin`."""
        singles = [MONTHS[a - 1] for a, b in parts if a == b]
        ranges = [f"{_of(MONTHS[a - 1])} à {MONTHS[b - 1]}" for a, b in parts if a != b]
        return self.join(ranges + ([f"en {self.join(singles)}"] if singles else []))

    def weekday_run(self, first: int, last: int) -> str:
        """`du lundi au vendredi`."""
        return f"du {WEEKDAYS[first]} au {WEEKDAYS[last]}"

    def on_weekdays(self, days: Sequence[int]) -> str:
        """`le lundi et le mercredi`."""
        return self.join([f"le {WEEKDAYS[day]}" for day in days])

    def only_on(self, days: Sequence[int], run: Run | None) -> str:
        """`seulement si ce jour est un lundi`."""
        if run:
            return f"seulement si ce jour tombe {self.weekday_run(*run)}"
        if len(days) == 1:
            return f"seulement si ce jour est un {WEEKDAYS[days[0]]}"
        return f"seulement si ce jour est parmi {self.join([WEEKDAYS[day] for day in days])}"
