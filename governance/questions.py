"""Records every question that was asked: a row, a body where the department keeps text, an event.

The row and the event say who asked, where, which passages and versions the answer came from, which
model and prompt made it, and how it was checked; never a word of the text. Where text is kept, the
event also holds commitments to it: HMAC-SHA-256 under the platform's key over a salt that is sealed
with the text. While the body lasts, that proves what was asked; after the purge the salt is gone
and nobody, not even with the key, can try texts against it.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, RowMapping, Select, select

from governance.charges import Charge, close
from governance.config import GovernanceSettings
from governance.errors import NotFound
from governance.events import Action, Actor, Event, Fact
from governance.masking import mask
from governance.record.database import Record
from governance.record.use_tables import questions
from governance.retention import RetentionStore
from governance.retention_rules import RetentionMode, RetentionRule
from governance.secrets import Secrets
from governance.vault import Vault

SALT_BYTES = 32
MAX_LISTED = 200


class Channel(StrEnum):
    """By which way a question came."""

    PAGE = "page"
    API = "api"
    OPENAI = "openai"
    COMMAND = "command"
    MCP = "mcp"


class QuestionStatus(StrEnum):
    """How a question ended."""

    ANSWERED = "answered"
    NOT_FOUND = "not_found"
    REFUSED = "refused"
    FAILED = "failed"
    ABORTED = "aborted"


OUTCOMES: Mapping[QuestionStatus, str] = {
    QuestionStatus.ANSWERED: "done",
    QuestionStatus.NOT_FOUND: "done",
    QuestionStatus.REFUSED: "refused",
    QuestionStatus.FAILED: "failed",
    QuestionStatus.ABORTED: "failed",
}


@dataclass(frozen=True, slots=True)
class PassageUsed:
    """A passage that the model was given: its id, the SHA-256 of its text, and its version."""

    passage_id: str
    sha256: str
    version_id: str


@dataclass(frozen=True, slots=True)
class AskedRecord:
    """One question and how it ended; only `question` and `answer` are text, and repr hides them.

    checks: by name, as yes/no, count or share. timings_ms: by name. question_id: the answer's own
    id where it has one already.
    """

    department_id: str
    person_id: str | None
    channel: Channel
    status: QuestionStatus
    question: str = field(repr=False)
    answer: str = field(repr=False)
    passages: tuple[PassageUsed, ...] = ()
    model: str | None = None
    model_digest: str | None = None
    prompt_version: str | None = None
    checks: Mapping[str, bool | int | float] = field(default_factory=dict)
    timings_ms: Mapping[str, int] = field(default_factory=dict)
    tokens: int = 0
    request_id: str | None = None
    question_id: str | None = None


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question as lists show it: no text."""

    question_id: str
    person_id: str | None
    department_id: str
    channel: Channel
    asked_at: datetime
    status: QuestionStatus
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KeptText:
    """The text of a question that is still kept; commitments are those of its event."""

    question: str = field(repr=False)
    answer: str = field(repr=False)
    masked: bool
    question_commitment: str
    answer_commitment: str


@dataclass(frozen=True, slots=True)
class Salted:
    """Question and answer as they are kept, with the salt of their commitments."""

    question: str = field(repr=False)
    answer: str = field(repr=False)
    salt: bytes = field(repr=False)


class QuestionStore:
    """Writes and reads what was asked."""

    def __init__(self, record: Record, secrets: Secrets, settings: GovernanceSettings) -> None:
        self._record = record
        self._secrets = secrets
        self._vault = Vault(secrets)
        self._retention = RetentionStore(record, self._vault, settings)

    def record_answer(
        self, actor: Actor, asked: AskedRecord, now: datetime, charge: Charge | None = None
    ) -> str:
        """Record a question with its outcome and its charge; returns its id.

        Raises UnknownDepartment.
        """
        question_id = asked.question_id or str(uuid4())
        with self._record.write() as connection:
            rule = self._retention.rule_within(connection, asked.department_id, now)
            details = _details(asked, rule.mode)
            connection.execute(
                questions.insert().values(
                    id=question_id,
                    person_id=asked.person_id,
                    department_id=asked.department_id,
                    channel=asked.channel,
                    asked_at=now,
                    status=asked.status,
                    details=details,
                )
            )
            kept = self._keep_text(connection, rule, question_id, asked, now)
            if charge is not None:
                # One that was ended meanwhile stays as it is; the event says what was used.
                close(connection, charge)
            event = self._event(actor, question_id, asked, rule.mode, details, kept)
            self._record.trail.append(connection, event)
        return question_id

    def read(
        self, actor: Actor, question_id: str, department_ids: Collection[str]
    ) -> tuple[AskedQuestion, KeptText | None]:
        """A question of one of these departments with its text, where any is kept.

        That it was read is recorded. Raises NotFound, VaultDamaged.
        """
        with self._record.write() as connection:
            query = select(questions).where(
                questions.c.id == question_id, questions.c.department_id.in_(department_ids)
            )
            row = connection.execute(query).mappings().one_or_none()
            if row is None:
                raise NotFound("This question is not here.", "Check its id, or search again.")
            asked = _asked(row)
            body = self._vault.open(connection, asked.department_id, question_id)
            event = Event(
                Action.QUESTION_READ,
                actor,
                asked.department_id,
                "question",
                question_id,
                facts={"text": body is not None},
            )
            self._record.trail.append(connection, event)
        if body is None:
            return asked, None
        salted = _unpacked(body.plaintext)
        return asked, KeptText(
            salted.question,
            salted.answer,
            body.masked,
            self._commitment("question", salted.salt, salted.question),
            self._commitment("answer", salted.salt, salted.answer),
        )

    def of_person(self, person_id: str, limit: int = 50) -> tuple[AskedQuestion, ...]:
        """What a person asked, newest first, without text."""
        return self._list(_newest(limit).where(questions.c.person_id == person_id))

    def search(
        self,
        department_ids: Sequence[str],
        *,
        person_id: str | None = None,
        status: QuestionStatus | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
    ) -> tuple[AskedQuestion, ...]:
        """What was asked in these departments from `since` until before `until`, newest first."""
        query = _newest(limit).where(questions.c.department_id.in_(department_ids))
        if person_id is not None:
            query = query.where(questions.c.person_id == person_id)
        if status is not None:
            query = query.where(questions.c.status == status)
        if since is not None:
            query = query.where(questions.c.asked_at >= since)
        if until is not None:
            query = query.where(questions.c.asked_at < until)
        return self._list(query)

    def _keep_text(
        self,
        connection: Connection,
        rule: RetentionRule,
        question_id: str,
        asked: AskedRecord,
        now: datetime,
    ) -> Salted | None:
        """Seal the text as the department keeps it; None where it keeps none."""
        if not rule.mode.keeps_text:
            return None
        masked = rule.mode is RetentionMode.MASKED
        shown = mask if masked else str
        kept = Salted(shown(asked.question), shown(asked.answer), os.urandom(SALT_BYTES))
        self._vault.seal(
            connection,
            asked.department_id,
            question_id,
            _packed(kept),
            masked=masked,
            sealed_at=now,
            purge_at=rule.kept_until(now),
        )
        return kept

    def _event(
        self,
        actor: Actor,
        question_id: str,
        asked: AskedRecord,
        mode: RetentionMode,
        details: str,
        kept: Salted | None,
    ) -> Event:
        facts: dict[str, Fact] = {
            "status": str(asked.status),
            "channel": str(asked.channel),
            "retention": str(mode),
            "passages": [passage.sha256 for passage in asked.passages],
            "versions": sorted({passage.version_id for passage in asked.passages}),
            "model": asked.model,
            "model_digest": asked.model_digest,
            "prompt_version": asked.prompt_version,
            "tokens": asked.tokens,
            "details_sha256": hashlib.sha256(details.encode()).hexdigest(),
        }
        digest = None
        if kept is not None:
            digest = self._commitment("question", kept.salt, kept.question)
            facts["answer_commitment"] = self._commitment("answer", kept.salt, kept.answer)
        return Event(
            Action.QUESTION_ASKED,
            actor,
            asked.department_id,
            "question",
            question_id,
            digest=digest,
            outcome=OUTCOMES[asked.status],
            request_id=asked.request_id,
            facts=facts,
        )

    def _commitment(self, kind: str, salt: bytes, text: str) -> str:
        # A lone half of a surrogate pair can come through JSON; it is text of somebody's, too.
        message = kind.encode() + b"\0" + salt + text.encode(errors="surrogatepass")
        return hmac.new(self._secrets.hmac_key(), message, hashlib.sha256).hexdigest()

    def _list(self, query: Select[Any]) -> tuple[AskedQuestion, ...]:
        with self._record.read() as connection:
            return tuple(_asked(row) for row in connection.execute(query).mappings())


def _newest(limit: int) -> Select[Any]:
    newest = (questions.c.asked_at.desc(), questions.c.id)
    return select(questions).order_by(*newest).limit(min(limit, MAX_LISTED))


def _asked(row: RowMapping) -> AskedQuestion:
    return AskedQuestion(
        row["id"],
        row["person_id"],
        row["department_id"],
        Channel(row["channel"]),
        row["asked_at"],
        QuestionStatus(row["status"]),
        json.loads(row["details"]),
    )


def _details(asked: AskedRecord, mode: RetentionMode) -> str:
    """What the row says of a question, as JSON; in mode `none` not even how long its text was."""
    details: dict[str, Any] = {
        "passages": [asdict(passage) for passage in asked.passages],
        "model": asked.model,
        "model_digest": asked.model_digest,
        "prompt_version": asked.prompt_version,
        "checks": dict(asked.checks),
        "timings_ms": dict(asked.timings_ms),
        "tokens": asked.tokens,
        "retention": str(mode),
    }
    if mode is not RetentionMode.NONE:
        details["question_chars"] = len(asked.question)
        details["answer_chars"] = len(asked.answer)
    return json.dumps(details, sort_keys=True)


def _packed(kept: Salted) -> bytes:
    body = {"question": kept.question, "answer": kept.answer, "salt": kept.salt.hex()}
    return json.dumps(body).encode()


def _unpacked(plaintext: bytes) -> Salted:
    body = json.loads(plaintext)
    return Salted(body["question"], body["answer"], bytes.fromhex(body["salt"]))
