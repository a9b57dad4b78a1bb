"""PostgreSQL keeps the record only where it is new enough and cannot lose a commit (D1)."""

from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from governance.config import GovernanceSettings
from governance.errors import RecordUnusable
from governance.record.database import open_record
from governance.record.postgresql import check_durability, check_server_version
from governance.testing import OWNER, Cluster

SAFE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}


@pytest.mark.parametrize("number", [90624, 130021, 140011])
def test_d1_an_old_postgresql_is_refused_by_name(number: int) -> None:
    """The refusal says which version was found and which is needed."""
    with pytest.raises(RecordUnusable, match=f"PostgreSQL {number // 10000} is too old; 15"):
        check_server_version(number)
    check_server_version(150000)


@pytest.mark.parametrize("name", SAFE)
def test_d1_a_server_that_can_lose_commits_is_refused_by_name(name: str) -> None:
    """The refusal names the setting; the safe values pass."""
    with pytest.raises(RecordUnusable, match=f"{name}=off"):
        check_durability(SAFE | {name: "off"})
    check_durability(SAFE)
    check_durability(SAFE | {"synchronous_commit": "remote_apply"})


def test_d1_a_database_with_loose_commits_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    """Also where one database or user alone is set to answer too early."""
    name = f"loose-{uuid4().hex}"
    url = cluster.create(name)
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(
            f'ALTER ROLE "{OWNER}" IN DATABASE "{name}" SET synchronous_commit = off'
        )
    with pytest.raises(RecordUnusable, match="synchronous_commit=off"):
        open_record(GovernanceSettings(data_dir=tmp_path, database_url=url))
    cluster.drop(name)


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    """The refusal says which address was tried, and keeps the password to itself."""
    url = f"postgresql://lamplight:geheim@/record?host={tmp_path}"
    with pytest.raises(RecordUnusable, match="cannot be opened") as refusal:
        open_record(GovernanceSettings(data_dir=tmp_path, database_url=url))
    assert "geheim" not in f"{refusal.value.message} {refusal.value.hint}"
