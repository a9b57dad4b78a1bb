"""The headings of a version and what stands beside a passage, from the record."""

from uuid import uuid4

from governance.policy_sections import PassageText, SectionRow, SectionStore
from governance.record.database import Record
from governance.record.tables import departments, documents, passages, versions
from governance.testing_quotas import NOW

PASSAGES = (("", 1, "First."), ("A", 1, "Second."), ("A > B", 2, "Third."))


def filled(record: Record) -> tuple[str, list[str]]:
    """A version with three passages: its id, and theirs."""
    names = [str(uuid4()) for _ in range(6)]
    place, document, version, *ids = names
    with record.write() as connection:
        connection.execute(departments.insert().values(id=place, name="Wards", created_at=NOW))
        connection.execute(
            documents.insert().values(id=document, department_id=place, created_at=NOW)
        )
        connection.execute(
            versions.insert().values(
                id=version,
                document_id=document,
                number=1,
                state="approved",
                file_name="a.pdf",
                media_type="application/pdf",
                size_bytes=1,
                digest="d" * 64,
                page_count=2,
                created_at=NOW,
            )
        )
        for number, (section, page, text) in enumerate(PASSAGES):
            connection.execute(
                passages.insert().values(
                    id=ids[number],
                    version_id=version,
                    ordinal=number,
                    section=section,
                    page_from=page,
                    page_to=page,
                    text=text,
                    embed_text=text,
                )
            )
    return version, ids


def test_the_sections_come_in_the_order_of_the_document(record: Record) -> None:
    """With the pages on which their passages stand."""
    version, _ = filled(record)
    store = SectionStore(record)
    assert store.sections(version) == (
        SectionRow(0, "", 1, 1),
        SectionRow(1, "A", 1, 1),
        SectionRow(2, "A > B", 2, 2),
    )
    assert store.sections("nowhere") == ()


def test_what_stands_beside_a_passage(record: Record) -> None:
    """The one before and the one after; nothing at the ends and for what is not there."""
    _, ids = filled(record)
    store = SectionStore(record)
    first, third = PassageText("", "First."), PassageText("A > B", "Third.")
    assert store.beside(ids[1]) == (first, third)
    assert store.beside(ids[0]) == (None, PassageText("A", "Second."))
    assert store.beside(ids[2]) == (PassageText("A", "Second."), None)
    assert store.beside("nowhere") == (None, None)
