"""Departments and documents are found by name, and what is missing is said so."""

import pytest

from governance.errors import InvalidName, NotFound, UnknownDepartment
from governance.events import SYSTEM
from governance.policies import PolicyStore


def test_a_department_is_made_once(policies: PolicyStore) -> None:
    """Creating it again gives the same one."""
    assert policies.create_department(SYSTEM, "demo") == policies.create_department(
        SYSTEM, "  demo "
    )
    assert [d.name for d in policies.departments()] == ["demo"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\x00b"])
def test_a_bad_department_name_is_refused(policies: PolicyStore, name: str) -> None:
    """Empty, overlong and unprintable names change nothing."""
    with pytest.raises(InvalidName):
        policies.create_department(SYSTEM, name)
    assert policies.departments() == ()


def test_an_unknown_department_lists_the_known(policies: PolicyStore) -> None:
    """The hint names what could have been meant."""
    policies.create_department(SYSTEM, "pharmacy")
    with pytest.raises(UnknownDepartment) as refusal:
        policies.department("farmacy")
    assert "pharmacy" in refusal.value.hint


def test_what_is_not_there_is_said_to_be_missing(policies: PolicyStore) -> None:
    """Unknown documents and passages raise NotFound."""
    with pytest.raises(NotFound):
        policies.document("no-such-id")
    with pytest.raises(NotFound):
        policies.passage("no-such-id")
