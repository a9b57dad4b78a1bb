"""Each state of a version has its words."""

import pytest

from governance.versions import VersionState
from web.version_words import state_words, warning_words


@pytest.mark.parametrize("state", [*VersionState, "withdrawn"])
def test_every_state_has_words(state: str) -> None:
    """Only the one in force comes without a warning."""
    assert state_words(state)[0].isupper()
    assert bool(warning_words(state)) == (state != "effective")


def test_a_state_that_nobody_thought_of_is_not_in_force() -> None:
    """It is named as it is and warned of."""
    assert state_words("some_day") == "Some day"
    assert "not in force" in warning_words("some_day")
