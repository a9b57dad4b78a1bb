"""Classes of data: their order, and which are switched on."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from governance.config import GovernanceSettings
from governance.data_classes import DataClass, enabled_classes, highest, up_to


@given(st.lists(st.sampled_from(DataClass)))
def test_apr_4_the_class_of_a_request_is_never_below_any_input(found: list[DataClass]) -> None:
    """The highest of what is known; without anything, what is usual."""
    taken = highest(found)
    assert all(one.level <= taken.level for one in found)
    assert taken in found or (not found and taken is DataClass.INTERNAL)


def test_the_order_is_not_that_of_the_words() -> None:
    """`confidential` comes before `internal` in a dictionary, and after it here."""
    assert [one.level for one in DataClass] == [0, 1, 2, 3, 4]
    assert up_to(DataClass.CONFIDENTIAL) == (
        DataClass.PUBLIC,
        DataClass.INTERNAL,
        DataClass.CONFIDENTIAL,
    )


def test_patient_data_is_switched_off_at_first(tmp_path: Path) -> None:
    """Each of the two classes by its own setting."""
    assert enabled_classes(GovernanceSettings(tmp_path)) == up_to(DataClass.CONFIDENTIAL)
    some = enabled_classes(GovernanceSettings(tmp_path, allow_phi=True))
    assert DataClass.PHI in some
    assert DataClass.DEIDENTIFIED_PHI not in some
