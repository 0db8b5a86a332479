"""The sentences for refused and for doubtful expressions, in English and French."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """One sentence in both languages, with `str.format` places."""

    en: str
    fr: str


def pick(text: Text, language: str) -> str:
    """The French text for "fr" and its variants ("fr-ca"), else the English one."""
    if not language.lower().startswith("fr"):
        return text.en
    # As the catalogue of the pages has it: no line breaks before the colon.
    return text.fr.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}").replace(" :", "\xa0:")


FIELD_NAMES = {
    "second": Text("second", "seconde"),
    "minute": Text("minute", "minute"),
    "hour": Text("hour", "heure"),
    "day": Text("day", "jour"),
    "month": Text("month", "mois"),
    "day_of_week": Text("day of week", "jour de la semaine"),
}


def field_name(key: str, language: str) -> str:
    """What people call the field."""
    return pick(FIELD_NAMES[key], language)


ORDER = "{{second}} {{minute}} {{hour}} {{day}} {{month}} {{day of week}}"
ORDRE = "{{seconde}} {{minute}} {{heure}} {{jour}} {{mois}} {{jour de la semaine}}"

ERRORS = {
    "empty": Text(
        f"The schedule is empty. Write six fields: {ORDER}, for example 0 */5 * * * *.",
        f"La planification est vide. Écrivez six champs : {ORDRE}, par exemple 0 */5 * * * *.",
    ),
    "five_fields": Text(
        "The schedule has five fields, and WebJobs need six: put the missing {{second}} field, "
        "usually 0, in front: {mend}",
        "La planification a cinq champs, il en faut six : ajoutez devant le champ {{seconde}} "
        "qui manque, en général 0 : {mend}",
    ),
    "field_count": Text(
        f"A schedule has six fields, and this has {{count}}: write {ORDER}. There is no year "
        "field.",
        f"Une planification a six champs, celle-ci en a {{count}} : écrivez {ORDRE}. L'année n'en "
        "fait pas partie.",
    ),
    "blank_is_not_space": Text(
        "The schedule holds a tab, a line break or another blank. Put plain spaces between the "
        "fields.",
        "La planification contient une tabulation, un saut de ligne ou un autre blanc. Séparez "
        "les champs par des espaces simples.",
    ),
    "nickname": Text(
        "{value} is not NCRONTAB. Write the six fields: {mend}",
        "{value} n'est pas du NCRONTAB. Écrivez les six champs : {mend}",
    ),
    "empty_item": Text(
        "The {field} field has an empty place. Write a value on both sides of each comma and dash.",
        "Le champ {field} a une place vide. Écrivez une valeur de part et d'autre de chaque "
        "virgule et de chaque tiret.",
    ),
    "too_low": Text(
        "The {field} field does not go as low as {value}. Use {low} to {high}.",
        "Le champ {field} ne descend pas jusqu'à {value}. Utilisez {low} à {high}.",
    ),
    "too_high": Text(
        "The {field} field does not go as high as {value}. Use {low} to {high}.",
        "Le champ {field} ne va pas jusqu'à {value}. Utilisez {low} à {high}.",
    ),
    "seven_is_not_sunday": Text(
        "The {field} field goes from 0 (Sunday) to 6 (Saturday). For Sunday write 0 instead of 7.",
        "Le champ {field} va de 0 (dimanche) à 6 (samedi). Pour dimanche, écrivez 0 et non 7.",
    ),
    "number_too_large": Text(
        "The {field} field has the number {value}, which is far too large. Write a smaller one.",
        "Le champ {field} contient le nombre {value}, beaucoup trop grand. Écrivez un nombre "
        "plus petit.",
    ),
    "not_ncrontab": Text(
        "The {field} field has {value}, and NCRONTAB has no ?, L, W, # or H. Use numbers, or * "
        "for every value.",
        "Le champ {field} contient {value}, et NCRONTAB n'a ni ?, ni L, W, # ou H. Utilisez des "
        "nombres, ou * pour toutes les valeurs.",
    ),
    "not_a_number": Text(
        "The {field} field has {value}, which is not a number. Use {low} to {high}, *, a list "
        "(a,b), a range (a-b) or a step (*/n).",
        "Le champ {field} contient {value}, qui n'est pas un nombre. Utilisez {low} à {high}, *, "
        "une liste (a,b), une plage (a-b) ou un pas (*/n).",
    ),
    "unknown_name": Text(
        "The {field} field has {value}, which it does not know. Use {low} to {high}, or English "
        "names or their first letters, {first} to {last}.",
        "Le champ {field} contient {value}, qu'il ne connaît pas. Utilisez {low} à {high}, ou les "
        "noms anglais ou leurs premières lettres, de {first} à {last}.",
    ),
    "bad_range": Text(
        "The {field} field has {value}, which is not a range. Write two values with one dash "
        "between, such as 1-5.",
        "Le champ {field} contient {value}, qui n'est pas une plage. Écrivez deux valeurs "
        "séparées par un seul tiret, comme 1-5.",
    ),
    "bad_step": Text(
        "The {field} field has {value}, which is not a step. Write a value, a slash and one whole "
        "number, such as */5.",
        "Le champ {field} contient {value}, qui n'est pas un pas. Écrivez une valeur, une barre "
        "oblique et un nombre entier, comme */5.",
    ),
}

WARNINGS = {
    "never": Text(
        "This date never comes: no month it names has such a day.",
        "Cette date n'arrive jamais : aucun des mois choisis n'a ce jour.",
    ),
    "reversed_range": Text(
        "In the {field} field, {value} is read as {read}, because ranges do not wrap around. "
        "If you meant to wrap around, write {mend}.",
        "Dans le champ {field}, {value} est lu comme {read}, car une plage ne fait pas le tour. "
        "Si elle devait faire le tour, écrivez {mend}.",
    ),
    "every_second_of_minute": Text(
        "The * in the second field starts a run every second of each matching minute. "
        "For once a minute write 0.",
        "Le * du champ seconde lance une exécution à chaque seconde des minutes choisies. "
        "Pour une fois par minute, écrivez 0.",
    ),
    "more_than_once_a_minute": Text(
        "This runs {count} times a minute. For once a minute write 0 in the second field.",
        "Ceci s'exécute {count} fois par minute. Pour une fois par minute, écrivez 0 dans le "
        "champ seconde.",
    ),
    "every_minute_of_hour": Text(
        "The * in the minute field starts a run every minute of that hour. For once write 0.",
        "Le * du champ minute lance une exécution à chaque minute de cette heure. Pour une seule "
        "fois, écrivez 0.",
    ),
    "day_and_weekday": Text(
        "Both the day of the month and the day of week must match. Other crons run when either "
        "does.",
        "Le jour du mois et le jour de la semaine doivent correspondre tous les deux. D'autres "
        "crons se contentent de l'un d'eux.",
    ),
    "leap_years": Text(
        "29 February comes in leap years only.",
        "Le 29 février n'existe que les années bissextiles.",
    ),
    "short_months": Text(
        "Months without a day {day} are left out.",
        "Les mois sans jour {day} sont sautés.",
    ),
    "step_below_one": Text(
        "In the {field} field, the step of {value} is below 1 and is read as 1.",
        "Dans le champ {field}, le pas de {value} est inférieur à 1 et est lu comme 1.",
    ),
    "step_too_large": Text(
        "In the {field} field, the step of {value} is longer than the range: only {first} is left.",
        "Dans le champ {field}, le pas de {value} dépasse la plage : il ne reste que {first}.",
    ),
    "uneven_step": Text(
        "In the {field} field, {value} starts again at {first} after {last}, so that interval is "
        "shorter than {step}.",
        "Dans le champ {field}, {value} repart de {first} après {last} : cet intervalle est plus "
        "court que {step}.",
    ),
}
