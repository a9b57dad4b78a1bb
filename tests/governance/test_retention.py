"""Retention: who may change it, when it takes effect, and what a purge leaves."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from governance.config import GovernanceSettings
from governance.errors import (
    IllegalTransition,
    InvalidRetention,
    NotFound,
    SecondPersonNeeded,
    UnknownDepartment,
)
from governance.events import SYSTEM, Actor
from governance.policies import Department, PolicyStore
from governance.questions import AskedRecord, Channel, QuestionStatus, QuestionStore
from governance.record.database import Record
from governance.record.trail_tables import audit_leaves
from governance.record.use_tables import question_bodies, questions
from governance.retention import PURGE_BATCH, RetentionStore
from governance.retention_rules import (
    NOTICE,
    RetentionMode,
    RetentionRule,
    keeps_more,
    needs_second_person,
)
from governance.secrets import Secrets
from governance.vault import Vault

NOW = datetime(2026, 5, 12, 9, tzinfo=UTC)
DAY = timedelta(days=1)
NONE, METADATA, MASKED, FULL = RetentionMode
ANNA = Actor("local", "anna", "password", person_id="11111111-1111-4111-8111-111111111111")
BEN = Actor("local", "ben", "password", person_id="22222222-2222-4222-8222-222222222222")
OWNER = Actor("local", "owner", "socket")
Ask = Callable[..., str]


@pytest.fixture
def secrets(settings: GovernanceSettings) -> Secrets:
    return Secrets(settings.keys_dir)


@pytest.fixture
def retention(record: Record, secrets: Secrets, settings: GovernanceSettings) -> RetentionStore:
    return RetentionStore(record, Vault(secrets), settings)


@pytest.fixture
def store(record: Record, secrets: Secrets, settings: GovernanceSettings) -> QuestionStore:
    return QuestionStore(record, secrets, settings)


@pytest.fixture
def ask(store: QuestionStore, demo: Department) -> Ask:
    def ask(
        text: str = "Who may sing?", at: datetime = NOW, department_id: str | None = None
    ) -> str:
        asked = AskedRecord(
            department_id or demo.id, None, Channel.PAGE, QuestionStatus.ANSWERED, text, f"{text}!"
        )
        return store.record_answer(OWNER, asked, at)

    return ask


def keep(
    retention: RetentionStore, department: Department, mode: RetentionMode, days: int = 30
) -> None:
    retention.propose(ANNA, department.id, mode, days, NOW)
    retention.agree(BEN, department.id, mode, days, NOW)


def actions(record: Record, start: str) -> list[str]:
    with record.read() as connection:
        query = select(audit_leaves.c.action).order_by(audit_leaves.c.seq)
        return [
            action for action in connection.execute(query).scalars() if action.startswith(start)
        ]


def bodies(record: Record) -> int:
    with record.read() as connection:
        return len(connection.execute(select(question_bodies)).all())


def every_byte(settings: GovernanceSettings) -> bytes:
    files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    return b"".join(path.read_bytes() for path in files)


def test_can_5_a_new_department_keeps_no_text(
    retention: RetentionStore, demo: Department, ask: Ask, record: Record
) -> None:
    """Confidential by default: metadata, until two persons say otherwise."""
    assert retention.rule(demo.id, NOW) == RetentionRule(demo.id, METADATA, 30)
    ask()
    assert bodies(record) == 0


@pytest.mark.parametrize("mode", [MASKED, FULL])
def test_keeping_more_text_needs_a_second_person(
    retention: RetentionStore, demo: Department, record: Record, mode: RetentionMode
) -> None:
    """One person alone cannot begin to keep what people ask; agreed to, it holds at once."""
    waiting = retention.propose(ANNA, demo.id, mode, 30, NOW)
    assert waiting.mode is METADATA
    with pytest.raises(SecondPersonNeeded):
        retention.agree(ANNA, demo.id, mode, 30, NOW)
    assert retention.rule(demo.id, NOW).mode is METADATA
    assert retention.agree(BEN, demo.id, mode, 30, NOW).mode is mode
    expected = ["retention.proposed", "retention.agreed", "retention.changed"]
    assert actions(record, "retention.") == expected


def test_keeping_less_text_takes_effect_at_once(
    retention: RetentionStore, demo: Department, record: Record
) -> None:
    """Nobody need be asked to collect less."""
    assert retention.propose(ANNA, demo.id, NONE, 30, NOW).mode is NONE
    assert actions(record, "retention.") == ["retention.changed"]


def test_a_longer_time_takes_effect_at_once_for_what_is_kept(
    retention: RetentionStore, demo: Department, ask: Ask, record: Record
) -> None:
    """Text that was to go after 30 days stays for 60."""
    keep(retention, demo, MASKED)
    ask()
    retention.propose(ANNA, demo.id, MASKED, 60, NOW)
    retention.purge(NOW + 59 * DAY)
    assert bodies(record) == 1
    retention.purge(NOW + 60 * DAY)
    assert bodies(record) == 0


def test_a_longer_time_for_masked_text_does_not_stretch_whole_text(
    retention: RetentionStore, demo: Department, ask: Ask, record: Record
) -> None:
    """What was kept in full stays within the longest time for full text."""
    keep(retention, demo, FULL)
    ask()
    retention.propose(ANNA, demo.id, MASKED, 300, NOW)
    retention.purge(NOW + 30 * DAY)
    assert bodies(record) == 0


def test_ret_3_a_shorter_time_needs_two_persons_and_seven_days(
    retention: RetentionStore, demo: Department, ask: Ask, record: Record
) -> None:
    """Evidence cannot be made to vanish early by one person, nor by two in a hurry."""
    keep(retention, demo, FULL)
    ask()
    retention.propose(ANNA, demo.id, FULL, 1, NOW)
    with pytest.raises(SecondPersonNeeded):
        retention.agree(ANNA, demo.id, FULL, 1, NOW)
    retention.purge(NOW + 20 * DAY)
    assert bodies(record) == 1
    agreed_at = NOW + 2 * DAY
    assert retention.agree(BEN, demo.id, FULL, 1, agreed_at).days == 30
    retention.purge(agreed_at + NOTICE - timedelta(seconds=1))
    assert (bodies(record), retention.rule(demo.id, agreed_at).days) == (1, 30)
    assert retention.rule(demo.id, agreed_at + NOTICE).days == 1
    retention.purge(agreed_at + NOTICE)
    assert bodies(record) == 0
    assert actions(record, "retention.")[-3:] == [
        "retention.proposed",
        "retention.agreed",
        "retention.changed",
    ]


def test_ret_3_what_is_asked_after_the_notice_has_the_shorter_time(
    retention: RetentionStore, demo: Department, ask: Ask, record: Record
) -> None:
    """The change holds on its day, whether or not a purge has run."""
    keep(retention, demo, FULL)
    retention.propose(ANNA, demo.id, FULL, 2, NOW)
    retention.agree(BEN, demo.id, FULL, 2, NOW)
    ask(at=NOW + NOTICE)
    with record.read() as connection:
        purge_at = connection.execute(select(question_bodies.c.purge_at)).scalar_one()
    assert purge_at == NOW + NOTICE + 2 * DAY


def test_a_proposal_can_be_withdrawn_during_its_notice(
    retention: RetentionStore, demo: Department, record: Record
) -> None:
    """Seven days are there to think again."""
    keep(retention, demo, FULL)
    retention.propose(ANNA, demo.id, FULL, 1, NOW)
    retention.agree(BEN, demo.id, FULL, 1, NOW)
    retention.withdraw(ANNA, demo.id, NOW + DAY)
    assert retention.rule(demo.id, NOW + 30 * DAY).days == 30
    with pytest.raises(IllegalTransition):
        retention.withdraw(ANNA, demo.id, NOW + DAY)


def test_nobody_agrees_to_what_they_did_not_read(
    retention: RetentionStore, demo: Department
) -> None:
    """A proposal that changed under the reader's eyes is refused, and so is none at all."""
    with pytest.raises(IllegalTransition):
        retention.agree(BEN, demo.id, FULL, 30, NOW)
    retention.propose(ANNA, demo.id, MASKED, 30, NOW)
    with pytest.raises(IllegalTransition, match="changed"):
        retention.agree(BEN, demo.id, FULL, 30, NOW)
    assert retention.rule(demo.id, NOW).mode is METADATA


def test_the_owner_of_the_data_directory_is_a_person_and_a_program_is_none(
    retention: RetentionStore, demo: Department
) -> None:
    """The owner proposes and somebody else agrees; what nobody did counts for nobody."""
    with pytest.raises(SecondPersonNeeded):
        retention.propose(SYSTEM, demo.id, FULL, 30, NOW)
    retention.propose(OWNER, demo.id, FULL, 30, NOW)
    with pytest.raises(SecondPersonNeeded):
        retention.agree(OWNER, demo.id, FULL, 30, NOW)
    assert retention.agree(ANNA, demo.id, FULL, 30, NOW).mode is FULL


@pytest.mark.parametrize(("mode", "days"), [(FULL, 31), (MASKED, 366), (METADATA, 0), (NONE, -1)])
def test_a_time_out_of_bounds_is_refused(
    retention: RetentionStore, demo: Department, mode: RetentionMode, days: int
) -> None:
    """Text in full is kept for 30 days at most, and nothing for no time."""
    with pytest.raises(InvalidRetention):
        retention.propose(ANNA, demo.id, mode, days, NOW)
    assert retention.rule(demo.id, NOW) == RetentionRule(demo.id, METADATA, 30)


def test_a_department_that_is_not_there_is_refused(retention: RetentionStore) -> None:
    """A rule belongs to a department."""
    with pytest.raises(UnknownDepartment):
        retention.propose(ANNA, "nowhere", NONE, 30, NOW)
    with pytest.raises(UnknownDepartment):
        retention.rule("nowhere", NOW)


def test_ret_1_after_its_time_the_text_is_unreadable(
    retention: RetentionStore,
    store: QuestionStore,
    demo: Department,
    ask: Ask,
    record: Record,
    settings: GovernanceSettings,
) -> None:
    """One hour after its time neither the text nor what could be decrypted is anywhere."""
    keep(retention, demo, FULL)
    question_id = ask("May the canary-7481 sing?")
    assert store.read(ANNA, question_id, [demo.id])[1] is not None
    with record.read() as connection:
        row = connection.execute(select(question_bodies)).one()
    assert retention.purge(NOW + 30 * DAY + timedelta(hours=1)).bodies == 1
    assert store.read(ANNA, question_id, [demo.id])[1] is None
    found = every_byte(settings)
    assert not any(x in found for x in (b"canary-7481", row.ciphertext, row.wrapped_key))


def test_ret_2_a_legal_hold_blocks_the_purge(
    retention: RetentionStore, demo: Department, ask: Ask, record: Record
) -> None:
    """However late it is; once it is lifted, the next purge takes what is overdue."""
    keep(retention, demo, FULL)
    ask()
    retention.hold(ANNA, demo.id, "case 12/2026", NOW)
    assert retention.purge(NOW + 400 * DAY).bodies == 0
    retention.lift(ANNA, demo.id, "case closed", NOW)
    assert retention.purge(NOW + 400 * DAY).bodies == 1
    assert actions(record, "hold.") == ["hold.set", "hold.lifted"]


def test_ret_2_a_hold_outlasts_an_agreed_shorter_time(
    retention: RetentionStore, demo: Department, ask: Ask, record: Record
) -> None:
    """A hold set during the notice keeps everything."""
    keep(retention, demo, FULL)
    ask()
    retention.propose(ANNA, demo.id, FULL, 1, NOW)
    retention.agree(BEN, demo.id, FULL, 1, NOW)
    retention.hold(ANNA, demo.id, "case", NOW + DAY)
    retention.purge(NOW + 100 * DAY)
    assert bodies(record) == 1


def test_ret_2_one_question_can_be_held_alone(
    retention: RetentionStore, demo: Department, ask: Ask, record: Record
) -> None:
    """The others go in their time."""
    keep(retention, demo, FULL)
    held, _ = ask("one"), ask("two")
    retention.hold_question(ANNA, held, "case", held=True)
    assert retention.purge(NOW + 31 * DAY).bodies == 1
    retention.hold_question(ANNA, held, "closed", held=False)
    assert retention.purge(NOW + 31 * DAY).bodies == 1
    with pytest.raises(NotFound):
        retention.hold_question(ANNA, held, "too late", held=True)


def test_a_purge_twice_is_a_purge_once(
    retention: RetentionStore, demo: Department, ask: Ask, record: Record
) -> None:
    """The second finds nothing and records nothing."""
    keep(retention, demo, FULL)
    ask()
    first = retention.purge(NOW + 31 * DAY)
    assert (first.bodies, first.batches, first.unreachable) == (1, 1, True)
    assert retention.purge(NOW + 31 * DAY).bodies == 0
    assert actions(record, "body.") == ["body.purged"]


def test_each_batch_of_a_purge_is_one_event(
    retention: RetentionStore, demo: Department, ask: Ask, record: Record
) -> None:
    """Many bodies make few events, which name the questions."""
    keep(retention, demo, FULL)
    asked = {ask(str(n)) for n in range(PURGE_BATCH + 1)}
    assert retention.purge(NOW + 31 * DAY).batches == 2
    with record.read() as connection:
        query = select(audit_leaves.c.body).where(audit_leaves.c.action == "body.purged")
        leaves = [json.loads(body) for body in connection.execute(query).scalars()]
    assert {q for leaf in leaves for q in leaf["facts"]["questions"]} == asked


def test_a_purge_keeps_the_rows_and_the_other_departments(
    retention: RetentionStore,
    demo: Department,
    policies: PolicyStore,
    ask: Ask,
    record: Record,
) -> None:
    """Who asked when stays; a longer time elsewhere stays, too."""
    other = policies.create_department(SYSTEM, "other")
    keep(retention, demo, FULL, 30)
    keep(retention, other, MASKED, 90)
    ask(), ask(department_id=other.id)
    assert retention.purge(NOW + 31 * DAY).bodies == 1
    with record.read() as connection:
        assert len(connection.execute(select(questions)).all()) == 2
        left = connection.execute(select(question_bodies.c.department_id)).scalars().all()
    assert left == [other.id]


def test_aud_12_after_a_purge_the_trail_still_verifies(
    retention: RetentionStore,
    demo: Department,
    ask: Ask,
    record: Record,
    settings: GovernanceSettings,
) -> None:
    """No leaf was changed, its root follows from the leaves, and no text is left in any file."""
    keep(retention, demo, FULL)
    for n in range(20):
        ask(f"canary-5521 number {n}")
    before = leaves(record)
    assert retention.purge(NOW + 31 * DAY).bodies == 20
    after = leaves(record)
    assert after[: len(before)] == before
    with record.read() as connection:
        kept_root = record.trail.root(connection, len(after))
    assert root([body.encode() for body in after]) == kept_root
    assert b"canary-5521" not in every_byte(settings)


def leaves(record: Record) -> list[str]:
    with record.read() as connection:
        query = select(audit_leaves.c.body).order_by(audit_leaves.c.seq)
        return list(connection.execute(query).scalars())


def root(bodies: list[bytes]) -> bytes:
    """RFC 6962, written down once more from its definition."""
    if len(bodies) == 1:
        return hashlib.sha256(b"\0" + bodies[0]).digest()
    split = 1 << (len(bodies) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(bodies[:split]) + root(bodies[split:])).digest()


@given(
    st.sampled_from(list(RetentionMode)),
    st.integers(1, 365),
    st.sampled_from(list(RetentionMode)),
    st.integers(1, 365),
)
def test_ret_3_one_person_alone_never_shortens_and_never_keeps_more(
    mode: RetentionMode, days: int, new_mode: RetentionMode, new_days: int
) -> None:
    """Of all changes, a single person makes only those that lose nothing and collect nothing."""
    rule = RetentionRule("d", mode, days)
    alone = not needs_second_person(rule, new_mode, new_days)
    assert alone == (new_days >= days and not keeps_more(rule, new_mode))
    if alone:
        assert new_mode.keeps_text <= mode.keeps_text


def test_every_state_of_a_rule_fits_its_table(
    retention: RetentionStore, demo: Department, tmp_path: Path
) -> None:
    """Mode and proposed mode come back as they were, in every combination."""
    for mode, proposed in ((NONE, MASKED), (NONE, FULL), (METADATA, MASKED), (METADATA, FULL)):
        retention.propose(ANNA, demo.id, mode, 30, NOW)
        rule = retention.propose(ANNA, demo.id, proposed, 20, NOW)
        assert rule.mode is mode
        assert retention.rule(demo.id, NOW) == rule
        retention.withdraw(ANNA, demo.id, NOW)
