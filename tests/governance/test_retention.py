"""Retention: who may change it, and when a change takes effect."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from governance.errors import (
    IllegalTransition,
    InvalidRetention,
    SecondPersonNeeded,
    UnknownDepartment,
)
from governance.events import SYSTEM
from governance.policies import Department
from governance.record.database import Record
from governance.record.use_tables import question_bodies
from governance.retention import RetentionStore
from governance.retention_rules import NOTICE, RetentionMode, RetentionRule
from governance.testing_retention import ANNA, BEN, DAY, NOW, OWNER, actions, bodies, keep

NONE, METADATA, MASKED, FULL = RetentionMode
Ask = Callable[..., str]


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
