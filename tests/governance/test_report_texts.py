"""The words of reports: sealed, masked, held, purged."""

import pytest
from sqlalchemy import select

from governance.config import GovernanceSettings
from governance.errors import VaultDamaged
from governance.feedback import Reason, Verdict
from governance.people import Person
from governance.policies import Department
from governance.record.database import Record
from governance.record.feedback_tables import report_texts
from governance.report_texts import Words
from governance.retention import RetentionStore
from governance.retention_rules import RetentionMode
from governance.secrets import Secrets
from governance.testing_feedback import Reports, actor_of_person, reports_of
from governance.testing_retention import ANNA, DAY, NOW, actions, keep

CANARY = "canary-abc"


@pytest.fixture
def reports(record: Record, secrets: Secrets, settings: GovernanceSettings) -> Reports:
    return reports_of(record, secrets, settings)


def give(reports: Reports, person: Person, place: Department) -> str:
    """A thumb down with words; gives the question's id."""
    asked = reports.asked(person, place)
    words = Words(f"{CANARY} 1?", f"{CANARY} 2.", f"{CANARY}, Mr Jones")
    actor = actor_of_person(person)
    reports.feedback.give(actor, asked, [place.id], Verdict.DOWN, Reason.OTHER, words, NOW)
    return asked


def test_no_word_of_a_report_lies_open_and_none_outlives_its_time(
    reports: Reports,
    ada: Person,
    demo: Department,
    retention: RetentionStore,
    record: Record,
    settings: GovernanceSettings,
) -> None:
    """Sealed while it is kept; gone from every file, with its key, one day after."""
    keep(retention, demo, RetentionMode.FULL, 30)
    give(reports, ada, demo)
    (given,) = reports.feedback.feedback([demo.id])
    assert given.words is not None
    assert given.words.comment == f"{CANARY}, Mr Jones"
    with record.read() as connection:
        row = connection.execute(select(report_texts)).one()
    files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    assert not any(CANARY.encode() in path.read_bytes() for path in files)
    assert reports.texts.purge(NOW + 29 * DAY) == 0
    assert reports.texts.purge(NOW + 31 * DAY) == 1
    assert reports.feedback.feedback([demo.id])[0].words is None
    assert not any(row.ciphertext in path.read_bytes() for path in files)
    assert actions(record, "body.") == ["body.purged"]
    assert reports.texts.purge(NOW + 31 * DAY) == 0


def test_a_hold_keeps_the_words(
    reports: Reports, ada: Person, demo: Department, retention: RetentionStore
) -> None:
    """That of the department, and that of the question alone."""
    keep(retention, demo, RetentionMode.MASKED, 30)
    asked = give(reports, ada, demo)
    retention.hold(ANNA, demo.id, "case 12", NOW)
    assert reports.texts.purge(NOW + 90 * DAY) == 0
    retention.lift(ANNA, demo.id, "closed", NOW)
    retention.hold_question(ANNA, asked, "case 13", held=True)
    assert reports.texts.purge(NOW + 90 * DAY) == 0
    retention.hold_question(ANNA, asked, "closed", held=False)
    assert reports.texts.purge(NOW + 90 * DAY) == 1


def test_where_no_text_is_kept_none_is_sealed(
    reports: Reports, ada: Person, demo: Department, retention: RetentionStore, record: Record
) -> None:
    """In mode `none` the thumb and its reason are all there is."""
    retention.propose(ANNA, demo.id, RetentionMode.NONE, 30, NOW)
    give(reports, ada, demo)
    (given,) = reports.feedback.feedback([demo.id])
    assert (given.words, given.reason) == (None, Reason.OTHER)
    with record.read() as connection:
        assert connection.execute(select(report_texts)).all() == []


def test_words_put_in_another_place_do_not_open(
    reports: Reports, ada: Person, demo: Department, record: Record
) -> None:
    """What is sealed is bound to its report."""
    give(reports, ada, demo)
    with record.write() as connection:
        connection.execute(report_texts.update().values(masked=False))
    with pytest.raises(VaultDamaged):
        reports.feedback.feedback([demo.id])
