"""Questions: one record of each, and no more of its text than the department keeps."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from governance.charges import Charge
from governance.config import GovernanceSettings
from governance.errors import NotFound, UnknownDepartment
from governance.events import SYSTEM, Actor
from governance.policies import Department, PolicyStore
from governance.questions import (
    OUTCOMES,
    AskedRecord,
    Channel,
    PassageUsed,
    QuestionStatus,
    QuestionStore,
)
from governance.quotas import QuotaStore
from governance.record.database import Record
from governance.record.people_tables import people
from governance.record.trail_tables import audit_leaves
from governance.record.use_tables import question_bodies, questions, usage
from governance.retention import RetentionStore
from governance.retention_rules import RetentionMode
from governance.secrets import Secrets
from governance.vault import Vault

NOW = datetime(2026, 5, 12, 9, tzinfo=UTC)
PERSON = "11111111-1111-4111-8111-111111111111"
ANNA = Actor("local", "anna", "password", person_id=PERSON)
BEN = Actor("local", "ben", "password", person_id="22222222-2222-4222-8222-222222222222")
QUESTION = "May Mr Zeisig, MRN 74812233, sing the canary-3391 song?"
ANSWER = "Yes, canary-3391 may sing [1]."
CANARIES = (b"canary-3391", b"Zeisig", b"74812233")
KeepText = Callable[[RetentionMode], None]


@pytest.fixture
def secrets(settings: GovernanceSettings) -> Secrets:
    return Secrets(settings.keys_dir)


@pytest.fixture
def store(record: Record, secrets: Secrets, settings: GovernanceSettings) -> QuestionStore:
    return QuestionStore(record, secrets, settings)


@pytest.fixture
def retention(record: Record, secrets: Secrets, settings: GovernanceSettings) -> RetentionStore:
    return RetentionStore(record, Vault(secrets), settings)


@pytest.fixture
def keep(retention: RetentionStore, demo: Department) -> KeepText:
    def keep(mode: RetentionMode) -> None:
        if retention.propose(ANNA, demo.id, mode, 30, NOW).mode is not mode:
            retention.agree(BEN, demo.id, mode, 30, NOW)

    return keep


@pytest.fixture
def asked(demo: Department) -> AskedRecord:
    return AskedRecord(
        demo.id,
        None,
        Channel.PAGE,
        QuestionStatus.ANSWERED,
        QUESTION,
        ANSWER,
        passages=(PassageUsed("p1", "ab" * 32, "v1"), PassageUsed("p2", "cd" * 32, "v1")),
        model="small",
        model_digest="ef" * 32,
        prompt_version="answer-7",
        checks={"citations": True, "support": 0.9},
        timings_ms={"total": 812},
        tokens=700,
        request_id="r1",
    )


def leaf(record: Record, action: str) -> dict[str, Any]:
    with record.read() as connection:
        query = select(audit_leaves.c.body).where(audit_leaves.c.action == action)
        return dict(json.loads(connection.execute(query).scalars().all()[-1]))


def count(record: Record, table: Any) -> int:
    with record.read() as connection:
        return len(connection.execute(select(table)).all())


def charged(record: Record) -> list[tuple[str, int]]:
    with record.read() as connection:
        rows = connection.execute(select(usage.c.state, usage.c.tokens)).all()
    return [(str(row.state), row.tokens) for row in rows]


def every_byte(record: Record, settings: GovernanceSettings) -> bytes:
    """All files of the data directory, and on PostgreSQL every row, which lies elsewhere."""
    files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    found = b"".join(path.read_bytes() for path in files)
    with record.read() as connection:
        for table in (questions, question_bodies, audit_leaves):
            for row in connection.execute(select(table)):
                found += b"".join(v if isinstance(v, bytes) else str(v).encode() for v in row)
    return found


def test_each_question_leaves_one_record(
    store: QuestionStore, asked: AskedRecord, record: Record
) -> None:
    """Who, where, passages by hash, versions, model, prompt, checks and timings."""
    question_id = store.record_answer(ANNA, asked, NOW)
    found, text = store.read(ANNA, question_id, [asked.department_id])
    assert text is None
    assert (found.asked_at, found.channel, found.status) == (NOW, Channel.PAGE, "answered")
    assert found.details["passages"][1] == {
        "passage_id": "p2",
        "sha256": "cd" * 32,
        "version_id": "v1",
    }
    assert found.details["model_digest"] == "ef" * 32
    assert found.details["prompt_version"] == "answer-7"
    assert found.details["checks"] == {"citations": True, "support": 0.9}
    assert found.details["timings_ms"] == {"total": 812}


def test_aud_5_a_question_and_its_event_come_together(
    store: QuestionStore, asked: AskedRecord, record: Record
) -> None:
    """One row, one event that names it and holds the digest of its details."""
    question_id = store.record_answer(ANNA, asked, NOW)
    with record.read() as connection:
        details = connection.execute(select(questions.c.details)).scalar_one()
        mine = audit_leaves.c.action.startswith("question.")
        leaves = connection.execute(select(audit_leaves).where(mine)).all()
    assert [(row.action, row.object_id) for row in leaves] == [("question.asked", question_id)]
    facts = json.loads(leaves[0].body)["facts"]
    assert facts["details_sha256"] == hashlib.sha256(details.encode()).hexdigest()
    assert facts["passages"] == ["ab" * 32, "cd" * 32]
    assert facts["versions"] == ["v1"]


def test_aud_5_a_question_that_cannot_be_recorded_leaves_nothing(
    store: QuestionStore, asked: AskedRecord, record: Record
) -> None:
    """The same id twice is refused whole: no row, no body, no event."""
    store.record_answer(ANNA, replace(asked, question_id="q1"), NOW)
    before = [count(record, table) for table in (questions, question_bodies, audit_leaves)]
    with pytest.raises(Exception, match=r"(?i)unique"):
        store.record_answer(ANNA, replace(asked, question_id="q1"), NOW)
    with pytest.raises(UnknownDepartment):
        store.record_answer(ANNA, replace(asked, department_id="nowhere"), NOW)
    after = [count(record, table) for table in (questions, question_bodies, audit_leaves)]
    assert after == before


def test_aud_5_a_question_and_its_charge_come_together(
    store: QuestionStore, asked: AskedRecord, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault between charge and event leaves neither, nor the question."""
    reservation = QuotaStore(record).reserve(None, asked.department_id, 900, NOW)
    charge = Charge(reservation.id, asked.tokens)

    def full(*_: object) -> int:
        raise OSError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(record.trail, "append", full)
        with pytest.raises(OSError, match="no space"):
            store.record_answer(ANNA, asked, NOW, charge)
    assert (count(record, questions), charged(record)) == (0, [("reserved", 900)])
    store.record_answer(ANNA, asked, NOW, charge)
    assert (count(record, questions), charged(record)) == (1, [("settled", 700)])
    assert leaf(record, "question.asked")["facts"]["tokens"] == 700


@pytest.mark.parametrize("status", list(QuestionStatus))
def test_every_end_of_a_question_is_recorded(
    store: QuestionStore, asked: AskedRecord, record: Record, status: QuestionStatus
) -> None:
    """Aborted and failed ones, too."""
    store.record_answer(ANNA, replace(asked, status=status), NOW)
    body = leaf(record, "question.asked")
    assert body["facts"]["status"] == status
    assert body["outcome"] == OUTCOMES[status]


@pytest.mark.parametrize("mode", [RetentionMode.NONE, RetentionMode.METADATA])
def test_ret_4_without_text_kept_no_byte_of_it_is_written(
    store: QuestionStore,
    asked: AskedRecord,
    keep: KeepText,
    record: Record,
    settings: GovernanceSettings,
    mode: RetentionMode,
) -> None:
    """Not in the record, not in its log, not in any file of the data directory."""
    keep(mode)
    for _ in range(20):
        store.record_answer(ANNA, asked, NOW)
    found = every_byte(record, settings)
    assert not any(canary in found for canary in CANARIES)
    assert count(record, question_bodies) == 0
    assert count(record, questions) == 20


def test_ret_4_mode_none_does_not_even_say_how_long_the_text_was(
    store: QuestionStore, asked: AskedRecord, keep: KeepText, record: Record
) -> None:
    """And the event holds nothing that could be tried against guesses."""
    keep(RetentionMode.NONE)
    question_id = store.record_answer(ANNA, asked, NOW)
    details = store.read(ANNA, question_id, [asked.department_id])[0].details
    assert "question_chars" not in details
    body = leaf(record, "question.asked")
    assert "answer_commitment" not in body["facts"]
    assert body["object"]["digest"] is None


@pytest.mark.parametrize("mode", [RetentionMode.MASKED, RetentionMode.FULL])
def test_aud_9_kept_text_is_in_no_byte_either_and_never_in_the_trail(
    store: QuestionStore,
    asked: AskedRecord,
    keep: KeepText,
    record: Record,
    settings: GovernanceSettings,
    mode: RetentionMode,
) -> None:
    """What is kept is encrypted; the trail has only ids, hashes and counts."""
    keep(mode)
    question_id = store.record_answer(ANNA, asked, NOW)
    store.read(ANNA, question_id, [asked.department_id])
    found = every_byte(record, settings)
    assert not any(canary in found for canary in CANARIES)
    assert count(record, question_bodies) == 1


def test_full_keeps_the_text_and_its_commitments(
    store: QuestionStore, asked: AskedRecord, keep: KeepText, record: Record
) -> None:
    """While it is kept, text and event can be held against each other."""
    keep(RetentionMode.FULL)
    question_id = store.record_answer(ANNA, asked, NOW)
    _, text = store.read(ANNA, question_id, [asked.department_id])
    assert text is not None
    assert (text.question, text.answer, text.masked) == (QUESTION, ANSWER, False)
    body = leaf(record, "question.asked")
    assert text.answer_commitment == body["facts"]["answer_commitment"]
    assert text.question_commitment == body["object"]["digest"]


def test_masked_keeps_no_more_than_the_masked_text(
    store: QuestionStore, asked: AskedRecord, keep: KeepText, record: Record
) -> None:
    """Name and number are gone before anything is sealed."""
    keep(RetentionMode.MASKED)
    question_id = store.record_answer(ANNA, asked, NOW)
    _, text = store.read(ANNA, question_id, [asked.department_id])
    assert text is not None
    assert text.masked
    assert text.question == "May Mr [name], MRN [number], sing the canary-[number] song?"


def test_equal_questions_leave_different_commitments(
    store: QuestionStore, asked: AskedRecord, keep: KeepText, record: Record
) -> None:
    """Without its salt, which goes with the body, a commitment cannot be tried against guesses."""
    keep(RetentionMode.FULL)
    ids = [store.record_answer(ANNA, asked, NOW) for _ in range(2)]
    texts = [store.read(ANNA, one, [asked.department_id])[1] for one in ids]
    assert len({text.question_commitment for text in texts if text is not None}) == 2


def test_reading_a_question_is_recorded(
    store: QuestionStore, asked: AskedRecord, record: Record
) -> None:
    """Whoever looks at what others asked is seen, too."""
    question_id = store.record_answer(ANNA, asked, NOW)
    store.read(BEN, question_id, [asked.department_id])
    with record.read() as connection:
        query = select(audit_leaves).where(audit_leaves.c.action == "question.read")
        row = connection.execute(query).one()
    assert (row.actor_id, row.object_id) == (BEN.id, question_id)


def test_a_question_of_another_department_is_not_there(
    store: QuestionStore, asked: AskedRecord, record: Record, policies: PolicyStore
) -> None:
    """Asking for it reveals nothing, and no reading is recorded."""
    other = policies.create_department(SYSTEM, "other")
    question_id = store.record_answer(ANNA, asked, NOW)
    before = count(record, audit_leaves)
    for departments in ([other.id], []):
        with pytest.raises(NotFound):
            store.read(BEN, question_id, departments)
        assert store.search(departments) == ()
    assert count(record, audit_leaves) == before


def test_text_of_any_kind_is_kept_as_it_was(
    store: QuestionStore, asked: AskedRecord, keep: KeepText
) -> None:
    """Other scripts, zero characters and half surrogates come back unchanged."""
    keep(RetentionMode.FULL)
    odd = "Où? 注射 \x00 \ud83d"
    question_id = store.record_answer(ANNA, replace(asked, question=odd), NOW)
    text = store.read(ANNA, question_id, [asked.department_id])[1]
    assert text is not None
    assert text.question == odd


def test_the_search_finds_by_person_status_and_time(
    store: QuestionStore, asked: AskedRecord, record: Record
) -> None:
    """Newest first, from a time until before another."""
    with record.write() as connection:
        connection.execute(
            people.insert().values(
                id=PERSON,
                issuer="local",
                subject="anna",
                name="Anna",
                state="active",
                created_at=NOW,
            )
        )
    day = timedelta(days=1)
    first = store.record_answer(ANNA, replace(asked, person_id=PERSON), NOW)
    second = store.record_answer(BEN, replace(asked, status=QuestionStatus.FAILED), NOW + day)
    third = store.record_answer(ANNA, replace(asked, person_id=PERSON), NOW + 2 * day)
    where = [asked.department_id]

    def ids(**wanted: Any) -> list[str]:
        return [one.question_id for one in store.search(where, **wanted)]

    assert ids() == [third, second, first]
    assert ids(status=QuestionStatus.FAILED) == [second]
    assert ids(since=NOW + day, until=NOW + 2 * day) == [second]
    assert ids(person_id=PERSON, limit=1) == [third]
    assert [one.question_id for one in store.of_person(PERSON)] == [third, first]


def test_printing_a_question_shows_no_text(
    store: QuestionStore, asked: AskedRecord, keep: KeepText
) -> None:
    """A log line or a traceback with the object in it gives nothing away."""
    keep(RetentionMode.FULL)
    question_id = store.record_answer(ANNA, asked, NOW)
    shown = repr(asked) + repr(store.read(ANNA, question_id, [asked.department_id]))
    assert "canary" not in shown
