"""Who may use which address: one table for every route of the application.

What stands here is checked before any view is called; an address that does not stand here is
refused. A permission means: in one department at least, and a list of them means any one of them.
Which department a request is about only its view knows, and asks the caller about it again.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import Scope

from governance.permissions import Permission

STATIC_NAME = "static"


class Open(StrEnum):
    """What does not depend on a role."""

    # For everybody; whoever is signed in is known there all the same.
    PUBLIC = "public"
    # For whoever showed who they are, in any way.
    SIGNED_IN = "signed_in"
    # For a person, not for a program with a key.
    PERSON = "person"
    # For a person whose session may be locked.
    LOCKED = "locked"


Need = Permission | tuple[Permission, ...] | Open
Row = tuple[str, str]

_VERSION = "/documents/{document_id}/versions/{number:int}"
_PERSON = "/people/{person_id}"
_EVALUATION = "/api/v1/evaluations/{run_id}"
_DEPARTMENT = "/departments/{department_id}"
# Any of these leads to the pages of departments.
DEPARTMENT_RIGHTS = (
    Permission.DEPARTMENTS_MANAGE,
    Permission.PEOPLE_READ,
    Permission.QUOTAS_MANAGE,
    Permission.RETENTION_MANAGE,
)
_RUN = "/evaluation/runs/{run_id}"
_GOLD = "/evaluation/questions"
_MODEL = "/models/{digest}"
_APPROVAL = "/approvals/{approval_id}"
# Whoever proposed withdraws as well as whoever decides.
_PROPOSALS = (Permission.APPROVALS_PROPOSE, Permission.APPROVALS_DECIDE)
# Which act asks for which of these stands in governance/versions.py.
_DECISIONS = (
    Permission.DOCUMENTS_LOAD,
    Permission.DOCUMENTS_APPROVE,
    Permission.DOCUMENTS_OVERRIDE,
)
_MODELS = (Permission.POLICIES_ASK, Permission.MODELS_USE)
TABLE: Mapping[Row, Need] = {
    ("GET", "/"): Open.PERSON,
    ("POST", "/ask"): Permission.POLICIES_ASK,
    ("GET", "/ask/{answer_id}"): Permission.POLICIES_ASK,
    ("POST", "/ask/{answer_id}/feedback"): Permission.POLICIES_ASK,
    ("POST", "/ask/{answer_id}/gap"): Permission.POLICIES_ASK,
    ("GET", "/feedback"): Permission.FEEDBACK_SETTLE,
    ("POST", "/feedback/{feedback_id}"): Permission.FEEDBACK_SETTLE,
    ("GET", "/gaps"): Permission.FEEDBACK_SETTLE,
    ("POST", "/gaps/{gap_id}"): Permission.FEEDBACK_SETTLE,
    ("GET", "/evaluation"): Permission.EVALUATIONS_MANAGE,
    ("POST", "/evaluation/runs"): Permission.EVALUATIONS_MANAGE,
    ("GET", _RUN): Permission.EVALUATIONS_MANAGE,
    ("GET", f"{_RUN}/progress"): Permission.EVALUATIONS_MANAGE,
    ("POST", f"{_RUN}/stop"): Permission.EVALUATIONS_MANAGE,
    ("POST", f"{_RUN}/baseline"): Permission.EVALUATIONS_MANAGE,
    ("GET", f"{_RUN}/report"): Permission.EVALUATIONS_MANAGE,
    ("GET", f"{_RUN}/report.pdf"): Permission.EVALUATIONS_MANAGE,
    ("GET", "/evaluation/comparison"): Permission.EVALUATIONS_MANAGE,
    ("GET", "/evaluation/gate"): Permission.EVALUATIONS_MANAGE,
    ("POST", "/evaluation/gate"): Permission.EVALUATIONS_MANAGE,
    ("POST", "/evaluation/gate/override"): Permission.EVALUATIONS_MANAGE,
    ("POST", "/evaluation/gate/override/end"): Permission.EVALUATIONS_MANAGE,
    ("GET", _GOLD): Permission.EVALUATIONS_MANAGE,
    ("POST", _GOLD): Permission.EVALUATIONS_MANAGE,
    ("GET", f"{_GOLD}/new"): Permission.EVALUATIONS_MANAGE,
    ("GET", f"{_GOLD}/download"): Permission.EVALUATIONS_MANAGE,
    ("POST", f"{_GOLD}/import"): Permission.EVALUATIONS_MANAGE,
    ("GET", f"{_GOLD}/{{gold_id}}"): Permission.EVALUATIONS_MANAGE,
    ("POST", f"{_GOLD}/{{gold_id}}"): Permission.EVALUATIONS_MANAGE,
    ("POST", f"{_GOLD}/{{gold_id}}/retire"): Permission.EVALUATIONS_MANAGE,
    ("GET", "/search"): Permission.POLICIES_SEARCH,
    ("GET", "/documents"): Permission.POLICIES_READ,
    ("POST", "/documents"): Permission.DOCUMENTS_LOAD,
    ("GET", "/documents/progress"): Permission.JOBS_READ,
    ("POST", "/documents/jobs/{job_id}/forget"): Permission.JOBS_FORGET,
    ("POST", "/documents/jobs/{job_id}/retry"): Permission.DOCUMENTS_LOAD,
    ("GET", "/documents/folders"): Permission.JOBS_READ,
    ("POST", "/documents/folders"): Permission.FOLDERS_WATCH,
    ("POST", "/documents/folders/{folder_id}/remove"): Permission.FOLDERS_WATCH,
    ("POST", "/documents/folders/{folder_id}/confirm"): Permission.FOLDERS_WATCH,
    ("GET", "/review"): Permission.DRAFTS_READ,
    ("POST", "/review/missing/{missing_id}/keep"): Permission.DOCUMENTS_LOAD,
    ("GET", f"{_VERSION}/review"): Permission.DRAFTS_READ,
    ("POST", f"{_VERSION}/review/act"): _DECISIONS,
    ("POST", f"{_VERSION}/review/fields"): Permission.DOCUMENTS_LOAD,
    ("POST", f"{_VERSION}/review/attach"): Permission.DOCUMENTS_LOAD,
    ("GET", "/documents/{document_id}/delete"): Permission.DOCUMENTS_DELETE,
    ("POST", "/documents/{document_id}/delete"): Permission.DOCUMENTS_DELETE,
    ("GET", _VERSION): Permission.POLICIES_READ,
    ("GET", f"{_VERSION}/print"): Permission.POLICIES_READ,
    ("GET", f"{_VERSION}/file"): Permission.POLICIES_READ,
    ("GET", f"{_VERSION}/difference"): Permission.DRAFTS_READ,
    ("GET", f"{_VERSION}/pages/{{page:int}}.png"): Permission.POLICIES_READ,
    ("GET", "/help"): Open.PUBLIC,
    ("GET", "/sign-in"): Open.PUBLIC,
    ("POST", "/sign-in"): Open.PUBLIC,
    ("GET", "/sign-in/oidc"): Open.PUBLIC,
    ("GET", "/sign-in/oidc/callback"): Open.PUBLIC,
    ("POST", "/sign-in/oidc/logout"): Open.PUBLIC,
    ("GET", "/welcome/{ticket}"): Open.PUBLIC,
    ("POST", "/welcome/{ticket}"): Open.PUBLIC,
    ("GET", "/set-password/{ticket}"): Open.PUBLIC,
    ("POST", "/set-password/{ticket}"): Open.PUBLIC,
    ("POST", "/sign-out"): Open.LOCKED,
    ("POST", "/lock"): Open.PERSON,
    ("GET", "/unlock"): Open.LOCKED,
    ("POST", "/unlock"): Open.LOCKED,
    ("GET", "/account"): Open.PERSON,
    ("GET", "/account/reports"): Open.PERSON,
    ("POST", "/account/sessions/{session_id}/end"): Open.PERSON,
    ("GET", "/account/password"): Open.PERSON,
    ("POST", "/account/password"): Open.PERSON,
    ("GET", "/account/keys/new"): Open.PERSON,
    ("POST", "/account/keys"): Open.PERSON,
    ("POST", "/account/keys/{key_id}/revoke"): Open.PERSON,
    ("GET", "/account/alive"): Open.PERSON,
    ("GET", "/account/stay"): Open.PERSON,
    ("GET", "/people"): Permission.PEOPLE_READ,
    ("POST", "/people"): Permission.PEOPLE_MANAGE,
    ("GET", "/people/new"): Permission.PEOPLE_MANAGE,
    ("GET", _PERSON): Permission.PEOPLE_READ,
    ("POST", f"{_PERSON}/roles"): Permission.PEOPLE_MANAGE,
    ("POST", f"{_PERSON}/roles/{{grant_id}}/withdraw"): Permission.PEOPLE_MANAGE,
    ("POST", f"{_PERSON}/limits"): Permission.QUOTAS_MANAGE,
    ("GET", f"{_PERSON}/suspend"): Permission.PEOPLE_MANAGE,
    ("POST", f"{_PERSON}/suspend"): Permission.PEOPLE_MANAGE,
    ("POST", f"{_PERSON}/restore"): Permission.PEOPLE_MANAGE,
    ("POST", f"{_PERSON}/link"): Permission.PEOPLE_MANAGE,
    ("POST", f"{_PERSON}/keys/{{key_id}}/revoke"): Permission.PEOPLE_MANAGE,
    ("GET", "/departments"): DEPARTMENT_RIGHTS,
    ("POST", "/departments"): Permission.DEPARTMENTS_CREATE,
    ("GET", _DEPARTMENT): DEPARTMENT_RIGHTS,
    ("GET", f"{_DEPARTMENT}/abbreviations"): Permission.ABBREVIATIONS_MANAGE,
    ("POST", f"{_DEPARTMENT}/abbreviations"): Permission.ABBREVIATIONS_MANAGE,
    ("POST", f"{_DEPARTMENT}/abbreviations/import"): Permission.ABBREVIATIONS_MANAGE,
    ("POST", f"{_DEPARTMENT}/abbreviations/{{abbreviation_id}}/remove"): (
        Permission.ABBREVIATIONS_MANAGE
    ),
    ("POST", f"{_DEPARTMENT}/limits"): Permission.QUOTAS_MANAGE,
    ("POST", f"{_DEPARTMENT}/retention"): Permission.RETENTION_MANAGE,
    ("POST", f"{_DEPARTMENT}/retention/agree"): Permission.RETENTION_MANAGE,
    ("POST", f"{_DEPARTMENT}/retention/withdraw"): Permission.RETENTION_MANAGE,
    ("POST", f"{_DEPARTMENT}/hold"): Permission.RETENTION_MANAGE,
    ("GET", "/models"): Permission.APPROVALS_READ,
    ("GET", _MODEL): Permission.APPROVALS_READ,
    ("GET", f"{_MODEL}/bom.json"): Permission.APPROVALS_READ,
    ("POST", f"{_MODEL}/propose"): Permission.APPROVALS_PROPOSE,
    ("POST", f"{_MODEL}/block"): Permission.APPROVALS_DECIDE,
    ("POST", f"/models{_APPROVAL}/approve"): Permission.APPROVALS_DECIDE,
    ("POST", f"/models{_APPROVAL}/withdraw"): _PROPOSALS,
    ("POST", f"/models{_APPROVAL}/revoke"): Permission.APPROVALS_DECIDE,
    ("POST", "/models/blocks"): Permission.APPROVALS_DECIDE,
    ("POST", "/models/blocks/{block_id}/lift"): Permission.APPROVALS_DECIDE,
    ("POST", "/models/departments/{department_id}"): Permission.APPROVALS_DECIDE,
    ("GET", "/rights"): Permission.RIGHTS_EXPLAIN,
    ("GET", "/audit"): Permission.AUDIT_READ,
    ("POST", "/audit/verify"): Permission.AUDIT_READ,
    ("POST", "/audit/export"): Permission.AUDIT_EXPORT,
    ("GET", "/audit/questions"): Permission.QUESTIONS_READ,
    ("GET", "/audit/questions/{question_id}"): Permission.QUESTIONS_READ,
    ("POST", "/audit/emergencies/{grant_id}/review"): Permission.EMERGENCIES_REVIEW,
    ("GET", "/audit/{seq:int}"): Permission.AUDIT_READ,
    ("GET", "/audit/{seq:int}/proof"): Permission.AUDIT_READ,
    ("GET", "/audit/{seq:int}/leaf"): Permission.AUDIT_READ,
    ("GET", "/emergency"): Permission.EMERGENCIES_USE,
    ("POST", "/emergency"): Permission.EMERGENCIES_USE,
    ("POST", "/emergency/{grant_id}/end"): Open.PERSON,
    ("GET", "/healthz"): Open.PUBLIC,
    ("GET", "/readyz"): Open.PUBLIC,
    ("GET", "/metrics"): Permission.PLATFORM_OPERATE,
    ("GET", f"/{STATIC_NAME}"): Open.PUBLIC,
    ("GET", "/v1/models"): _MODELS,
    ("POST", "/v1/chat/completions"): _MODELS,
    ("POST", "/v1/embeddings"): Permission.MODELS_USE,
    ("GET", "/api/openapi.json"): Open.SIGNED_IN,
    ("POST", "/mcp"): (
        Permission.POLICIES_SEARCH,
        Permission.POLICIES_ASK,
        Permission.POLICIES_READ,
    ),
    ("POST", "/api/v1/ask"): Permission.POLICIES_ASK,
    ("POST", "/api/v1/feedback"): Permission.POLICIES_ASK,
    ("POST", "/api/v1/gaps"): Permission.POLICIES_ASK,
    ("GET", "/api/v1/gold-questions"): Permission.EVALUATIONS_MANAGE,
    ("POST", "/api/v1/gold-questions"): Permission.EVALUATIONS_MANAGE,
    ("DELETE", "/api/v1/gold-questions/{gold_id}"): Permission.EVALUATIONS_MANAGE,
    ("GET", "/api/v1/evaluations"): Permission.EVALUATIONS_MANAGE,
    ("POST", "/api/v1/evaluations"): Permission.EVALUATIONS_MANAGE,
    ("GET", _EVALUATION): Permission.EVALUATIONS_MANAGE,
    ("POST", f"{_EVALUATION}/stop"): Permission.EVALUATIONS_MANAGE,
    ("POST", f"{_EVALUATION}/baseline"): Permission.EVALUATIONS_MANAGE,
    ("GET", f"{_EVALUATION}/comparison/{{other_id}}"): Permission.EVALUATIONS_MANAGE,
    ("POST", "/api/v1/search"): Permission.POLICIES_SEARCH,
    ("GET", "/api/v1/documents"): Permission.POLICIES_READ,
    ("POST", "/api/v1/documents"): Permission.DOCUMENTS_LOAD,
    ("GET", "/api/v1/documents/{document_id}"): Permission.POLICIES_READ,
    ("DELETE", "/api/v1/documents/{document_id}"): Permission.DOCUMENTS_DELETE,
    ("GET", f"/api/v1{_VERSION}/file"): Permission.POLICIES_READ,
    ("GET", f"/api/v1{_VERSION}/pages/{{page:int}}.png"): Permission.POLICIES_READ,
    ("GET", f"/api/v1{_VERSION}"): Permission.POLICIES_READ,
    ("GET", f"/api/v1{_VERSION}/difference"): Permission.DRAFTS_READ,
    ("PUT", f"/api/v1{_VERSION}/fields"): Permission.DOCUMENTS_LOAD,
    ("POST", f"/api/v1{_VERSION}/acts"): _DECISIONS,
    ("POST", f"/api/v1{_VERSION}/attach"): Permission.DOCUMENTS_LOAD,
    ("POST", "/api/v1/jobs/{job_id}/retry"): Permission.DOCUMENTS_LOAD,
    ("GET", "/api/v1/receipts"): Permission.DRAFTS_READ,
    ("GET", "/api/v1/folders"): Permission.JOBS_READ,
    ("POST", "/api/v1/folders"): Permission.FOLDERS_WATCH,
    ("DELETE", "/api/v1/folders/{folder_id}"): Permission.FOLDERS_WATCH,
    ("POST", "/api/v1/folders/{folder_id}/confirm"): Permission.FOLDERS_WATCH,
    ("GET", "/api/v1/jobs"): Permission.JOBS_READ,
    ("GET", "/api/v1/jobs/{job_id}"): Permission.JOBS_READ,
    ("GET", "/api/v1/departments"): Permission.POLICIES_READ,
    ("POST", "/api/v1/departments"): Permission.DEPARTMENTS_CREATE,
    ("GET", "/api/v1/people"): Permission.PEOPLE_READ,
    ("POST", "/api/v1/people"): Permission.PEOPLE_MANAGE,
    ("POST", f"/api/v1{_PERSON}/suspend"): Permission.PEOPLE_MANAGE,
    ("POST", f"/api/v1{_PERSON}/restore"): Permission.PEOPLE_MANAGE,
    ("POST", f"/api/v1{_PERSON}/ticket"): Permission.PEOPLE_MANAGE,
    ("POST", f"/api/v1{_PERSON}/grants"): Permission.PEOPLE_MANAGE,
    ("DELETE", f"/api/v1{_PERSON}/grants/{{grant_id}}"): Permission.PEOPLE_MANAGE,
    ("GET", "/api/v1/keys"): Open.SIGNED_IN,
    ("POST", "/api/v1/keys"): Permission.KEYS_MANAGE,
    ("DELETE", "/api/v1/keys/{key_id}"): Open.PERSON,
    ("GET", "/api/v1/usage"): Open.SIGNED_IN,
    ("GET", "/api/v1/audit"): Permission.AUDIT_READ,
    ("POST", "/api/v1/audit/verify"): Permission.AUDIT_READ,
    ("GET", "/api/v1/audit/{seq}/proof"): Permission.AUDIT_READ,
    ("GET", "/api/v1/inventory"): Permission.APPROVALS_READ,
    ("GET", "/api/v1/approvals"): Permission.APPROVALS_READ,
    ("POST", "/api/v1/approvals"): Permission.APPROVALS_PROPOSE,
    ("POST", "/api/v1/evaluation-reports"): Permission.APPROVALS_PROPOSE,
    ("GET", f"/api/v1{_APPROVAL}"): Permission.APPROVALS_READ,
    ("POST", f"/api/v1{_APPROVAL}/approve"): Permission.APPROVALS_DECIDE,
    ("POST", f"/api/v1{_APPROVAL}/withdraw"): _PROPOSALS,
    ("POST", f"/api/v1{_APPROVAL}/revoke"): Permission.APPROVALS_DECIDE,
    ("GET", "/api/v1/blocks"): Permission.APPROVALS_READ,
    ("POST", "/api/v1/blocks"): Permission.APPROVALS_DECIDE,
    ("POST", "/api/v1/blocks/{block_id}/lift"): Permission.APPROVALS_DECIDE,
    ("GET", "/api/v1/data-classes"): Permission.APPROVALS_READ,
    ("POST", "/api/v1/data-classes"): Permission.APPROVALS_DECIDE,
    ("POST", "/api/v1/index/rebuild"): Permission.PLATFORM_OPERATE,
    ("POST", "/api/v1/backups"): Permission.PLATFORM_OPERATE,
    ("POST", "/api/v1/audit/rotate-key"): Permission.PLATFORM_OPERATE,
    ("POST", "/api/v1/administrator-link"): Permission.PLATFORM_OPERATE,
}
# What a page asks for by itself does not count as somebody sitting there.
BY_ITSELF = frozenset(
    {
        ("GET", "/documents/progress"),
        ("GET", f"{_RUN}/progress"),
        ("GET", "/account/alive"),
    }
)


def rows_of(route: BaseRoute) -> tuple[Row, ...]:
    """The rows that a route needs; `HEAD` goes with `GET`."""
    if isinstance(route, Mount) and route.name == STATIC_NAME:
        return (("GET", f"/{STATIC_NAME}"),)
    if isinstance(route, Route):
        methods = sorted(set(route.methods or ()) - {"HEAD"})
        return tuple((method, route.path) for method in methods)
    # A kind of route that nobody thought of has a row that nobody wrote.
    return (("ANY", repr(route)),)


def row_of(scope: Scope, routes: Sequence[BaseRoute]) -> Row | None:
    """The row of the route that will answer this request; None where none will."""
    for route in routes:
        match, _ = route.matches(scope)
        if match is Match.FULL:
            method = "GET" if scope["method"] == "HEAD" else scope["method"]
            rows = dict(rows_of(route))
            if isinstance(route, Mount):
                return next(iter(rows.items()))
            return method, rows.get(method, repr(route))
    return None
