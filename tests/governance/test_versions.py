"""The life of a version follows its table."""

import pytest

from governance.errors import IllegalTransition
from governance.versions import TRANSITIONS, VersionState, check_transition

EVERY_STEP = [(a, b) for a in VersionState for b in VersionState]


@pytest.mark.parametrize(("current", "wanted"), EVERY_STEP)
def test_only_steps_of_the_table_are_taken(current: VersionState, wanted: VersionState) -> None:
    """Every pair of states is either in the table or refused."""
    if wanted in TRANSITIONS[current]:
        check_transition(current, wanted)
    else:
        with pytest.raises(IllegalTransition):
            check_transition(current, wanted)


def test_nothing_leads_back_to_loading() -> None:
    """No state can return to the beginning."""
    assert all(VersionState.LOADING not in steps for steps in TRANSITIONS.values())
