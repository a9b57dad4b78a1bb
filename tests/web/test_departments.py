"""Which department is meant."""

import pytest

from governance.errors import UnknownDepartment
from governance.policies import Department
from web.departments import choose, suggest
from web.errors import DepartmentNeeded, NoDepartment

A, B = Department("1", "A"), Department("2", "B")


def test_the_only_one_needs_no_name() -> None:
    """One department is always meant."""
    assert choose([A], None) == A


def test_several_need_a_name_and_are_listed() -> None:
    """The error names them all."""
    with pytest.raises(DepartmentNeeded) as refused:
        choose([A, B], "")
    assert "A, B" in refused.value.hint
    assert choose([A, B], "B") == B


def test_an_unknown_name_is_refused() -> None:
    """Even when there is only one."""
    with pytest.raises(UnknownDepartment):
        choose([A], "C")


def test_none_at_all_is_said() -> None:
    """Nothing was loaded yet."""
    with pytest.raises(NoDepartment):
        choose([], None)


def test_a_page_starts_with_the_named_or_the_first() -> None:
    """A page never refuses."""
    assert (suggest([A, B], "B"), suggest([A, B], "x"), suggest([], None)) == ("B", "A", "")
