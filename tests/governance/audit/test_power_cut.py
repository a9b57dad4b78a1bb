"""A power cut during load loses nothing that was acknowledged (AUD-4, FLT-3)."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from governance.audit.testing import survived
from governance.config import GovernanceSettings
from governance.record.database import open_record
from governance.record.trail_tables import audit_leaves

CUTTER = Path(__file__).with_name("power_cutter.py")
CUTS = int(os.environ.get("AUD_4_CUTS", "20"))
CUTS_PER_PROCESS = 5


@dataclass
class Cut:
    """One image of the disk: its folder, what had been acknowledged, and all that was written."""

    image: Path
    acknowledged: int
    written: list[str]


def cut_power(folder: Path, images: Path, seed: int, synchronous: str = "FULL") -> list[Cut]:
    """Write in this folder, and cut the power some times."""
    arguments = [str(folder), str(images), str(seed), str(CUTS_PER_PROCESS), synchronous]
    done = subprocess.run([sys.executable, str(CUTTER), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = done.stdout.split()
    written = said[CUTS_PER_PROCESS:]
    return [
        Cut(images / str(number), int(said[number]), written) for number in range(CUTS_PER_PROCESS)
    ]


def leaves(folder: Path) -> list[str]:
    record = open_record(GovernanceSettings(data_dir=folder))
    with record.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        query = select(audit_leaves.c.leaf_hash).order_by(audit_leaves.c.seq)
        found = [leaf.hex() for leaf in connection.execute(query).scalars()]
    record.close()
    return found


def test_aud_4_flt_3_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Each image begins what was written, ends at or behind the last acknowledged, and is whole."""
    folder = tmp_path / "0"
    folder.mkdir()
    rounds = -(-CUTS // CUTS_PER_PROCESS)
    for number in range(rounds):
        cuts = cut_power(folder, tmp_path / f"images-{number}", seed=number)
        for cut in cuts:
            found = leaves(cut.image)
            assert found == cut.written[: len(found)], f"no prefix: seed {number}, {cut.image}"
            lost = cut.acknowledged - len(found)
            assert lost in (0, -1), f"{lost} lost: seed {number}, {cut.image}"
            left = survived(cut.image)
            assert (left.acts_without_event, left.events_without_act) == (0, 0)
            assert left.intact
        # The next writer goes on from a disk that lost its power before.
        folder = cuts[-1].image


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_the_simulation_finds_a_record_that_does_not_sync(tmp_path: Path, synchronous: str) -> None:
    """With any weaker setting than ours acknowledged events are lost, so this can be seen here."""
    (tmp_path / "0").mkdir()
    cuts = cut_power(tmp_path / "0", tmp_path / "images", 0, synchronous)
    assert sum(cut.acknowledged for cut in cuts) > 0
    lost = 0
    for cut in cuts:
        try:
            lost += max(0, cut.acknowledged - len(leaves(cut.image)))
        except Exception:  # noqa: BLE001 (a record that cannot be opened is lost whole)
            lost += cut.acknowledged
    assert lost > 0
