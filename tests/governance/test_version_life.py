"""What people decide about a version, and who may decide it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from governance.clock import day_begins
from governance.config import GovernanceSettings
from governance.errors import IllegalTransition, InvalidName, NotFound, SecondPersonNeeded
from governance.events import SYSTEM, Actor
from governance.handing_in import HandIns, NewFile
from governance.loading import LoadingStore
from governance.loading_rows import NewPassage
from governance.page_checks import PageCheck
from governance.policies import Department, PolicyStore
from governance.policy_fields import PolicyFields
from governance.record.database import Record
from governance.record.trail_tables import audit_leaves
from governance.testing_clock import START, Watch
from governance.version_life import VersionLife
from governance.versions import Act

EDITOR = Actor("local", "edda", "password", "edda")
OTHER = Actor("local", "otto", "password", "otto")
APPROVER = Actor("local", "anna", "password", "anna")
OWNER = Actor("local", "owner", "socket")
PROGRAM = Actor("runtime", "local", "none")
PASSAGE = NewPassage(0, "Purpose", 1, 1, "Clean hands save lives.", "Clean hands")
SEEN = PageCheck(2, "no_text", "Page 2 has no readable text.")
# Gives the id of a new version that is a draft.
Drafts = Callable[..., str]


@pytest.fixture
def life(record: Record, settings: GovernanceSettings, watch: Watch) -> VersionLife:
    return VersionLife(record, replace(settings, time_zone="Europe/Berlin"), watch)


@pytest.fixture
def shelf(record: Record, settings: GovernanceSettings, watch: Watch) -> PolicyStore:
    return PolicyStore(record, settings, watch)


@pytest.fixture
def draft(record: Record, settings: GovernanceSettings, watch: Watch, demo: Department) -> Drafts:
    hand_ins, loading = HandIns(record, watch), LoadingStore(record, settings, watch)
    made: list[str] = []

    def make(
        fields: PolicyFields = PolicyFields(title="Hand hygiene"),  # noqa: B008
        *found: PageCheck,
        replaces: str | None = None,
    ) -> str:
        digest = f"{len(made):064x}"
        file = NewFile("hands.md", digest, "text/markdown", 10, fields)
        taken = hand_ins.register(EDITOR, file, demo, replaces=replaces)
        made.append(taken.version_id)
        assert taken.job_id is not None
        loading.save_text(taken.version_id, "Hand hygiene", ["page"], [PASSAGE], found)
        loading.finish(taken.version_id, taken.job_id)
        return taken.version_id

    return make


def put_in_force(life: VersionLife, version_id: str) -> str:
    life.do(Act.SUBMIT, EDITOR, version_id)
    return life.do(Act.APPROVE, APPROVER, version_id)


def states(shelf: PolicyStore, document_id: str) -> list[str]:
    return [str(one.state) for one in shelf.document(document_id).versions]


def test_two_persons_put_a_version_in_force(
    life: VersionLife, shelf: PolicyStore, draft: Drafts
) -> None:
    """One submits, another approves, and from that moment it is effective."""
    document_id = put_in_force(life, draft())
    found = shelf.document(document_id).in_force
    assert found is not None
    assert (found.approval_basis, found.in_force_from) == ("two_persons", START)


def test_nobody_approves_what_they_handed_in(life: VersionLife, draft: Drafts) -> None:
    """Not even where somebody else has submitted it."""
    version_id = draft()
    life.do(Act.SUBMIT, OTHER, version_id)
    with pytest.raises(SecondPersonNeeded, match="Somebody else"):
        life.do(Act.APPROVE, EDITOR, version_id)


def test_nobody_approves_what_they_submitted_or_changed(life: VersionLife, draft: Drafts) -> None:
    """Each of them had a hand in it."""
    first, second = draft(), draft()
    life.do(Act.SUBMIT, APPROVER, first)
    life.change(APPROVER, second, PolicyFields(title="Hand rub"))
    life.do(Act.SUBMIT, OTHER, second)
    for version_id in (first, second):
        with pytest.raises(SecondPersonNeeded):
            life.do(Act.APPROVE, APPROVER, version_id)


def test_a_program_decides_nothing(life: VersionLife, draft: Drafts) -> None:
    """A caller that is nobody is told to sign in; the owner of the machine is somebody."""
    version_id = draft()
    with pytest.raises(SecondPersonNeeded, match="decided by people"):
        life.do(Act.SUBMIT, PROGRAM, version_id)
    life.do(Act.SUBMIT, OWNER, version_id)


def test_what_was_found_on_the_pages_is_looked_at_first(
    life: VersionLife, shelf: PolicyStore, draft: Drafts
) -> None:
    """A draft with a page that nobody could read is not submitted unseen."""
    version_id = draft(PolicyFields(), SEEN)
    with pytest.raises(IllegalTransition, match="nobody has looked at"):
        life.do(Act.SUBMIT, EDITOR, version_id)
    life.do(Act.SUBMIT, EDITOR, version_id, looked=True)
    (found,) = shelf.checks(version_id)
    assert (found.page, found.accepted_by) == (2, "edda")


def test_a_version_for_a_later_day_begins_at_its_midnight(
    life: VersionLife, shelf: PolicyStore, draft: Drafts, watch: Watch
) -> None:
    """In the department's own time zone; until then the old one answers, and not after."""
    document_id = put_in_force(life, draft())
    day = date(2026, 4, 1)
    put_in_force(life, draft(PolicyFields(effective_from=day), replaces=document_id))
    assert states(shelf, document_id) == ["approved", "effective"]
    watch.now = day_begins(day, "Europe/Berlin") - timedelta(microseconds=1)
    assert states(shelf, document_id) == ["approved", "effective"]
    watch.now += timedelta(microseconds=1)
    assert states(shelf, document_id) == ["effective", "superseded"]


def test_a_version_that_is_not_in_force_yet_can_be_recalled(
    life: VersionLife, shelf: PolicyStore, draft: Drafts, watch: Watch
) -> None:
    """It is a draft again, and the old one goes on past the day."""
    document_id = put_in_force(life, draft())
    later = draft(PolicyFields(effective_from=date(2026, 4, 1)), replaces=document_id)
    put_in_force(life, later)
    life.do(Act.RECALL, APPROVER, later, "The date was wrong")
    watch.now += timedelta(days=60)
    assert states(shelf, document_id) == ["draft", "effective"]


def test_what_is_not_in_force_yet_is_recalled_and_not_retired(
    life: VersionLife, draft: Drafts
) -> None:
    """So that the version before goes on."""
    later = draft(PolicyFields(effective_from=date(2026, 4, 1)))
    put_in_force(life, later)
    with pytest.raises(IllegalTransition, match="what is not yet is recalled"):
        life.do(Act.RETIRE, APPROVER, later, "Not wanted")


def test_what_is_in_force_cannot_be_recalled(life: VersionLife, draft: Drafts) -> None:
    """People have read it: it is retired or superseded."""
    version_id = draft()
    put_in_force(life, version_id)
    with pytest.raises(IllegalTransition, match="This version is effective"):
        life.do(Act.RECALL, APPROVER, version_id, "Too late")


def test_a_retired_version_answers_no_more(
    life: VersionLife, shelf: PolicyStore, draft: Drafts, watch: Watch
) -> None:
    """From now on; as of before it still did."""
    version_id = draft()
    document_id = put_in_force(life, version_id)
    watch.now += timedelta(days=1)
    life.do(Act.RETIRE, APPROVER, version_id, "Replaced by the national guideline")
    assert states(shelf, document_id) == ["retired"]
    assert shelf.still_in_force([version_id]) == frozenset()
    assert shelf.still_in_force([version_id], START) == {version_id}


@pytest.mark.parametrize("act", [Act.OVERRIDE, Act.FIX, Act.SEND_BACK, Act.RECALL, Act.RETIRE])
def test_what_goes_around_the_rule_needs_a_reason(
    life: VersionLife, draft: Drafts, act: Act
) -> None:
    """Blanks are none, and nothing has changed."""
    with pytest.raises(IllegalTransition, match="needs a reason"):
        life.do(act, APPROVER, draft(), "  ")


def test_a_minor_fix_needs_a_version_in_force(
    life: VersionLife, shelf: PolicyStore, draft: Drafts, watch: Watch
) -> None:
    """One person puts a mended misprint in force, with a reason that stays."""
    with pytest.raises(IllegalTransition, match="needs a version that is in force"):
        life.do(Act.FIX, APPROVER, draft(), "A misprint")
    document_id = put_in_force(life, draft())
    fixed = draft(replaces=document_id)
    watch.now += timedelta(hours=1)
    life.do(Act.FIX, APPROVER, fixed, "A misprint")
    assert states(shelf, document_id) == ["effective", "superseded"]
    assert [(step.act, step.reason) for step in life.steps(fixed)] == [(Act.FIX, "A misprint")]


def test_what_was_sent_back_is_a_draft_and_can_be_changed(
    life: VersionLife, shelf: PolicyStore, draft: Drafts
) -> None:
    """What was submitted is not changed under the eyes of its approver."""
    version_id = draft()
    life.do(Act.SUBMIT, EDITOR, version_id)
    with pytest.raises(IllegalTransition, match="only what is a draft"):
        life.change(EDITOR, version_id, PolicyFields(owner="Pharmacy"))
    life.do(Act.SEND_BACK, APPROVER, version_id, "The owner is missing")
    life.change(EDITOR, version_id, PolicyFields(owner="Pharmacy"))
    (found,) = shelf.documents()
    assert (found.owner, found.title) == ("Pharmacy", "Hand hygiene")


def test_fields_that_are_too_long_change_nothing(
    life: VersionLife, shelf: PolicyStore, draft: Drafts
) -> None:
    """The field is named with its limit."""
    with pytest.raises(InvalidName, match="Owner has 121 characters"):
        life.change(EDITOR, draft(), PolicyFields(title="New", owner="x" * 121))
    assert shelf.documents()[0].title == "Hand hygiene"


def test_a_version_that_is_gone_is_named_as_such(life: VersionLife) -> None:
    """Somebody removed it while the page was open."""
    with pytest.raises(NotFound):
        life.do(Act.SUBMIT, EDITOR, "nothing")


def test_aud_5_every_decision_is_recorded_once(
    life: VersionLife, draft: Drafts, record: Record
) -> None:
    """With who decided, and nothing for what was refused."""
    version_id = draft()
    put_in_force(life, version_id)
    with pytest.raises(IllegalTransition):
        life.do(Act.APPROVE, APPROVER, version_id)
    life.do(Act.RETIRE, APPROVER, version_id, "Over")
    with record.read() as connection:
        rows = connection.execute(
            select(audit_leaves.c.action, audit_leaves.c.actor_id).order_by(audit_leaves.c.seq)
        ).all()
    assert [tuple(row) for row in rows][-3:] == [
        ("version.submitted", "local|edda"),
        ("version.approved", "local|anna"),
        ("version.retired", "local|anna"),
    ]
    assert SYSTEM.id not in {row.actor_id for row in rows[1:]}
