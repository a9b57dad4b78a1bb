"""Only what is written down turns a group into a role."""

import pytest

from governance.permissions import Grant, Role
from web.errors import BadGroupRoles
from web.group_roles import grants_of, parse_group_roles

DEPARTMENTS = {"Pharmacy": "d1", "Ward 7": "d2"}


def test_aut_1_by_default_no_group_gives_a_role() -> None:
    """Without a mapping, nobody gets anything."""
    assert parse_group_roles("") == ()
    assert grants_of(["administrators", "administrator"], (), DEPARTMENTS) == ()


def test_aut_1_a_group_gives_its_role_in_its_department() -> None:
    """Several groups add up, each grant once."""
    rules = parse_group_roles(
        "pharmacists=editor@Pharmacy, nurses=staff@Ward 7, it=administrator, all=staff@Ward 7,"
    )
    assert grants_of(["nurses", "all", "others"], rules, DEPARTMENTS) == (Grant(Role.STAFF, "d2"),)
    assert grants_of(["it", "pharmacists"], rules, DEPARTMENTS) == (
        Grant(Role.EDITOR, "d1"),
        Grant(Role.ADMINISTRATOR, None),
    )


def test_aut_1_a_department_that_does_not_exist_gives_nothing() -> None:
    """It may be created later; until then, absent means denied."""
    rules = parse_group_roles("nurses=staff@Ward 8")
    assert grants_of(["nurses"], rules, DEPARTMENTS) == ()


def test_a_group_may_be_named_as_directories_do() -> None:
    """The last equals sign divides."""
    [rule] = parse_group_roles("cn=ward7;ou=groups@hospital=staff@Ward 7")
    assert (rule.group, rule.role, rule.department) == (
        "cn=ward7;ou=groups@hospital",
        Role.STAFF,
        "Ward 7",
    )


def test_groups_are_compared_letter_by_letter() -> None:
    """Another case, a part or a blank is another group."""
    rules = parse_group_roles("nurses=staff@Pharmacy")
    assert grants_of(["Nurses", "nurse", "nurses ", ""], rules, DEPARTMENTS) == ()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("nurses=nurse@Ward 7", "'nurse'"),
        ("nurses=Staff@Ward 7", "'Staff'"),
        ("a=staff@Pharmacy, nurses=root", "'root'"),
        ("nurses", "nurses"),
        ("=staff@Ward 7", "=staff"),
        ("nurses=@Ward 7", "no role ''"),
        ("nurses=staff@", "nurses=staff@"),
        ("nurses=staff@ ", "nurses=staff@"),
        ("it=administrator@Pharmacy", "everywhere"),
        ("it=department_administrator", "needs a department"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused_by_name(text: str, named: str) -> None:
    """A typing error gives nobody a right, and is not passed over in silence."""
    with pytest.raises(BadGroupRoles, match=named):
        parse_group_roles(text)
