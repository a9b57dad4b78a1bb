"""A version that is not in force is there for those who load or approve, and for nobody else."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
import pytest
from sqlalchemy import update

from governance.record.tables import versions
from governance.versions import VersionState
from web.testing import Site
from web.testing_hands import Hands

APPROVED, EFFECTIVE = VersionState.APPROVED, VersionState.EFFECTIVE
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
AHEAD = datetime(2100, 1, 1, tzinfo=UTC)
# As the record holds them: state, begin and end of the time in force.
NOT_IN_FORCE = [
    *((state, None, None) for state in VersionState if state not in (APPROVED, EFFECTIVE)),
    (APPROVED, AHEAD, None),
    (APPROVED, LONG_AGO, LONG_AGO + timedelta(days=1)),
]


@pytest.mark.parametrize(("state", "begins", "ends"), NOT_IN_FORCE)
def test_a_version_out_of_force_is_not_shown_to_staff(
    site: Site,
    editor: httpx.Client,
    staff: httpx.Client,
    state: VersionState,
    begins: datetime | None,
    ends: datetime | None,
) -> None:
    """Neither in the viewer nor as a file, at the pages' addresses and at the API's."""
    with ExitStack() as stack:
        document_id = Hands(site, stack, count(100)).document()
    version = f"/documents/{document_id}/versions/1"
    paths = (version, f"{version}/file", f"/api/v1{version}/file")
    assert [staff.get(path).status_code for path in paths] == [200, 200, 200]
    with site.platform.record.write() as connection:
        connection.execute(
            update(versions)
            .where(versions.c.document_id == document_id)
            .values(state=state, in_force_from=begins, in_force_until=ends)
        )
    assert [staff.get(path).status_code for path in paths] == [404, 404, 404]
    assert staff.get(f"{version}/pages/1.png").status_code == 404
    assert [editor.get(path).status_code for path in paths] == [200, 200, 200]
    editor.delete(f"/api/v1/documents/{document_id}")
