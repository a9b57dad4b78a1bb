"""The purge: what it takes, what stops it, and what it leaves."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.config import GovernanceSettings
from governance.errors import NotFound
from governance.events import SYSTEM
from governance.policies import Department, PolicyStore
from governance.questions import QuestionStore
from governance.record.database import Record
from governance.record.trail_tables import audit_leaves
from governance.record.use_tables import question_bodies, questions
from governance.retention import PURGE_BATCH, RetentionStore
from governance.retention_rules import RetentionMode
from governance.testing_retention import ANNA, BEN, DAY, NOW, actions, bodies, keep

MASKED, FULL = RetentionMode.MASKED, RetentionMode.FULL
Ask = Callable[..., str]


def every_byte(settings: GovernanceSettings) -> bytes:
    files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    return b"".join(path.read_bytes() for path in files)


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
