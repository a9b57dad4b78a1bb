"""Keeps what OCR read of each page, by the digest of its file, for as long as the file is kept.

A page takes seconds to read. So what was read stays, whatever ends the process, and serves every
version that is made of the same bytes. It goes with the stored file.
"""

from collections.abc import Collection

from sqlalchemy import Connection, func, select

from governance.clock import Clock, utc_now
from governance.record.database import Record
from governance.record.intake_tables import page_scans
from governance.record.tables import versions


class PageScans:
    """Lines of scanned pages. How a line is written is for those who read scans to say."""

    def __init__(self, record: Record, clock: Clock = utc_now) -> None:
        self._record = record
        self._clock = clock

    def keep(self, digest: str, reader: str, page: int, lines: str) -> None:
        """Keep the lines of a page, unless no version is made of its file any more."""
        with self._record.write() as connection:
            used = select(versions.c.id).where(versions.c.digest == digest).limit(1)
            if connection.execute(used).first() is None:
                return
            connection.execute(
                page_scans.delete().where(
                    page_scans.c.digest == digest,
                    page_scans.c.reader == reader,
                    page_scans.c.page == page,
                )
            )
            connection.execute(
                page_scans.insert().values(
                    digest=digest, reader=reader, page=page, lines=lines, read_at=self._clock()
                )
            )

    def kept(self, digest: str, reader: str) -> dict[int, str]:
        """The lines of each page that this reader has read of a file."""
        query = select(page_scans.c.page, page_scans.c.lines).where(
            page_scans.c.digest == digest, page_scans.c.reader == reader
        )
        with self._record.read() as connection:
            return {row.page: row.lines for row in connection.execute(query)}

    def of_page(self, digest: str, page: int) -> str | None:
        """The lines that were read last of one page; None if it was never read by OCR."""
        query = (
            select(page_scans.c.lines)
            .where(page_scans.c.digest == digest, page_scans.c.page == page)
            .order_by(page_scans.c.read_at.desc(), page_scans.c.reader)
            .limit(1)
        )
        with self._record.read() as connection:
            found: str | None = connection.execute(query).scalar_one_or_none()
            return found


def count_scans(connection: Connection, digests: Collection[str]) -> int:
    """How many pages of these files are kept as read by OCR."""
    return connection.execute(
        select(func.count()).select_from(page_scans).where(page_scans.c.digest.in_(digests))
    ).scalar_one()


def drop_scans(connection: Connection, digests: Collection[str]) -> None:
    """Forget what was read of files that are not kept any more."""
    connection.execute(page_scans.delete().where(page_scans.c.digest.in_(digests)))
