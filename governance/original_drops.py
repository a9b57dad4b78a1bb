"""Removes uploaded files that nothing refers to any more, once the record says so for good.

What OCR read of their pages goes with them.
"""

from collections.abc import Collection

import structlog
from sqlalchemy import select

from governance.config import GovernanceSettings
from governance.errors import GovernanceError
from governance.originals import drop_original
from governance.page_scans import drop_scans
from governance.record.database import Record
from governance.record.tables import versions

log = structlog.get_logger(__name__)


def drop_unreferenced(
    record: Record, settings: GovernanceSettings, digests: Collection[str]
) -> None:
    """Remove those of the files that no version refers to. Call it after the rows are committed.

    A file that could not be removed is logged: its document is gone from the record all the same.
    """
    if not digests:
        return
    try:
        # As the one writer: nobody registers the same bytes between the question and the removal.
        with record.write() as connection:
            used = connection.execute(
                select(versions.c.digest).where(versions.c.digest.in_(digests))
            ).scalars()
            unused = set(digests) - set(used)
            drop_scans(connection, unused)
            for digest in unused:
                drop_original(settings.originals_dir, digest)
    except (OSError, GovernanceError) as error:
        log.warning("files of a removed document are still on the disk", error=str(error))
