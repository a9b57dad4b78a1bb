"""FLT-1: `kill -9` in the middle of loading, replacing, retiring and removing, again and again.

`make prove` sets FLT_1_KILLS to 200: at each named door in turn, and in between at random moments.
"""

import os
import random
from pathlib import Path

from lamplight.testing_kills import DOORS, killed, opened, unsettled
from rag.testing import Script, scripted_runtime

KILLS = int(os.environ.get("FLT_1_KILLS", "4"))


def test_flt_1_record_index_and_files_agree_after_every_kill(tmp_path: Path) -> None:
    """After each start no version is half there, twice there or in force at the wrong time."""
    chance = random.Random(int(os.environ.get("FLT_1_SEED", "1")))
    doors: list[str | None] = [*DOORS, None, None]
    chance.shuffle(doors)
    done = 0
    with scripted_runtime(Script()) as url:
        for number in range(KILLS):
            door = doors[number % len(doors)]
            after = chance.randint(1, 12)
            done += killed(tmp_path, url, chance.randrange(10**6), door, after)
            with opened(tmp_path, url) as site:
                assert unsettled(site) == [], f"kill {number} at {door}, time {after}"
    assert done > KILLS
