"""Roles and permissions in words that a department uses."""

from collections.abc import Mapping

from governance.permissions import Permission, Role

ROLE_NAMES: Mapping[Role, str] = {
    Role.STAFF: "Staff",
    Role.EDITOR: "Editor",
    Role.APPROVER: "Approver",
    Role.AUDITOR: "Auditor",
    Role.DEPARTMENT_ADMINISTRATOR: "Department administrator",
    Role.ADMINISTRATOR: "Administrator",
}
ROLE_MEANINGS: Mapping[Role, str] = {
    Role.STAFF: "Asks questions and reads the policies.",
    Role.EDITOR: "Does what staff do, and loads and removes documents.",
    Role.APPROVER: "Does what staff do, approves which documents come into force, and which "
    "models may be used.",
    Role.AUDITOR: "Reads who did what and what was asked. Asks and changes nothing.",
    Role.DEPARTMENT_ADMINISTRATOR: "Does what editors do, manages the department's people, limits "
    "and how long questions are kept, and proposes models.",
    Role.ADMINISTRATOR: "Manages everything in every department.",
}
PERMISSION_NAMES: Mapping[Permission, str] = {
    Permission.POLICIES_ASK: "Ask questions about the policies",
    Permission.POLICIES_SEARCH: "Search the policies",
    Permission.POLICIES_READ: "Read the policies",
    Permission.DOCUMENTS_LOAD: "Load documents",
    Permission.DOCUMENTS_DELETE: "Remove documents",
    Permission.DOCUMENTS_APPROVE: "Approve and retire documents",
    Permission.DOCUMENTS_OVERRIDE: "Put documents in force without a second person",
    Permission.DRAFTS_READ: "Read documents that are not in force",
    Permission.FOLDERS_WATCH: "Let folders be watched",
    Permission.JOBS_READ: "See what is loading",
    Permission.JOBS_FORGET: "Clear failed loads from the list",
    Permission.FEEDBACK_SETTLE: "Deal with feedback and reported gaps",
    Permission.ABBREVIATIONS_MANAGE: "Change the department's abbreviations",
    Permission.EVALUATIONS_MANAGE: "Keep gold questions and measure answers",
    Permission.QUESTIONS_READ: "Read what others asked",
    Permission.AUDIT_READ: "Read the audit trail",
    Permission.AUDIT_EXPORT: "Download the audit trail",
    Permission.EMERGENCIES_USE: "Use emergency access",
    Permission.EMERGENCIES_REVIEW: "Review emergency access",
    Permission.PEOPLE_READ: "See people and their roles",
    Permission.PEOPLE_MANAGE: "Add people and give roles",
    Permission.RIGHTS_EXPLAIN: "Check what a person can see",
    Permission.DEPARTMENTS_CREATE: "Create departments",
    Permission.DEPARTMENTS_MANAGE: "Manage the department",
    Permission.QUOTAS_MANAGE: "Set limits of use",
    Permission.RETENTION_MANAGE: "Decide what is kept of questions",
    Permission.KEYS_MANAGE: "Make keys for programs",
    Permission.ACCOUNT_USE: "Use the own account page",
    Permission.MODELS_USE: "Use the models directly",
    Permission.MODELS_MANAGE: "Install and remove models",
    Permission.APPROVALS_READ: "See the models and their approvals",
    Permission.APPROVALS_PROPOSE: "Propose models for approval",
    Permission.APPROVALS_DECIDE: "Approve, revoke and block models",
    Permission.PLATFORM_OPERATE: "Operate the platform",
}


def role_words(role: Role | str) -> str:
    """A role as people call it."""
    return ROLE_NAMES[Role(role)]


def permission_words(permission: Permission | str) -> str:
    """A permission as people call it."""
    return PERMISSION_NAMES[Permission(permission)]
