"""The limits of one named person: which of them a caller sees and sets, and where."""

from collections.abc import Mapping
from typing import Any

from governance.errors import NotFound
from governance.limits import MAX_LIMIT, Limit, Period
from governance.permissions import Permission
from governance.quotas import QuotaStore
from web.caller import Caller
from web.errors import WrongField
from web.form import choice_in, number_in

EVERYWHERE = "everywhere"
# The form of roles on the same page has a field `department` of its own.
WHERE = "limit-department"
NUMBERS = {"requests": "The number of questions", "tokens": "The number of tokens"}


class PersonLimits:
    """What `/people/{id}` shows of limits, and what is set there."""

    def __init__(self, quotas: QuotaStore) -> None:
        self._quotas = quotas

    def set(self, caller: Caller, person_id: str, fields: Mapping[str, str]) -> None:
        """Set the limit that a form asks for, or with no numbers remove it.

        Raises WrongField, Forbidden, NotFound.
        """
        limit = limit_in(caller, person_id, fields)
        caller.require(Permission.QUOTAS_MANAGE, limit.department_id)
        self._quotas.set_limit(caller.actor, limit)

    def shown(self, caller: Caller, person_id: str) -> dict[str, Any]:
        """What the page needs: the limits where the caller sets them, and where that is."""
        places = caller.departments(Permission.QUOTAS_MANAGE)
        everywhere = caller.may(Permission.QUOTAS_MANAGE)
        seen = {place.id for place in places}
        limits = [
            limit
            for limit in self._quotas.limits()
            if limit.person_id == person_id
            and (everywhere if limit.department_id is None else limit.department_id in seen)
        ]
        return {
            "limits": limits,
            "limit_places": [
                *((place.name, place.name) for place in places),
                *([(EVERYWHERE, "Everywhere")] if everywhere else []),
            ],
        }


def limit_in(caller: Caller, person_id: str, fields: Mapping[str, str]) -> Limit:
    """The limit that a form describes. Raises WrongField, NotFound."""
    department_id = _place(caller, fields.get(WHERE, ""))
    period = choice_in(fields, "period", Period, "a day or a month")
    requests, tokens = (_number(fields, name) for name in NUMBERS)
    return Limit(department_id, person_id, False, period, requests, tokens)


def _place(caller: Caller, wanted: str) -> str | None:
    if wanted == EVERYWHERE:
        return None
    if not wanted:
        raise WrongField(WHERE, "Choose a department.", "Choose where the limit holds.")
    for place in caller.departments(Permission.QUOTAS_MANAGE):
        if place.name == wanted:
            return place.id
    raise NotFound("There is no such department.", "Choose one of those that are shown.")


def _number(fields: Mapping[str, str], name: str) -> int | None:
    number = number_in(fields, name, NUMBERS[name])
    if number is not None and number > MAX_LIMIT:
        raise WrongField(
            name, f"{NUMBERS[name]} is too large.", f"Choose at most {MAX_LIMIT:,}, or none."
        )
    return number
