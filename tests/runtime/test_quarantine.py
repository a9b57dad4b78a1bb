"""Models whose process keeps dying."""

from pathlib import Path

import pytest

from runtime.errors import Quarantined
from runtime.quarantine import FILE_NAME, Quarantine, Tolerance, too_often

TOLERANCE = Tolerance(deaths=3, window_s=600)
DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("deaths", "now", "expected"),
    [
        ([], 0, False),
        ([0, 1], 2, False),
        ([0, 1, 2], 2, True),
        ([0, 300, 600], 600, True),
        ([0, 300, 601], 601, False),
    ],
)
def test_too_often_is_three_times_in_ten_minutes(
    deaths: list[float], now: float, expected: bool
) -> None:
    """Deaths long ago do not count."""
    assert too_often(deaths, now, TOLERANCE) is expected


def test_three_deaths_set_a_model_aside_until_it_is_released(tmp_path: Path) -> None:
    """OLL-7: also after a restart, and with the command that lets it back."""
    clock = iter([0.0, 10.0, 20.0, 30.0])
    first = Quarantine(tmp_path / FILE_NAME, TOLERANCE, lambda: next(clock))
    assert [first.note_death(DIGEST) for _ in range(3)] == [False, False, True]
    again = Quarantine(tmp_path / FILE_NAME, TOLERANCE, lambda: next(clock))
    with pytest.raises(Quarantined) as caught:
        again.check(DIGEST, "m")
    assert "lamplight release m" in caught.value.hint
    again.check("sha256:" + "b" * 64, "other")
    assert again.digests() == [DIGEST]
    assert again.release(DIGEST)
    first.check(DIGEST, "m")
    assert not first.note_death(DIGEST), "its deaths are forgotten"


@pytest.mark.parametrize("content", ["", "[]", "{", '{"deaths": 3, "quarantined": []}'])
def test_notes_that_cannot_be_read_quarantine_nothing(tmp_path: Path, content: str) -> None:
    """A damaged file of ours stops no model, and is written anew."""
    (tmp_path / FILE_NAME).write_text(content)
    quarantine = Quarantine(tmp_path / FILE_NAME, TOLERANCE)
    quarantine.check(DIGEST, "m")
    assert not quarantine.release(DIGEST)
    assert quarantine.digests() == []
