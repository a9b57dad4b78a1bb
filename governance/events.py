"""What is written into the audit trail: one list of acts, each named `noun.past_tense`.

Pure. An event says who did what to which thing, and how it ended. It carries ids, digests and
counts; never the text of a question, an answer or a document, and never a patient's name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from governance.permissions import Principal

Fact = str | int | bool | None | list[str]


class Action(StrEnum):
    """Every act that is recorded; `noun.past_tense`."""

    DEPARTMENT_CREATED = "department.created"
    DOCUMENT_HANDED_IN = "document.handed_in"
    DOCUMENT_PUBLISHED = "document.published"
    DOCUMENT_REFUSED = "document.refused"
    DOCUMENT_DELETED = "document.deleted"
    DOCUMENT_READ = "document.read"
    DOCUMENT_ERASED = "document.erased"
    VERSION_LOADED = "version.loaded"
    VERSION_CHANGED = "version.changed"
    VERSION_SUBMITTED = "version.submitted"
    VERSION_RETURNED = "version.returned"
    VERSION_APPROVED = "version.approved"
    VERSION_OVERRIDDEN = "version.overridden"
    VERSION_FIXED = "version.fixed"
    VERSION_RECALLED = "version.recalled"
    VERSION_RETIRED = "version.retired"
    DOCUMENT_KEPT = "document.kept"
    FILE_MISSED = "file.missed"
    FOLDER_WATCHED = "folder.watched"
    FOLDER_UNWATCHED = "folder.unwatched"
    FOLDER_CONFIRMED = "folder.confirmed"
    JOB_RETRIED = "job.retried"
    JOB_FORGOTTEN = "job.forgotten"
    QUESTION_ASKED = "question.asked"
    QUESTION_READ = "question.read"
    FEEDBACK_GIVEN = "feedback.given"
    FEEDBACK_SETTLED = "feedback.settled"
    GAP_REPORTED = "gap.reported"
    GAP_SETTLED = "gap.settled"
    ABBREVIATION_ADDED = "abbreviation.added"
    ABBREVIATION_REMOVED = "abbreviation.removed"
    POLICIES_SEARCHED = "policies.searched"
    MODEL_USED = "model.used"
    MODEL_PULLED = "model.pulled"
    MODEL_CREATED = "model.created"
    MODEL_COPIED = "model.copied"
    MODEL_DELETED = "model.deleted"
    MODEL_PUSHED = "model.pushed"
    MODEL_UPLOADED = "model.uploaded"
    MODEL_REFUSED = "model.refused"
    MODEL_BLOCKED = "model.blocked"
    MODEL_UNBLOCKED = "model.unblocked"
    MODEL_QUARANTINED = "model.quarantined"
    MODEL_RELEASED = "model.released"
    MODEL_DAMAGED = "model.damaged"
    CATALOGUE_TRUSTED = "catalogue.trusted"
    APPROVAL_PROPOSED = "approval.proposed"
    APPROVAL_GIVEN = "approval.given"
    APPROVAL_WITHDRAWN = "approval.withdrawn"
    APPROVAL_REVOKED = "approval.revoked"
    EVALUATION_RECORDED = "evaluation.recorded"
    EVALUATION_STARTED = "evaluation.started"
    EVALUATION_ENDED = "evaluation.ended"
    BASELINE_CHOSEN = "baseline.chosen"
    GATE_CHANGED = "gate.changed"
    GATE_OVERRIDDEN = "gate.overridden"
    GOLD_QUESTION_SAVED = "gold_question.saved"
    GOLD_QUESTION_RETIRED = "gold_question.retired"
    DATA_CLASS_CHANGED = "data_class.changed"
    PERSON_CREATED = "person.created"
    PERSON_SUSPENDED = "person.suspended"
    PERSON_RESTORED = "person.restored"
    ROLE_GRANTED = "role.granted"
    ROLE_WITHDRAWN = "role.withdrawn"
    PASSWORD_SET = "password.set"  # noqa: S105
    TICKET_ISSUED = "ticket.issued"
    TICKET_USED = "ticket.used"
    SESSION_STARTED = "session.started"
    SESSION_REFUSED = "session.refused"
    SESSION_ENDED = "session.ended"
    SESSION_LOCKED = "session.locked"
    SESSION_UNLOCKED = "session.unlocked"
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    EMERGENCY_STARTED = "emergency.started"
    EMERGENCY_REVIEWED = "emergency.reviewed"
    QUOTA_CHANGED = "quota.changed"
    RETENTION_PROPOSED = "retention.proposed"
    RETENTION_AGREED = "retention.agreed"
    RETENTION_CHANGED = "retention.changed"
    HOLD_SET = "hold.set"
    HOLD_LIFTED = "hold.lifted"
    BODY_PURGED = "body.purged"
    ACCESS_DENIED = "access.denied"
    AUDIT_SEARCHED = "audit.searched"
    AUDIT_EXPORTED = "audit.exported"
    AUDIT_RESUMED = "audit.resumed"
    CHECKPOINT_KEY_CHANGED = "checkpoint_key.changed"
    CLOCK_REGRESSED = "clock.regressed"
    BACKUP_MADE = "backup.made"
    BACKUP_RESTORED = "backup.restored"
    INDEX_REBUILT = "index.rebuilt"
    PLATFORM_STARTED = "platform.started"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a stable identity, never a name alone."""

    issuer: str
    subject: str
    auth: str
    person_id: str | None = None
    key_id: str | None = None

    @property
    def id(self) -> str:
        """The identity as one text, for the search: `issuer|subject`."""
        return f"{self.issuer}|{self.subject}"


SYSTEM = Actor("lamplight", "system", "none")


@dataclass(frozen=True, slots=True)
class Event:
    """One act as it goes into the trail.

    object_type, object_id, digest: what it was done to. outcome: `done`, `refused` or `failed`.
    facts: ids, counts and settings that belong to it.
    """

    action: Action
    actor: Actor
    department_id: str | None = None
    object_type: str | None = None
    object_id: str | None = None
    digest: str | None = None
    outcome: str = "done"
    reason: str | None = None
    request_id: str | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)


def actor_of(principal: Principal) -> Actor:
    """The actor of what a principal does."""
    return Actor(
        principal.issuer, principal.subject, principal.auth, principal.person_id, principal.key_id
    )
