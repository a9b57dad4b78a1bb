"""What a reader can report of an answer of their own, and what the pages show of it."""

from dataclasses import dataclass
from typing import Any

from governance.permissions import Permission
from governance.policies import Department, PolicyStore
from rag.schema import AnswerStatus
from web.asked import Asked
from web.caller import Caller
from web.errors import AnswerGone
from web.feedback_words import FEEDBACK_STATES, GAP_STATES, REASON_NAMES, SENT
from web.parts import Platform
from web.shelf import Shelf
from web.wording import name_words


@dataclass(frozen=True, slots=True)
class PolicyShown:
    """A policy in force, as lists of reports name it."""

    document_id: str
    name: str
    owner: str
    url: str


def policies_shown(policies: PolicyStore, department: str) -> dict[str, PolicyShown]:
    """The policies in force in a department, by document, in the order of their names."""
    found = [
        PolicyShown(
            one.document_id,
            name_words(one.policy_number, one.title),
            one.owner or "",
            f"/documents/{one.document_id}/versions/{one.version}",
        )
        for one in policies.documents(department)
    ]
    return {one.document_id: one for one in sorted(found, key=lambda one: one.name.casefold())}


def own_answer(caller: Caller, answers: Shelf[Asked], answer_id: str) -> Asked:
    """A question that the caller asked, where they may ask still. Raises AnswerGone."""
    asked = answers.get(answer_id)
    if asked is None or asked.owner != caller.owner:
        raise AnswerGone
    if asked.department not in caller.department_names(Permission.POLICIES_ASK):
        raise AnswerGone
    return asked


def report_values(platform: Platform, caller: Caller, asked: Asked) -> dict[str, Any]:
    """What the answer's templates need to offer a report, or to show the one that was made."""
    answer = asked.answer
    if answer is None or caller.principal.person_id is None:
        return {"may_report": False}
    place = place_of(caller, asked.department)
    rule = platform.retention.rule(place.id, platform.clock())
    values: dict[str, Any] = {"may_report": True, "sent": SENT[rule.mode], "mode": rule.mode.value}
    if answer.status is AnswerStatus.ANSWERED:
        given = platform.voices.feedback.of_question(asked.id)
        words = {"reasons": REASON_NAMES, "feedback_states": FEEDBACK_STATES}
        return values | words | {"given": given}
    gap = platform.voices.gaps.of_question(asked.id)
    known = policies_shown(platform.policies, asked.department)
    return values | {
        "gap": gap,
        "gap_states": GAP_STATES,
        "answering": known.get(gap.document_id or "") if gap else None,
        "owners": {one.document_id: one.owner for one in known.values()},
    }


def asking_in(caller: Caller) -> list[str]:
    """The ids of the departments in which the caller may ask."""
    return [one.id for one in caller.departments(Permission.POLICIES_ASK)]


def place_of(caller: Caller, name: str) -> Department:
    """The department of this name, which the caller was just shown to know."""
    return next(one for one in caller.known if one.name == name)
