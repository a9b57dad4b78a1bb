"""Who may do what: the whole table of roles, and that nothing else is allowed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.grants import GrantKind, HeldGrant, may_grant, may_grant_role, may_manage
from governance.permissions import (
    ANYWHERE,
    Grant,
    Permission,
    Principal,
    Role,
    decide,
    departments_where,
)

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
HERE, THERE = "cardiology", "surgery"
ORDER = (
    Role.STAFF,
    Role.EDITOR,
    Role.APPROVER,
    Role.AUDITOR,
    Role.DEPARTMENT_ADMINISTRATOR,
    Role.ADMINISTRATOR,
)
# One column a role, in the order above: x may, . may not.
MATRIX = """
    policies.ask        x x x . x x
    policies.search     x x x x x x
    policies.read       x x x x x x
    documents.load      . x . . x x
    documents.delete    . x . . x x
    documents.approve   . . x . . x
    documents.override  . . . . . x
    drafts.read         . x x x x x
    folders.watch       . . . . x x
    jobs.read           . x x x x x
    jobs.forget         . x . . x x
    feedback.settle     . x . . x x
    abbreviations.manage . x . . x x
    questions.read      . . . x . x
    audit.read          . . . x . x
    audit.export        . . . x . x
    emergencies.use     x x x . x x
    emergencies.review  . . . x . x
    people.read         . . . x x x
    people.manage       . . . . x x
    rights.explain      . . . x x x
    departments.create  . . . . . x
    departments.manage  . . . . x x
    quotas.manage       . . . . x x
    retention.manage    . . . . x x
    keys.manage         x x x . x x
    account.use         x x x x x x
    models.use          x x x . x x
    models.manage       . . . . . x
    evaluations.manage  . x . . x x
    approvals.read      . . x x x x
    approvals.propose   . . . . x x
    approvals.decide    . . x . . x
    platform.operate    . . . . . x
"""
TABLE = {line.split()[0]: line.split()[1:] for line in MATRIX.strip().splitlines()}


def somebody(*grants: Grant, **more: object) -> Principal:
    principal = Principal("p1", "local", "ada", "Ada", "password", grants)
    return replace(principal, **more)  # type: ignore[arg-type]


def allowed(principal: Principal, permission: Permission, department: str | None = HERE) -> bool:
    return decide(principal, permission, department, NOW).allowed


def held(role: Role, department: str | None) -> HeldGrant:
    return HeldGrant(
        "g", "p2", role, department, GrantKind.STANDING, None, None, NOW, None, None, None
    )


def test_az_1_the_table_has_every_permission_and_every_role() -> None:
    """A new one cannot come in without being thought about."""
    assert set(TABLE) == {permission.value for permission in Permission}
    assert set(ORDER) == set(Role)
    assert all(len(cells) == len(ORDER) for cells in TABLE.values())


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", Role)
def test_az_1_a_role_may_what_the_table_says(role: Role, permission: Permission) -> None:
    """In its department, not in another, and for an administrator everywhere."""
    expected = TABLE[permission][ORDER.index(role)] == "x"
    everywhere = role is Role.ADMINISTRATOR
    principal = somebody(Grant(role, None if everywhere else HERE))
    assert allowed(principal, permission, HERE) is expected
    assert allowed(principal, permission, THERE) is (expected and everywhere)
    assert allowed(principal, permission, None) is (
        expected and (everywhere or permission in ANYWHERE)
    )


@pytest.mark.parametrize("permission", Permission)
def test_az_1_without_a_role_everything_is_denied(permission: Permission) -> None:
    """Absent means denied, and the decision says why."""
    decision = decide(somebody(), permission, HERE, NOW)
    assert not decision.allowed
    assert decision.reason


@pytest.mark.parametrize("permission", Permission)
def test_hip_10_the_suspended_and_the_expired_may_nothing(permission: Permission) -> None:
    """Not even an administrator; to the second."""
    boss = somebody(Grant(Role.ADMINISTRATOR, None))
    assert allowed(boss, permission)
    assert not allowed(replace(boss, suspended=True), permission)
    assert not allowed(replace(boss, expires_at=NOW), permission)
    assert allowed(replace(boss, expires_at=NOW + timedelta(seconds=1)), permission)
    over = somebody(Grant(Role.ADMINISTRATOR, None, NOW))
    assert not allowed(over, permission)


def test_rights_of_several_roles_add_up() -> None:
    """Each counts in its own department."""
    principal = somebody(Grant(Role.STAFF, HERE), Grant(Role.AUDITOR, THERE))
    assert allowed(principal, Permission.POLICIES_ASK, HERE)
    assert not allowed(principal, Permission.POLICIES_ASK, THERE)
    assert allowed(principal, Permission.AUDIT_READ, THERE)
    assert not allowed(principal, Permission.AUDIT_READ, HERE)
    both = (THERE, HERE, "third")
    assert departments_where(principal, Permission.POLICIES_READ, both, NOW) == (THERE, HERE)


def test_a_key_is_narrowed_by_its_scopes_and_its_department() -> None:
    """Even that of an administrator."""
    key = somebody(
        Grant(Role.ADMINISTRATOR, None),
        scopes=frozenset({Permission.POLICIES_ASK, Permission.MODELS_USE}),
        department_id=HERE,
    )
    assert allowed(key, Permission.POLICIES_ASK, HERE)
    assert not allowed(key, Permission.POLICIES_ASK, THERE)
    assert not allowed(key, Permission.POLICIES_ASK, None)
    assert not allowed(key, Permission.POLICIES_READ, HERE)
    assert allowed(key, Permission.MODELS_USE, None)
    assert not allowed(key, Permission.ACCOUNT_USE, None)


GRANTS = st.builds(
    Grant,
    st.sampled_from(Role),
    st.sampled_from([HERE, THERE, None]),
    st.sampled_from([None, NOW, NOW + timedelta(days=1)]),
)


@given(
    st.lists(GRANTS, max_size=4),
    st.frozensets(st.sampled_from(Permission)),
    st.sampled_from([HERE, THERE, None]),
    st.sampled_from(Permission),
    st.sampled_from([HERE, THERE, None]),
    st.booleans(),
)
def test_aut_3_a_key_never_has_more_rights_than_its_owner(
    grants: list[Grant],
    scopes: frozenset[Permission],
    key_department: str | None,
    permission: Permission,
    department: str | None,
    suspended: bool,
) -> None:
    """Whatever the key says, what it may is what its owner may and its scopes name."""
    owner = somebody(*grants, suspended=suspended)
    key = replace(owner, scopes=scopes, department_id=key_department, key_id="k")
    if allowed(key, permission, department):
        assert allowed(owner, permission, department)
        assert permission in scopes
        assert not suspended


@pytest.mark.parametrize("role", Role)
def test_an_administrator_grants_every_role_where_it_stands(role: Role) -> None:
    """To others, and never to themselves."""
    boss = somebody(Grant(Role.ADMINISTRATOR, None))
    where = None if role is Role.ADMINISTRATOR else HERE
    assert may_grant(boss, "p2", role, where, NOW).allowed
    assert not may_grant(boss, "p1", role, where, NOW).allowed
    assert not may_grant(replace(boss, suspended=True), "p2", role, where, NOW).allowed


@pytest.mark.parametrize("role", Role)
def test_a_department_administrator_grants_in_their_own_department(role: Role) -> None:
    """Staff and editors; nobody who is to watch them, and nothing elsewhere or everywhere."""
    chief = somebody(Grant(Role.DEPARTMENT_ADMINISTRATOR, HERE))
    assert may_grant_role(chief, role, HERE, NOW).allowed is (role in (Role.STAFF, Role.EDITOR))
    assert not may_grant_role(chief, role, THERE, NOW).allowed
    assert not may_grant_role(chief, role, None, NOW).allowed


@pytest.mark.parametrize("own", [Role.STAFF, Role.EDITOR, Role.APPROVER, Role.AUDITOR])
@pytest.mark.parametrize("role", Role)
def test_others_grant_nothing(own: Role, role: Role) -> None:
    """Wherever they stand."""
    for where in (HERE, THERE, None):
        assert not may_grant_role(somebody(Grant(own, HERE)), role, where, NOW).allowed


def test_a_role_stands_where_it_makes_sense() -> None:
    """No administrator of one department, and no department administrator of none."""
    boss = somebody(Grant(Role.ADMINISTRATOR, None))
    assert not may_grant_role(boss, Role.ADMINISTRATOR, HERE, NOW).allowed
    assert not may_grant_role(boss, Role.DEPARTMENT_ADMINISTRATOR, None, NOW).allowed


def test_a_narrow_key_or_an_ended_role_of_an_administrator_makes_no_administrator() -> None:
    """The right to make one is asked for at this moment."""
    boss = somebody(Grant(Role.ADMINISTRATOR, None))
    narrow = replace(boss, scopes=frozenset({Permission.PEOPLE_READ}))
    assert not may_grant_role(narrow, Role.ADMINISTRATOR, None, NOW).allowed
    over = somebody(Grant(Role.ADMINISTRATOR, None, NOW))
    assert not may_grant_role(over, Role.ADMINISTRATOR, None, NOW).allowed


def test_managing_a_person_needs_the_right_over_all_their_roles() -> None:
    """Else a link for a new password would be a way to a higher one's rights."""
    boss = somebody(Grant(Role.ADMINISTRATOR, None))
    chief = somebody(Grant(Role.DEPARTMENT_ADMINISTRATOR, HERE))
    mine, theirs = held(Role.STAFF, HERE), held(Role.STAFF, THERE)
    over_all = held(Role.ADMINISTRATOR, None)
    assert may_manage(chief, [mine], NOW).allowed
    for roles in ([theirs], [mine, theirs], [mine, over_all], []):
        assert not may_manage(chief, roles, NOW).allowed
        assert may_manage(boss, roles, NOW).allowed
    assert not may_manage(somebody(Grant(Role.STAFF, HERE)), [mine], NOW).allowed
