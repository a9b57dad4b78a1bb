"""For tests alone: each change by a program, done by somebody who may, and its event (AUD-8)."""

from governance.events import Action
from web.testing_walk_acts import (
    PAPER,
    VERSION,
    WHY,
    Act,
    Row,
    by_mcp,
    chat,
    newcomer,
    restore_api,
    upload_api,
    withdraw_grant,
)

BY_PROGRAMS: dict[Row, tuple[Act, Action]] = {
    ("POST", "/api/v1/folders"): (
        lambda h: h.api("manager", "POST", "/api/v1/folders", {"path": str(h.folder())}),
        Action.FOLDER_WATCHED,
    ),
    ("DELETE", "/api/v1/folders/{folder_id}"): (
        lambda h: h.api("manager", "DELETE", f"/api/v1/folders/{h.watched()}"),
        Action.FOLDER_UNWATCHED,
    ),
    ("POST", "/api/v1/folders/{folder_id}/confirm"): (
        lambda h: h.api("manager", "POST", f"/api/v1/folders/{h.watched(asks=True)}/confirm"),
        Action.FOLDER_CONFIRMED,
    ),
    ("POST", "/api/v1/approvals"): (
        lambda h: h.api("administrator", "POST", "/api/v1/approvals", h.proposal_of("brought")),
        Action.APPROVAL_PROPOSED,
    ),
    ("POST", "/api/v1/evaluation-reports"): (
        lambda h: h.api("administrator", "POST", "/api/v1/evaluation-reports", h.report()),
        Action.EVALUATION_RECORDED,
    ),
    ("POST", "/api/v1/approvals/{approval_id}/approve"): (
        lambda h: h.api("administrator", "POST", f"/api/v1/approvals/{h.proposed()}/approve", WHY),
        Action.APPROVAL_GIVEN,
    ),
    ("POST", "/api/v1/approvals/{approval_id}/withdraw"): (
        lambda h: h.api("administrator", "POST", f"/api/v1/approvals/{h.proposed()}/withdraw", WHY),
        Action.APPROVAL_WITHDRAWN,
    ),
    ("POST", "/api/v1/approvals/{approval_id}/revoke"): (
        lambda h: h.api("administrator", "POST", f"/api/v1/approvals/{h.approved()}/revoke", WHY),
        Action.APPROVAL_REVOKED,
    ),
    ("POST", "/api/v1/blocks"): (
        lambda h: h.api(
            "administrator", "POST", "/api/v1/blocks", {"department": h.new_name(), **WHY}
        ),
        Action.MODEL_BLOCKED,
    ),
    ("POST", "/api/v1/blocks/{block_id}/lift"): (
        lambda h: h.api("administrator", "POST", f"/api/v1/blocks/{h.blocked()}/lift", WHY),
        Action.MODEL_UNBLOCKED,
    ),
    ("POST", "/api/v1/data-classes"): (
        lambda h: h.api(
            "administrator",
            "POST",
            "/api/v1/data-classes",
            {"department": h.new_name(), "data_class": "confidential", **WHY},
        ),
        Action.DATA_CLASS_CHANGED,
    ),
    ("POST", "/v1/chat/completions"): (chat("policies:Pharmacy"), Action.QUESTION_ASKED),
    ("POST", "/v1/embeddings"): (
        lambda h: h.api("staff", "POST", "/v1/embeddings", {"model": "embed", "input": "x"}),
        Action.MODEL_USED,
    ),
    ("POST", "/api/v1/ask"): (lambda h: h.question(), Action.QUESTION_ASKED),
    ("POST", "/mcp"): (
        lambda h: by_mcp(h, "ask_policies", question="How long?"),
        Action.QUESTION_ASKED,
    ),
    ("POST", "/api/v1/feedback"): (
        lambda h: h.api(
            "staff", "POST", "/api/v1/feedback", {"question_id": h.question(), "verdict": "up"}
        ),
        Action.FEEDBACK_GIVEN,
    ),
    ("POST", "/api/v1/gaps"): (
        lambda h: h.api(
            "staff",
            "POST",
            "/api/v1/gaps",
            {"question_id": h.asked("nowhere, again"), "question": "nowhere, again"},
        ),
        Action.GAP_REPORTED,
    ),
    ("POST", "/api/v1/gold-questions"): (lambda h: h.gold(), Action.GOLD_QUESTION_SAVED),
    ("DELETE", "/api/v1/gold-questions/{gold_id}"): (
        lambda h: h.api("editor", "DELETE", f"/api/v1/gold-questions/{h.gold()}"),
        Action.GOLD_QUESTION_RETIRED,
    ),
    ("POST", "/api/v1/evaluations"): (lambda h: h.evaluation(), Action.EVALUATION_STARTED),
    ("POST", "/api/v1/evaluations/{run_id}/stop"): (
        lambda h: h.api("editor", "POST", f"/api/v1/evaluations/{h.evaluation()}/stop"),
        Action.EVALUATION_ENDED,
    ),
    ("POST", "/api/v1/evaluations/{run_id}/baseline"): (
        lambda h: h.api(
            "editor", "POST", f"/api/v1/evaluations/{h.evaluation(ended=True)}/baseline"
        ),
        Action.BASELINE_CHOSEN,
    ),
    ("POST", "/api/v1/search"): (
        lambda h: h.api("staff", "POST", "/api/v1/search", {"query": "vials"}),
        Action.POLICIES_SEARCHED,
    ),
    ("POST", "/api/v1/documents"): (upload_api, Action.VERSION_LOADED),
    ("PUT", f"/api/v1{VERSION}/fields"): (
        lambda h: h.api("editor", "PUT", f"/api/v1{PAPER}/fields".format(h.draft()), {"area": "W"}),
        Action.VERSION_CHANGED,
    ),
    ("POST", f"/api/v1{VERSION}/acts"): (
        lambda h: h.api(
            "editor", "POST", f"/api/v1{PAPER}/acts".format(h.draft()), {"act": "submit"}
        ),
        Action.VERSION_SUBMITTED,
    ),
    ("POST", f"/api/v1{VERSION}/attach"): (
        lambda h: h.api(
            "editor",
            "POST",
            f"/api/v1{PAPER}/attach".format(h.draft()),
            {"document": h.document()},
        ),
        Action.VERSION_CHANGED,
    ),
    ("POST", "/api/v1/jobs/{job_id}/retry"): (
        lambda h: h.api("editor", "POST", f"/api/v1/jobs/{h.refused_job()}/retry"),
        Action.JOB_RETRIED,
    ),
    ("DELETE", "/api/v1/documents/{document_id}"): (
        lambda h: h.api("editor", "DELETE", f"/api/v1/documents/{h.document()}"),
        Action.DOCUMENT_DELETED,
    ),
    ("POST", "/api/v1/departments"): (
        lambda h: h.api(
            "administrator", "POST", "/api/v1/departments", {"name": f"Walk {next(h.numbers)}"}
        ),
        Action.DEPARTMENT_CREATED,
    ),
    ("POST", "/api/v1/people"): (
        lambda h: h.api("manager", "POST", "/api/v1/people", newcomer(h)),
        Action.PERSON_CREATED,
    ),
    ("POST", "/api/v1/people/{person_id}/suspend"): (
        lambda h: h.api("manager", "POST", f"/api/v1/people/{h.person().id}/suspend"),
        Action.PERSON_SUSPENDED,
    ),
    ("POST", "/api/v1/people/{person_id}/restore"): (restore_api, Action.PERSON_RESTORED),
    ("POST", "/api/v1/people/{person_id}/ticket"): (
        lambda h: h.api("manager", "POST", f"/api/v1/people/{h.person().id}/ticket"),
        Action.TICKET_ISSUED,
    ),
    ("POST", "/api/v1/people/{person_id}/grants"): (
        lambda h: h.api(
            "manager",
            "POST",
            f"/api/v1/people/{h.person(None).id}/grants",
            {"role": "staff", "department": "Pharmacy"},
        ),
        Action.ROLE_GRANTED,
    ),
    ("DELETE", "/api/v1/people/{person_id}/grants/{grant_id}"): (
        withdraw_grant,
        Action.ROLE_WITHDRAWN,
    ),
    ("POST", "/api/v1/keys"): (
        lambda h: h.client("staff").post(
            "/api/v1/keys", json={"name": "K", "department": "Pharmacy"}
        ),
        Action.KEY_CREATED,
    ),
    ("DELETE", "/api/v1/keys/{key_id}"): (
        lambda h: h.client("staff").delete(f"/api/v1/keys/{h.key_of('staff')}"),
        Action.KEY_REVOKED,
    ),
}
