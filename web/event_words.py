"""Events of the trail as sentences: who did what to what, how it ended, and what more it says.

Pure. Names are those of today; the event itself holds ids, which the details show.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.audit.search import Found
from governance.events import Action
from governance.permissions import Permission
from web.role_words import PERMISSION_NAMES, ROLE_NAMES

WORDS: Mapping[Action, str] = {
    Action.DEPARTMENT_CREATED: "created the department {thing}",
    Action.DOCUMENT_HANDED_IN: "handed in {thing}",
    Action.DOCUMENT_PUBLISHED: "put {thing} in force",
    Action.DOCUMENT_REFUSED: "could not load {thing}",
    Action.DOCUMENT_DELETED: "removed {thing}",
    Action.DOCUMENT_READ: "read {thing}",
    Action.DOCUMENT_ERASED: "removed every trace of {thing}",
    Action.VERSION_LOADED: "loaded {thing}",
    Action.VERSION_CHANGED: "changed what is stated about {thing}",
    Action.VERSION_SUBMITTED: "submitted {thing} for approval",
    Action.VERSION_RETURNED: "sent {thing} back",
    Action.VERSION_APPROVED: "approved {thing}",
    Action.VERSION_OVERRIDDEN: "put {thing} in force without a second person",
    Action.VERSION_FIXED: "put a minor fix of {thing} in force",
    Action.VERSION_RECALLED: "recalled the approval of {thing}",
    Action.VERSION_RETIRED: "retired {thing}",
    Action.DOCUMENT_KEPT: "kept {thing}, whose file is gone from a watched folder",
    Action.FILE_MISSED: "missed the file of {thing} in a watched folder",
    Action.FOLDER_WATCHED: "let a folder be watched",
    Action.FOLDER_UNWATCHED: "ended the watch of a folder",
    Action.FOLDER_CONFIRMED: "confirmed that files of a watched folder were removed on purpose",
    Action.JOB_RETRIED: "tried to load {thing} again",
    Action.JOB_FORGOTTEN: "cleared a failed load from the list",
    Action.QUESTION_ASKED: "asked a question",
    Action.QUESTION_READ: "read what somebody asked",
    Action.FEEDBACK_GIVEN: "said what they think of an answer",
    Action.FEEDBACK_SETTLED: "dealt with feedback on an answer",
    Action.GAP_REPORTED: "reported a question that no policy answers",
    Action.GAP_SETTLED: "dealt with a question that no policy answers",
    Action.ABBREVIATION_ADDED: "added abbreviations to {thing}",
    Action.ABBREVIATION_REMOVED: "removed an abbreviation from {thing}",
    Action.POLICIES_SEARCHED: "searched the policies",
    Action.MODEL_USED: "used the model {thing}",
    Action.MODEL_PULLED: "installed the model {thing}",
    Action.MODEL_CREATED: "created the model {thing}",
    Action.MODEL_COPIED: "copied the model {thing}",
    Action.MODEL_DELETED: "removed the model {thing}",
    Action.MODEL_PUSHED: "took the model {thing} to a registry",
    Action.MODEL_UPLOADED: "uploaded the model file {thing}",
    Action.MODEL_REFUSED: "was refused the model {thing}, which is not approved for it",
    Action.MODEL_BLOCKED: "blocked {thing}",
    Action.MODEL_UNBLOCKED: "lifted the block of {thing}",
    Action.MODEL_QUARANTINED: "set aside the model {thing}, whose process kept ending",
    Action.MODEL_RELEASED: "let the model {thing} be loaded again",
    Action.MODEL_DAMAGED: "found a file of the model {thing} damaged",
    Action.CATALOGUE_TRUSTED: "trusted the catalogue root {thing}",
    Action.APPROVAL_PROPOSED: "proposed to approve a model",
    Action.EVALUATION_RECORDED: "recorded an evaluation of models",
    Action.EVALUATION_STARTED: "started an evaluation",
    Action.EVALUATION_ENDED: "ended an evaluation",
    Action.BASELINE_CHOSEN: "chose the evaluation that others are compared with",
    Action.GATE_CHANGED: "changed what {thing} asks of evaluations before people get answers",
    Action.GATE_OVERRIDDEN: "let questions of {thing} through without an evaluation that passes",
    Action.GOLD_QUESTION_SAVED: "saved gold questions of {thing}",
    Action.GOLD_QUESTION_RETIRED: "retired a gold question",
    Action.APPROVAL_GIVEN: "approved a model",
    Action.APPROVAL_WITHDRAWN: "withdrew the proposal to approve a model",
    Action.APPROVAL_REVOKED: "revoked the approval of a model",
    Action.DATA_CLASS_CHANGED: "changed how confidential the data of {thing} is",
    Action.PERSON_CREATED: "added {thing}",
    Action.PERSON_SUSPENDED: "suspended {thing}",
    Action.PERSON_RESTORED: "restored {thing}",
    Action.ROLE_GRANTED: "gave {thing} the role {role}",
    Action.ROLE_WITHDRAWN: "took the role {role} from {thing}",
    Action.PASSWORD_SET: "set a password",
    Action.TICKET_ISSUED: "made a one-time link for {person}",
    Action.TICKET_USED: "used a one-time link",
    Action.SESSION_STARTED: "signed in",
    Action.SESSION_REFUSED: "failed to sign in",
    Action.SESSION_ENDED: "ended a session",
    Action.SESSION_LOCKED: "locked a session",
    Action.SESSION_UNLOCKED: "unlocked a session",
    Action.KEY_CREATED: "made a key for programs",
    Action.KEY_REVOKED: "revoked a key for programs",
    Action.EMERGENCY_STARTED: "started emergency access",
    Action.EMERGENCY_REVIEWED: "reviewed the emergency access of {thing}",
    Action.QUOTA_CHANGED: "changed a limit of use",
    Action.RETENTION_PROPOSED: "proposed to change what is kept of questions",
    Action.RETENTION_AGREED: "agreed to change what is kept of questions",
    Action.RETENTION_CHANGED: "changed what is kept of questions",
    Action.HOLD_SET: "set a legal hold",
    Action.HOLD_LIFTED: "lifted a legal hold",
    Action.BODY_PURGED: "destroyed the text of a question, as its time was over",
    Action.ACCESS_DENIED: "was refused: {permission}",
    Action.AUDIT_SEARCHED: "looked into the audit trail",
    Action.AUDIT_EXPORTED: "downloaded the audit trail",
    Action.AUDIT_RESUMED: "could record again, after acts were refused because it could not",
    Action.CHECKPOINT_KEY_CHANGED: "changed the key that signs the audit trail",
    Action.CLOCK_REGRESSED: "found that the clock was set back",
    Action.BACKUP_MADE: "made a backup",
    Action.BACKUP_RESTORED: "restored a backup",
    Action.INDEX_REBUILT: "built the search index anew",
    Action.PLATFORM_STARTED: "started the platform",
}
OUTCOMES: Mapping[str, str] = {"refused": "Refused", "failed": "Failed"}
# What an act was done to, where no event is meant yet.
THINGS: Mapping[str, str] = {
    "document": "a document",
    "file": "a document",
    "person": "a person",
    "role": "somebody",
    "emergency": "somebody",
    "model": "a model",
    "data_class": "a department",
    "abbreviation": "a department",
    "gate": "a department",
}
SUBJECTS: Mapping[str, str] = {
    "local|owner": "The owner of the data directory",
    "lamplight|system": "Lamplight itself",
    "lamplight|watch": "A watched folder",
    "runtime|local": "A program on this computer",
    "runtime|unidentified": "Somebody unknown",
    "platform|unidentified": "Somebody unknown",
}
MAX_ID_CHARS = 60
# Why somebody was refused of whom nothing is known.
NO_CREDENTIAL = "nothing showed who asks"


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called today."""

    people: Mapping[str, str]
    departments: Mapping[str, str]
    documents: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as people read it; details: names and values as they stand in the trail."""

    seq: int
    at: datetime
    who: str
    what: str
    outcome: str
    department: str
    question_id: str | None
    details: tuple[tuple[str, str], ...]


def action_words(action: Action) -> str:
    """A kind of act, for the list to choose from."""
    noun = action.value.partition(".")[0]
    words = WORDS[action].format(
        thing=THINGS.get(noun, ""), role="", person="somebody", permission="no right to do it"
    )
    return " ".join((words[0].upper() + words[1:]).split())


def entry_of(found: Found, names: Names) -> Entry:
    """An event in words."""
    body = found.body
    facts = body["facts"]
    return Entry(
        seq=found.seq,
        at=found.at,
        who=_who(body["actor"], names),
        what=_what(found.action, body, names),
        outcome=OUTCOMES.get(body["outcome"], ""),
        department=_department(body["tenant"], names),
        question_id=body["object"]["id"] if body["object"]["type"] == "question" else None,
        details=tuple(_details(body, facts)),
    )


def _who(actor: Mapping[str, Any], names: Names) -> str:
    known = names.people.get(actor["person"] or "")
    return known or SUBJECTS.get(f"{actor['iss']}|{actor['sub']}") or str(actor["sub"])


def _what(action: str, body: Mapping[str, Any], names: Names) -> str:
    facts = body["facts"]
    try:
        words = WORDS[Action(action)]
    except ValueError:
        # A newer version wrote it.
        return action
    return words.format(
        thing=_thing(body["object"], names),
        role=_named(facts.get("role"), {one.value: name for one, name in ROLE_NAMES.items()}),
        person=names.people.get(str(facts.get("person")), "somebody"),
        permission=_named(facts.get("permission", NO_CREDENTIAL), _PERMISSIONS),
    )


def _thing(thing: Mapping[str, Any], names: Names) -> str:
    thing_id = str(thing["id"])
    if thing["type"] == "person":
        return names.people.get(thing_id, "somebody")
    if thing["type"] == "department":
        return names.departments.get(thing_id, "")
    if thing["type"] == "document":
        title = names.documents.get(thing_id)
        return f"“{title}”" if title else "a document"
    return thing_id[:MAX_ID_CHARS] if thing["id"] else "something"


def _department(department_id: str | None, names: Names) -> str:
    return "" if department_id is None else names.departments.get(department_id, "")


def _named(value: object, names: Mapping[str, str]) -> str:
    return names.get(str(value), str(value))


def _details(body: Mapping[str, Any], facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    actor, thing = body["actor"], body["object"]
    found = [
        ("Kind of event", body["action"]),
        ("Identity", f"{actor['iss']}|{actor['sub']}"),
        ("Shown by", actor["auth"]),
        ("Key", actor["key"]),
        ("Object", f"{thing['type']} {thing['id']}" if thing["id"] else None),
        ("Digest", thing["digest"]),
        ("Reason", body["reason"]),
        ("Request", body["request_id"]),
    ]
    found += [(name.replace("_", " "), _value(value)) for name, value in sorted(facts.items())]
    return [(name, str(value)) for name, value in found if value is not None]


def _value(value: object) -> str | None:
    if value is None or value == []:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


_PERMISSIONS: Mapping[str, str] = {one.value: PERMISSION_NAMES[one] for one in Permission}
