"""Who may do what: one list of permissions, one table of roles, one function that decides.

Pure. A permission is named `noun.verb`. What no role names is denied. Rights come from grants: a
role in one department, or, for an administrator, in all. A key has its owner's rights, narrowed by
its scopes and its department. Whoever is suspended or expired has none, by whatever way they come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Permission(StrEnum):
    """Everything that can be allowed; `noun.verb`."""

    POLICIES_ASK = "policies.ask"
    POLICIES_SEARCH = "policies.search"
    POLICIES_READ = "policies.read"
    DOCUMENTS_LOAD = "documents.load"
    DOCUMENTS_DELETE = "documents.delete"
    DOCUMENTS_APPROVE = "documents.approve"
    DOCUMENTS_OVERRIDE = "documents.override"
    DRAFTS_READ = "drafts.read"
    FOLDERS_WATCH = "folders.watch"
    JOBS_READ = "jobs.read"
    JOBS_FORGET = "jobs.forget"
    FEEDBACK_SETTLE = "feedback.settle"
    ABBREVIATIONS_MANAGE = "abbreviations.manage"
    EVALUATIONS_MANAGE = "evaluations.manage"
    QUESTIONS_READ = "questions.read"
    AUDIT_READ = "audit.read"
    AUDIT_EXPORT = "audit.export"
    EMERGENCIES_USE = "emergencies.use"
    EMERGENCIES_REVIEW = "emergencies.review"
    PEOPLE_READ = "people.read"
    PEOPLE_MANAGE = "people.manage"
    RIGHTS_EXPLAIN = "rights.explain"
    DEPARTMENTS_CREATE = "departments.create"
    DEPARTMENTS_MANAGE = "departments.manage"
    QUOTAS_MANAGE = "quotas.manage"
    RETENTION_MANAGE = "retention.manage"
    KEYS_MANAGE = "keys.manage"
    ACCOUNT_USE = "account.use"
    MODELS_USE = "models.use"
    MODELS_MANAGE = "models.manage"
    APPROVALS_READ = "approvals.read"
    APPROVALS_PROPOSE = "approvals.propose"
    APPROVALS_DECIDE = "approvals.decide"
    PLATFORM_OPERATE = "platform.operate"


class Role(StrEnum):
    """What a person is in a department; an administrator is one everywhere."""

    STAFF = "staff"
    EDITOR = "editor"
    APPROVER = "approver"
    AUDITOR = "auditor"
    DEPARTMENT_ADMINISTRATOR = "department_administrator"
    ADMINISTRATOR = "administrator"


_READERS = frozenset(
    {
        Permission.POLICIES_ASK,
        Permission.POLICIES_SEARCH,
        Permission.POLICIES_READ,
        Permission.MODELS_USE,
        Permission.ACCOUNT_USE,
        Permission.KEYS_MANAGE,
        Permission.EMERGENCIES_USE,
    }
)
_EDITORS = _READERS | {
    Permission.DOCUMENTS_LOAD,
    Permission.DOCUMENTS_DELETE,
    Permission.DRAFTS_READ,
    Permission.JOBS_READ,
    Permission.JOBS_FORGET,
    Permission.FEEDBACK_SETTLE,
    Permission.ABBREVIATIONS_MANAGE,
    Permission.EVALUATIONS_MANAGE,
}
ROLES: Mapping[Role, frozenset[Permission]] = {
    Role.STAFF: _READERS,
    Role.EDITOR: _EDITORS,
    Role.APPROVER: _READERS
    | {
        Permission.DOCUMENTS_APPROVE,
        Permission.DRAFTS_READ,
        Permission.JOBS_READ,
        Permission.APPROVALS_READ,
        Permission.APPROVALS_DECIDE,
    },
    # Reads the trail and what was asked; asks nothing and changes nothing.
    Role.AUDITOR: frozenset(
        {
            Permission.POLICIES_SEARCH,
            Permission.POLICIES_READ,
            Permission.DRAFTS_READ,
            Permission.JOBS_READ,
            Permission.QUESTIONS_READ,
            Permission.AUDIT_READ,
            Permission.AUDIT_EXPORT,
            Permission.EMERGENCIES_REVIEW,
            Permission.PEOPLE_READ,
            Permission.RIGHTS_EXPLAIN,
            Permission.APPROVALS_READ,
            Permission.ACCOUNT_USE,
        }
    ),
    Role.DEPARTMENT_ADMINISTRATOR: _EDITORS
    | {
        Permission.FOLDERS_WATCH,
        Permission.PEOPLE_READ,
        Permission.PEOPLE_MANAGE,
        Permission.RIGHTS_EXPLAIN,
        Permission.DEPARTMENTS_MANAGE,
        Permission.QUOTAS_MANAGE,
        Permission.RETENTION_MANAGE,
        Permission.APPROVALS_READ,
        Permission.APPROVALS_PROPOSE,
    },
    Role.ADMINISTRATOR: frozenset(Permission),
}
# What holds without naming a department as soon as one grant gives it anywhere.
ANYWHERE = frozenset(
    {
        Permission.ACCOUNT_USE,
        Permission.KEYS_MANAGE,
        Permission.EMERGENCIES_USE,
        Permission.MODELS_USE,
    }
)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, in one department or (department None) in all of them."""

    role: Role
    department_id: str | None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever asks, as the record knows them at this moment.

    scopes: None, or the only permissions of this key. department_id: the only department of
    this key. issuer, subject: the identity; auth: how it was shown (`socket`, `password`, `oidc`,
    `key`, `mtls`, `runtime`, `none`).
    """

    person_id: str | None
    issuer: str
    subject: str
    name: str
    auth: str
    grants: tuple[Grant, ...]
    suspended: bool = False
    expires_at: datetime | None = None
    scopes: frozenset[Permission] | None = None
    department_id: str | None = None
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether something is allowed, and the rule that decided, in words."""

    allowed: bool
    reason: str


def decide(
    principal: Principal, permission: Permission, department_id: str | None, now: datetime
) -> Decision:
    """Decide one act; department_id None asks for the whole platform."""
    if principal.suspended:
        return Decision(False, "The account is suspended.")
    if principal.expires_at is not None and principal.expires_at <= now:
        return Decision(False, "The account or key has expired.")
    if principal.scopes is not None and permission not in principal.scopes:
        return Decision(False, "The key does not have this scope.")
    elsewhere = department_id is not None or permission not in ANYWHERE
    if principal.department_id not in (None, department_id) and elsewhere:
        return Decision(False, "The key is for another department.")
    for grant in principal.grants:
        if _covers(grant, permission, department_id, now):
            where = "everywhere" if grant.department_id is None else "in this department"
            return Decision(True, f"The role {grant.role} {where} allows it.")
    return Decision(False, "No role of this person allows it here.")


def departments_where(
    principal: Principal, permission: Permission, department_ids: tuple[str, ...], now: datetime
) -> tuple[str, ...]:
    """Those of the departments in which the principal may do this, in their order."""
    return tuple(one for one in department_ids if decide(principal, permission, one, now).allowed)


def _covers(grant: Grant, permission: Permission, department_id: str | None, now: datetime) -> bool:
    if permission not in ROLES[grant.role]:
        return False
    if grant.expires_at is not None and grant.expires_at <= now:
        return False
    if grant.department_id is None or grant.department_id == department_id:
        return True
    return department_id is None and permission in ANYWHERE
