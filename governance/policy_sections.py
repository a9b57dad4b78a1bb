"""Reads how a version is divided: its passages in order, their headings and what stands beside."""

from dataclasses import dataclass

from sqlalchemy import select

from governance.record.database import Record
from governance.record.tables import passages


@dataclass(frozen=True, slots=True)
class SectionRow:
    """Where one passage stands: the headings above it, "A > B", and its pages, from 1."""

    ordinal: int
    section: str
    page_from: int
    page_to: int


@dataclass(frozen=True, slots=True)
class PassageText:
    """The words of a passage and the headings above them."""

    section: str
    text: str


class SectionStore:
    """What the record says about the order of a version's passages."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def sections(self, version_id: str) -> tuple[SectionRow, ...]:
        """The passages of a version in order; nothing for a version that has none."""
        query = (
            select(passages.c.ordinal, passages.c.section, passages.c.page_from, passages.c.page_to)
            .where(passages.c.version_id == version_id)
            .order_by(passages.c.ordinal)
        )
        with self._record.read() as connection:
            return tuple(SectionRow(**row) for row in connection.execute(query).mappings())

    def beside(self, passage_id: str) -> tuple[PassageText | None, PassageText | None]:
        """The passages before and after this one in its version."""
        this = passages.alias()
        query = (
            select(passages.c.ordinal - this.c.ordinal, passages.c.section, passages.c.text)
            .join(this, this.c.version_id == passages.c.version_id)
            .where(
                this.c.id == passage_id,
                passages.c.ordinal.between(this.c.ordinal - 1, this.c.ordinal + 1),
            )
        )
        with self._record.read() as connection:
            found = {
                step: PassageText(section, text)
                for step, section, text in connection.execute(query)
            }
        return found.get(-1), found.get(1)
