"""Two processes and one run: whoever comes second finds it taken, on PostgreSQL."""

from governance.config import GovernanceSettings
from governance.evaluation_locks import RunLocks
from governance.record.database import Record


def test_one_process_at_a_time_works_through_a_run(
    record: Record, settings: GovernanceSettings
) -> None:
    """Another run is free; afterwards the first is free again. On SQLite one works alone."""
    first, second = RunLocks(record, settings), RunLocks(record, settings)
    with first.of("run-1") as ours:
        assert ours is not None
        assert ours()
        with second.of("run-2") as other:
            assert other is not None
        with second.of("run-1") as taken:
            assert (taken is None) is (record.engine.dialect.name == "postgresql")
    with second.of("run-1") as free:
        assert free is not None
