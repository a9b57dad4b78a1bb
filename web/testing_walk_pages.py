"""For tests alone: each change by a page, done by somebody who may, and its event (AUD-8)."""

from governance.events import Action
from web.testing_hands import REASON
from web.testing_walk_acts import (
    FULL,
    PAPER,
    PROPOSAL,
    VERSION,
    WHY,
    Act,
    Row,
    change_password,
    end_emergency,
    end_session,
    let_through,
    newcomer,
    restore,
    revoke_of_another,
    set_password,
    sign_in,
    unlock,
    upload,
    withdraw_role,
)

BY_PAGES: dict[Row, tuple[Act, Action]] = {
    ("POST", "/ask"): (
        lambda h: h.post("staff", "/ask", question="How long?", department="Pharmacy"),
        Action.QUESTION_ASKED,
    ),
    ("POST", "/documents"): (upload, Action.VERSION_LOADED),
    ("POST", "/documents/jobs/{job_id}/forget"): (
        lambda h: h.post("editor", f"/documents/jobs/{h.refused_job()}/forget"),
        Action.JOB_FORGOTTEN,
    ),
    ("POST", "/documents/jobs/{job_id}/retry"): (
        lambda h: h.post("editor", f"/documents/jobs/{h.refused_job()}/retry"),
        Action.JOB_RETRIED,
    ),
    ("POST", "/documents/folders"): (
        lambda h: h.client("manager").post(
            "/documents/folders", data={"path": str(h.folder()), "department": "Pharmacy"}
        ),
        Action.FOLDER_WATCHED,
    ),
    ("POST", "/documents/folders/{folder_id}/remove"): (
        lambda h: h.post("manager", f"/documents/folders/{h.watched()}/remove"),
        Action.FOLDER_UNWATCHED,
    ),
    ("POST", "/documents/folders/{folder_id}/confirm"): (
        lambda h: h.post("manager", f"/documents/folders/{h.watched(asks=True)}/confirm"),
        Action.FOLDER_CONFIRMED,
    ),
    ("POST", "/review/missing/{missing_id}/keep"): (
        lambda h: h.post("editor", f"/review/missing/{h.missing()}/keep"),
        Action.DOCUMENT_KEPT,
    ),
    ("POST", f"{VERSION}/review/act"): (
        lambda h: h.post("editor", f"{PAPER}/review/act".format(h.draft()), act="submit"),
        Action.VERSION_SUBMITTED,
    ),
    ("POST", f"{VERSION}/review/fields"): (
        lambda h: h.post("editor", f"{PAPER}/review/fields".format(h.draft()), area="Wards"),
        Action.VERSION_CHANGED,
    ),
    ("POST", f"{VERSION}/review/attach"): (
        lambda h: h.post(
            "editor", f"{PAPER}/review/attach".format(h.draft()), document=h.document()
        ),
        Action.VERSION_CHANGED,
    ),
    ("POST", "/documents/{document_id}/delete"): (
        lambda h: h.post("editor", f"/documents/{h.document()}/delete"),
        Action.DOCUMENT_DELETED,
    ),
    ("POST", "/sign-in"): (sign_in, Action.SESSION_STARTED),
    ("POST", "/set-password/{ticket}"): (set_password, Action.TICKET_USED),
    ("POST", "/sign-out"): (lambda h: h.post("staff", "/sign-out"), Action.SESSION_ENDED),
    ("POST", "/lock"): (lambda h: h.post("staff", "/lock"), Action.SESSION_LOCKED),
    ("POST", "/unlock"): (unlock, Action.SESSION_UNLOCKED),
    ("POST", "/account/sessions/{session_id}/end"): (end_session, Action.SESSION_ENDED),
    ("POST", "/account/password"): (change_password, Action.PASSWORD_SET),
    ("POST", "/account/keys"): (
        lambda h: h.post("staff", "/account/keys", name="K", scope="ask", days="1"),
        Action.KEY_CREATED,
    ),
    ("POST", "/account/keys/{key_id}/revoke"): (
        lambda h: h.post("staff", f"/account/keys/{h.key_of('staff')}/revoke"),
        Action.KEY_REVOKED,
    ),
    ("POST", "/people"): (
        lambda h: h.post("manager", "/people", **newcomer(h)),
        Action.PERSON_CREATED,
    ),
    ("POST", "/people/{person_id}/roles"): (
        lambda h: h.post(
            "manager", f"/people/{h.person(None).id}/roles", role="staff", department="Pharmacy"
        ),
        Action.ROLE_GRANTED,
    ),
    ("POST", "/people/{person_id}/roles/{grant_id}/withdraw"): (
        withdraw_role,
        Action.ROLE_WITHDRAWN,
    ),
    ("POST", "/people/{person_id}/suspend"): (
        lambda h: h.post("manager", f"/people/{h.person().id}/suspend"),
        Action.PERSON_SUSPENDED,
    ),
    ("POST", "/people/{person_id}/restore"): (restore, Action.PERSON_RESTORED),
    ("POST", "/people/{person_id}/link"): (
        lambda h: h.post("manager", f"/people/{h.person().id}/link"),
        Action.TICKET_ISSUED,
    ),
    ("POST", "/people/{person_id}/keys/{key_id}/revoke"): (revoke_of_another, Action.KEY_REVOKED),
    ("POST", "/departments"): (
        lambda h: h.post("administrator", "/departments", name=f"Walk {next(h.numbers)}"),
        Action.DEPARTMENT_CREATED,
    ),
    ("POST", "/departments/{department_id}/limits"): (
        lambda h: h.post(
            "administrator", f"/departments/{h.department()}/limits", period="day", requests="9"
        ),
        Action.QUOTA_CHANGED,
    ),
    ("POST", "/people/{person_id}/limits"): (
        lambda h: h.post(
            "administrator",
            f"/people/{h.person().id}/limits",
            **{"limit-department": "Pharmacy"},
            period="day",
            requests="9",
        ),
        Action.QUOTA_CHANGED,
    ),
    ("POST", "/departments/{department_id}/retention"): (
        lambda h: h.post("administrator", f"/departments/{h.department()}/retention", **FULL),
        Action.RETENTION_PROPOSED,
    ),
    ("POST", "/departments/{department_id}/retention/agree"): (
        lambda h: h.post("administrator", f"/departments/{h.proposal()}/retention/agree", **FULL),
        Action.RETENTION_AGREED,
    ),
    ("POST", "/departments/{department_id}/retention/withdraw"): (
        lambda h: h.post("administrator", f"/departments/{h.proposal()}/retention/withdraw"),
        Action.RETENTION_PROPOSED,
    ),
    ("POST", "/departments/{department_id}/hold"): (
        lambda h: h.post(
            "administrator", f"/departments/{h.department()}/hold", hold="set", reason="Case 7"
        ),
        Action.HOLD_SET,
    ),
    ("POST", "/models/{digest}/propose"): (
        lambda h: h.post("administrator", f"/models/{'c' * 64}/propose", **PROPOSAL),
        Action.APPROVAL_PROPOSED,
    ),
    ("POST", "/models/{digest}/block"): (
        lambda h: h.post("administrator", f"/models/{'c' * 64}/block", **h.block_of_new()),
        Action.MODEL_BLOCKED,
    ),
    ("POST", "/models/approvals/{approval_id}/approve"): (
        lambda h: h.post("administrator", f"/models/approvals/{h.proposed()}/approve", **WHY),
        Action.APPROVAL_GIVEN,
    ),
    ("POST", "/models/approvals/{approval_id}/withdraw"): (
        lambda h: h.post("administrator", f"/models/approvals/{h.proposed()}/withdraw", **WHY),
        Action.APPROVAL_WITHDRAWN,
    ),
    ("POST", "/models/approvals/{approval_id}/revoke"): (
        lambda h: h.post("administrator", f"/models/approvals/{h.approved()}/revoke", **WHY),
        Action.APPROVAL_REVOKED,
    ),
    ("POST", "/models/blocks"): (
        lambda h: h.post("administrator", "/models/blocks", **h.block_of_new()),
        Action.MODEL_BLOCKED,
    ),
    ("POST", "/models/blocks/{block_id}/lift"): (
        lambda h: h.post("administrator", f"/models/blocks/{h.blocked()}/lift", **WHY),
        Action.MODEL_UNBLOCKED,
    ),
    ("POST", "/models/departments/{department_id}"): (
        lambda h: h.post(
            "administrator",
            f"/models/departments/{h.department()}",
            **{"class": "confidential"},
            **WHY,
        ),
        Action.DATA_CLASS_CHANGED,
    ),
    ("POST", "/audit/export"): (
        lambda h: h.post("auditor", "/audit/export", profile="full"),
        Action.AUDIT_EXPORTED,
    ),
    ("POST", "/audit/emergencies/{grant_id}/review"): (
        lambda h: h.post(
            "administrator", f"/audit/emergencies/{h.emergency(ended=True)[1]}/review"
        ),
        Action.EMERGENCY_REVIEWED,
    ),
    ("POST", "/emergency"): (
        lambda h: (
            h.person(),
            h.post(
                "walker",
                "/emergency",
                department="Catering",
                role="staff",
                reason=REASON,
                minutes="15",
            ),
        ),
        Action.EMERGENCY_STARTED,
    ),
    ("POST", "/emergency/{grant_id}/end"): (end_emergency, Action.ROLE_WITHDRAWN),
    ("POST", "/ask/{answer_id}/feedback"): (
        lambda h: h.post("staff", f"/ask/{h.asked()}/feedback", verdict="up"),
        Action.FEEDBACK_GIVEN,
    ),
    ("POST", "/feedback/{feedback_id}"): (
        lambda h: h.post("editor", f"/feedback/{h.feedback()}", state="seen"),
        Action.FEEDBACK_SETTLED,
    ),
    ("POST", "/ask/{answer_id}/gap"): (
        lambda h: h.post("staff", f"/ask/{h.asked('nowhere')}/gap"),
        Action.GAP_REPORTED,
    ),
    ("POST", "/gaps/{gap_id}"): (
        lambda h: h.post("editor", f"/gaps/{h.gap()}", act="decline", reply="A walk"),
        Action.GAP_SETTLED,
    ),
    ("POST", "/departments/{department_id}/abbreviations"): (
        lambda h: h.post(
            "editor", f"/departments/{h.place}/abbreviations", short="OTC", long="over the counter"
        ),
        Action.ABBREVIATION_ADDED,
    ),
    ("POST", "/departments/{department_id}/abbreviations/import"): (
        lambda h: h.client("editor").post(
            f"/departments/{h.place}/abbreviations/import",
            files={"file": ("list.csv", b"BD,twice daily")},
        ),
        Action.ABBREVIATION_ADDED,
    ),
    ("POST", "/departments/{department_id}/abbreviations/{abbreviation_id}/remove"): (
        lambda h: h.post(
            "editor", f"/departments/{h.place}/abbreviations/{h.abbreviation()}/remove"
        ),
        Action.ABBREVIATION_REMOVED,
    ),
    ("POST", "/evaluation/questions"): (
        lambda h: h.post(
            "editor", "/evaluation/questions", question="Who?", answerable="no", answer_type="span"
        ),
        Action.GOLD_QUESTION_SAVED,
    ),
    ("POST", "/evaluation/questions/import"): (
        lambda h: h.client("editor").post(
            "/evaluation/questions/import",
            files={"file": ("many.jsonl", b'{"question": "Where?", "answerable": false}')},
        ),
        Action.GOLD_QUESTION_SAVED,
    ),
    ("POST", "/evaluation/questions/{gold_id}"): (
        lambda h: h.post(
            "editor",
            f"/evaluation/questions/{h.gold()}",
            question="Why?",
            answerable="no",
            answer_type="span",
        ),
        Action.GOLD_QUESTION_SAVED,
    ),
    ("POST", "/evaluation/questions/{gold_id}/retire"): (
        lambda h: h.post("editor", f"/evaluation/questions/{h.gold()}/retire"),
        Action.GOLD_QUESTION_RETIRED,
    ),
    ("POST", "/evaluation/gate"): (
        lambda h: h.post("editor", "/evaluation/gate", mode="off"),
        Action.GATE_CHANGED,
    ),
    ("POST", "/evaluation/gate/override"): (let_through, Action.GATE_OVERRIDDEN),
    ("POST", "/evaluation/gate/override/end"): (
        lambda h: (let_through(h), h.post("editor", "/evaluation/gate/override/end")),
        Action.GATE_CHANGED,
    ),
    ("POST", "/evaluation/runs"): (
        lambda h: (h.evaluation(ended=True), h.post("editor", "/evaluation/runs")),
        Action.EVALUATION_STARTED,
    ),
    ("POST", "/evaluation/runs/{run_id}/stop"): (
        lambda h: h.post("editor", f"/evaluation/runs/{h.evaluation()}/stop"),
        Action.EVALUATION_ENDED,
    ),
    ("POST", "/evaluation/runs/{run_id}/baseline"): (
        lambda h: h.post("editor", f"/evaluation/runs/{h.evaluation(ended=True)}/baseline"),
        Action.BASELINE_CHOSEN,
    ),
}
