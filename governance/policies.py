"""Reads the policies of a department: documents, versions, pages and passages in force."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, RowMapping, Select, func, or_, select

from governance.clock import Clock, utc_now
from governance.config import GovernanceSettings
from governance.errors import InvalidName, NotFound, UnknownDepartment
from governance.events import Action, Actor, Event
from governance.originals import original_path
from governance.page_checks import PageCheck, checks_of
from governance.proposals import Proposal, proposals_of
from governance.record.database import Record
from governance.record.document_tables import page_checks
from governance.record.tables import departments, documents, pages, passages, versions
from governance.versions import LIVE_STATES, Span, VersionState, state_at

MAX_DEPARTMENT_NAME_CHARS = 80
SHOWN_TITLE = func.coalesce(versions.c.title, versions.c.file_name)


@dataclass(frozen=True, slots=True)
class Department:
    """A tenant: its policies are searched by nobody else."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class PassageRecord:
    """A passage as the record holds it; pages count from 1."""

    passage_id: str
    document_id: str
    version_id: str
    policy_number: str | None
    title: str
    version: int
    department: str
    section: str
    page_from: int
    page_to: int
    text: str
    effective_from: date | None
    review_due: date | None
    file_name: str


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """One version of a document, as lists show it; state is that of the moment it was read.

    open_checks: what the check of its pages found and nobody has looked at.
    """

    document_id: str
    title: str
    policy_number: str | None
    department: str
    file_name: str
    version: int
    version_id: str
    state: VersionState
    page_count: int
    passage_count: int
    size_bytes: int
    media_type: str
    digest: str
    effective_from: date | None
    review_due: date | None
    created_at: datetime
    area: str | None
    applies_to: str | None
    owner: str | None
    originated: date | None
    last_approved: date | None
    last_revised: date | None
    supersedes: str | None
    handed_in_by: str | None
    approval_basis: str | None
    in_force_from: datetime | None
    in_force_until: datetime | None
    open_checks: int


@dataclass(frozen=True, slots=True)
class DocumentDetail:
    """A document with all of its versions, newest first.

    Title, number and file are those of the version in force; without one, of the newest.
    """

    document_id: str
    title: str
    policy_number: str | None
    department: str
    file_name: str
    versions: tuple[DocumentSummary, ...]

    @property
    def in_force(self) -> DocumentSummary | None:
        """The version in force."""
        return next((v for v in self.versions if v.state is VersionState.EFFECTIVE), None)


class PolicyStore:
    """What the record says about departments and their policies."""

    def __init__(
        self, record: Record, settings: GovernanceSettings, clock: Clock = utc_now
    ) -> None:
        self._record = record
        self._settings = settings
        self._clock = clock

    def departments(self) -> tuple[Department, ...]:
        """Every department, by name."""
        with self._record.read() as connection:
            rows = connection.execute(select(departments).order_by(departments.c.name))
            return tuple(Department(row.id, row.name) for row in rows)

    def department(self, name: str) -> Department:
        """The department of this name. Raises UnknownDepartment."""
        known = self.departments()
        for department in known:
            if department.name == name:
                return department
        names = ", ".join(d.name for d in known) or "none yet"
        raise UnknownDepartment(f"There is no department {name!r}.", f"Known: {names}.")

    def create_department(self, actor: Actor, name: str) -> Department:
        """Add a department, or return the one of that name. Raises InvalidName."""
        name = _checked_name(name)
        with self._record.write() as connection:
            found = connection.execute(
                select(departments).where(departments.c.name == name)
            ).one_or_none()
            if found is not None:
                return Department(found.id, found.name)
            department = Department(str(uuid4()), name)
            connection.execute(
                departments.insert().values(
                    id=department.id, name=name, created_at=datetime.now(UTC)
                )
            )
            self._record.trail.append(
                connection,
                Event(
                    Action.DEPARTMENT_CREATED,
                    actor,
                    department_id=department.id,
                    object_type="department",
                    object_id=department.id,
                ),
            )
            return department

    def documents(
        self, department: str | None = None, drafts: bool = True
    ) -> tuple[DocumentSummary, ...]:
        """Versions by title: those in force, and with drafts all that may still come into force."""
        query = _summaries(versions.c.state.in_(LIVE_STATES)).order_by(
            func.lower(SHOWN_TITLE), versions.c.number
        )
        if department is not None:
            query = query.where(departments.c.name == department)
        wanted = LIVE_STATES if drafts else {VersionState.EFFECTIVE}
        return tuple(found for found in self._summaries(query) if found.state in wanted)

    def document(self, document_id: str) -> DocumentDetail:
        """One document with its versions. Raises NotFound."""
        query = _summaries(documents.c.id == document_id).order_by(versions.c.number.desc())
        found = self._summaries(query)
        if not found:
            raise NotFound("This document is not here.", "It may have been removed.")
        shown = next((one for one in found if one.state is VersionState.EFFECTIVE), found[0])
        return DocumentDetail(
            document_id,
            shown.title,
            shown.policy_number,
            shown.department,
            shown.file_name,
            found,
        )

    def version(self, document_id: str, number: int) -> DocumentSummary:
        """One version of a document. Raises NotFound."""
        for version in self.document(document_id).versions:
            if version.version == number:
                return version
        raise NotFound(f"This document has no version {number}.", "Open its newest version.")

    def page_texts(self, document_id: str, number: int) -> tuple[str, ...]:
        """The text of each page of a version, in order. Raises NotFound."""
        version_id = self.version(document_id, number).version_id
        with self._record.read() as connection:
            rows = connection.execute(
                select(pages.c.text)
                .where(pages.c.version_id == version_id)
                .order_by(pages.c.number)
            )
            return tuple(row.text for row in rows)

    def original_path(self, document_id: str, number: int) -> Path:
        """Where the uploaded file of a version lies. Raises NotFound."""
        return original_path(self._settings.originals_dir, self.version(document_id, number).digest)

    def passages_in_force(
        self, passage_ids: Sequence[str], department: str, at: datetime | None = None
    ) -> dict[str, PassageRecord]:
        """Those of the passages that this department is answered from at a time; None is now."""
        query = _passages(
            passages.c.id.in_(passage_ids),
            departments.c.name == department,
            *_in_force(at or self._clock()),
        )
        with self._record.read() as connection:
            rows = connection.execute(query).mappings()
            return {row["passage_id"]: _passage(row) for row in rows}

    def passage(self, passage_id: str) -> PassageRecord:
        """One passage, whatever the state of its version. Raises NotFound."""
        with self._record.read() as connection:
            row = connection.execute(_passages(passages.c.id == passage_id)).mappings().first()
        if row is None:
            raise NotFound("This passage is not here.", "Its document may have been removed.")
        return _passage(row)

    def count_in_force(self, department: str | None = None) -> int:
        """How many documents answer questions right now."""
        query = (
            select(func.count())
            .select_from(versions.join(documents).join(departments))
            .where(*_in_force(self._clock()))
        )
        if department is not None:
            query = query.where(departments.c.name == department)
        with self._record.read() as connection:
            return int(connection.execute(query).scalar_one())

    def still_in_force(
        self, version_ids: Collection[str], at: datetime | None = None
    ) -> frozenset[str]:
        """Those of the versions that are in force at a time; None is now."""
        query = select(versions.c.id).where(
            versions.c.id.in_(version_ids), *_in_force(at or self._clock())
        )
        with self._record.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def checks(self, version_id: str) -> tuple[PageCheck, ...]:
        """What the check of a version's pages found, by page."""
        with self._record.read() as connection:
            return checks_of(connection, version_id)

    def section_texts(self, version_id: str) -> tuple[tuple[str, str], ...]:
        """The passages of a version in order, each with the headings above it."""
        query = (
            select(passages.c.section, passages.c.text)
            .where(passages.c.version_id == version_id)
            .order_by(passages.c.ordinal)
        )
        with self._record.read() as connection:
            return tuple((row.section, row.text) for row in connection.execute(query))

    def proposals(self, version_id: str) -> tuple[Proposal, ...]:
        """What the file of a version says about its policy, by the name of the field."""
        with self._record.read() as connection:
            return proposals_of(connection, version_id)

    def _summaries(self, query: Select[Any]) -> tuple[DocumentSummary, ...]:
        now = self._clock()
        with self._record.read() as connection:
            rows = connection.execute(query).mappings()
            return tuple(_summary(row, now) for row in rows)


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_DEPARTMENT_NAME_CHARS or not name.isprintable():
        raise InvalidName(
            f"{name[:40]!r} cannot be the name of a department.",
            f"Use 1 to {MAX_DEPARTMENT_NAME_CHARS} printable characters.",
        )
    return name


def _summaries(*conditions: ColumnElement[bool]) -> Select[Any]:
    passage_count = (
        select(func.count())
        .where(passages.c.version_id == versions.c.id)
        .correlate(versions)
        .scalar_subquery()
    )
    open_checks = (
        select(func.count())
        .where(page_checks.c.version_id == versions.c.id, page_checks.c.accepted_by.is_(None))
        .correlate(versions)
        .scalar_subquery()
    )
    return (
        select(
            documents.c.id.label("document_id"),
            SHOWN_TITLE.label("title"),
            versions.c.policy_number,
            departments.c.name.label("department"),
            versions.c.file_name,
            versions.c.number.label("version"),
            versions.c.id.label("version_id"),
            versions.c.state,
            versions.c.page_count,
            passage_count.label("passage_count"),
            versions.c.size_bytes,
            versions.c.media_type,
            versions.c.digest,
            versions.c.effective_from,
            versions.c.review_due,
            versions.c.created_at,
            versions.c.area,
            versions.c.applies_to,
            versions.c.owner,
            versions.c.originated,
            versions.c.last_approved,
            versions.c.last_revised,
            versions.c.supersedes,
            versions.c.handed_in_by,
            versions.c.approval_basis,
            versions.c.in_force_from,
            versions.c.in_force_until,
            open_checks.label("open_checks"),
        )
        .select_from(versions.join(documents).join(departments))
        .where(*conditions)
    )


def _in_force(at: datetime) -> tuple[ColumnElement[bool], ...]:
    """In force at this time: [in_force_from, in_force_until)."""
    ends = versions.c.in_force_until
    return versions.c.in_force_from <= at, or_(ends.is_(None), ends > at)


def _summary(row: RowMapping, now: datetime) -> DocumentSummary:
    begins = row["in_force_from"]
    span = Span(begins, row["in_force_until"]) if begins else None
    return DocumentSummary(**{**row, "state": state_at(VersionState(row["state"]), span, now)})


def _passages(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            passages.c.id.label("passage_id"),
            documents.c.id.label("document_id"),
            versions.c.id.label("version_id"),
            versions.c.policy_number,
            SHOWN_TITLE.label("title"),
            versions.c.number.label("version"),
            departments.c.name.label("department"),
            passages.c.section,
            passages.c.page_from,
            passages.c.page_to,
            passages.c.text,
            versions.c.effective_from,
            versions.c.review_due,
            versions.c.file_name,
        )
        .select_from(passages.join(versions).join(documents).join(departments))
        .where(*conditions)
    )


def _passage(row: RowMapping | Mapping[str, Any]) -> PassageRecord:
    return PassageRecord(**row)
