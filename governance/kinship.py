"""Finds documents of a department that may be other versions of the same policy.

Two ways: the number that a version states, or that its file proposes, is another document's; or
both share a band of their signatures (`ingest/likeness.py`). How like they are, the caller says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, exists, or_, select

from governance.policies import SHOWN_TITLE
from governance.policy_fields import policy_key
from governance.record.database import Record
from governance.record.document_tables import likeness_bands, likenesses, proposed_fields
from governance.record.tables import documents, versions
from governance.versions import LIVE_STATES

MAX_CANDIDATES = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version of another document that may be of the same policy."""

    document_id: str
    version_id: str
    version: int
    title: str
    policy_number: str | None
    same_number: bool
    signature: bytes


class Kinship:
    """The record's side of telling which documents belong together."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def note(self, version_id: str, signature: bytes, bands: Sequence[int]) -> None:
        """Store the signature of a version, in place of an earlier reading's."""
        with self._record.write() as connection:
            for table in (likenesses, likeness_bands):
                connection.execute(table.delete().where(table.c.version_id == version_id))
            if not signature:
                return
            connection.execute(
                likenesses.insert().values(version_id=version_id, signature=signature)
            )
            connection.execute(
                likeness_bands.insert(),
                [
                    {"version_id": version_id, "band": band, "value": f"{value:016x}"}
                    for band, value in enumerate(bands)
                ],
            )

    def signature(self, version_id: str) -> bytes:
        """The signature of a version; empty if it has none."""
        query = select(likenesses.c.signature).where(likenesses.c.version_id == version_id)
        with self._record.read() as connection:
            return connection.execute(query).scalar_one_or_none() or b""

    def candidates(self, version_id: str) -> tuple[Candidate, ...]:
        """Versions of other documents of the department that may be of the same policy."""
        with self._record.read() as connection:
            own = connection.execute(
                select(versions.c.document_id, versions.c.policy_key, documents.c.department_id)
                .select_from(versions.join(documents))
                .where(versions.c.id == version_id)
            ).one_or_none()
            if own is None:
                return ()
            key = own.policy_key or _proposed_key(connection, version_id)
            mine = likeness_bands.alias()
            shares_band = exists().where(
                likeness_bands.c.version_id == versions.c.id,
                mine.c.version_id == version_id,
                mine.c.band == likeness_bands.c.band,
                mine.c.value == likeness_bands.c.value,
            )
            has_number = versions.c.policy_key == key if key else versions.c.id.is_(None)
            rows = connection.execute(
                select(
                    versions.c.document_id,
                    versions.c.id,
                    versions.c.number,
                    SHOWN_TITLE.label("title"),
                    versions.c.policy_number,
                    versions.c.policy_key,
                    likenesses.c.signature,
                )
                .select_from(versions.join(documents).outerjoin(likenesses))
                .where(
                    documents.c.department_id == own.department_id,
                    versions.c.document_id != own.document_id,
                    versions.c.state.in_(LIVE_STATES),
                    or_(shares_band, has_number),
                )
                .order_by(versions.c.number.desc())
                .limit(MAX_CANDIDATES)
            )
            return tuple(
                Candidate(
                    row.document_id,
                    row.id,
                    row.number,
                    row.title,
                    row.policy_number,
                    key is not None and row.policy_key == key,
                    row.signature or b"",
                )
                for row in rows
            )


def _proposed_key(connection: Connection, version_id: str) -> str | None:
    number = connection.execute(
        select(proposed_fields.c.value).where(
            proposed_fields.c.version_id == version_id, proposed_fields.c.name == "policy_number"
        )
    ).scalar_one_or_none()
    return policy_key(number)
