"""AUD-8: every change, and every reading of a document, a question or the trail, leaves its event.

Each row is done once by somebody who may, and the events that it appended are looked at. A new
route that changes something fails here until it stands in one of these tables. The file is long
because every route has its row in it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import count

import httpx
import pytest
from sqlalchemy import select

from governance.clock import utc_now
from governance.events import SYSTEM, Action
from governance.record.trail_tables import audit_leaves
from governance.risks import Risk
from web.access import TABLE
from web.testing import Site
from web.testing_hands import PATIENCE_S, REASON, Hands

PASSWORD = "harbour lantern violet tram"
NEW_PASSWORD = "seven copper kites over the mill"
Row = tuple[str, str]


Act = Callable[[Hands], object]


def sign_in(h: Hands) -> None:
    """With a password."""
    fields = {"username": "staff", "password": PASSWORD}
    httpx.post(f"{h.site.url}/sign-in", data=fields)


def set_password(h: Hands) -> None:
    """By a link."""
    secret = h.site.platform.tickets.issue_password(SYSTEM, h.person().id)
    fields = {"password": NEW_PASSWORD, "again": NEW_PASSWORD}
    httpx.post(f"{h.site.url}/set-password/{secret}", data=fields)


def change_password(h: Hands) -> None:
    """And back again."""
    form = {"current": PASSWORD, "password": NEW_PASSWORD, "again": NEW_PASSWORD}
    h.post("editor", "/account/password", **form)
    back = {"current": NEW_PASSWORD, "password": PASSWORD, "again": PASSWORD}
    h.post("editor", "/account/password", **back)


def unlock(h: Hands) -> None:
    """A session that was locked."""
    client = h.client("staff")
    client.post("/lock")
    client.post("/unlock", data={"password": PASSWORD})


def end_session(h: Hands) -> None:
    """Another one of one's own."""
    sessions = h.site.platform.sessions
    h.site.session("staff")
    other = sessions.sessions_of(h.site.people["staff"], h.site.clock())[0]
    h.post("staff", f"/account/sessions/{other.id}/end")


def end_emergency(h: Hands) -> None:
    """One's own, before its time."""
    _, grant_id = h.emergency(ended=False)
    h.post("walker", f"/emergency/{grant_id}/end")


def upload(h: Hands) -> None:
    """A file in the form of the page."""
    text = f"# Form {next(h.numbers)}\n\nKeep it dry.\n".encode()
    h.client("editor").post(
        "/documents", files={"file": ("form.md", text)}, data={"department": "Pharmacy"}
    )
    h.settle()


def upload_api(h: Hands) -> None:
    """A file as a program sends it."""
    text = f"# Program {next(h.numbers)}\n\nKeep it dry.\n".encode()
    headers = {"Authorization": f"Bearer {h.site.key('editor')}"}
    files = {"file": ("program.md", text)}
    data = {"department": "Pharmacy"}
    httpx.post(f"{h.site.url}/api/v1/documents", files=files, data=data, headers=headers)
    h.settle()


def withdraw_role(h: Hands) -> None:
    """The one that a new person has."""
    person = h.person()
    h.post("manager", f"/people/{person.id}/roles/{person.grants[0].id}/withdraw")


def withdraw_grant(h: Hands) -> None:
    """The same as a program."""
    person = h.person()
    path = f"/api/v1/people/{person.id}/grants/{person.grants[0].id}"
    h.api("administrator", "DELETE", path)


def restore(h: Hands) -> None:
    """Somebody who was suspended."""
    person = h.person()
    h.site.platform.people.suspend(SYSTEM, person.id)
    h.post("manager", f"/people/{person.id}/restore")


def restore_api(h: Hands) -> None:
    """The same as a program."""
    person = h.person()
    h.site.platform.people.suspend(SYSTEM, person.id)
    h.api("administrator", "POST", f"/api/v1/people/{person.id}/restore")


def revoke_of_another(h: Hands) -> None:
    """A key of somebody whom one manages."""
    person = h.person()
    h.post("manager", f"/people/{person.id}/keys/{h.key_of('walker')}/revoke")


def newcomer(h: Hands) -> dict[str, str]:
    """The fields of somebody new."""
    name = f"walker-{next(h.numbers)}"
    return {"name": "N", "username": name, "role": "staff", "department": "Pharmacy"}


def chat(model: str) -> Act:
    """A chat completion by this model."""
    asked = {"model": model, "messages": [{"role": "user", "content": "How long?"}]}
    return lambda h: h.api("staff", "POST", "/v1/chat/completions", asked)


def let_through(h: Hands) -> httpx.Response:
    """Questions of a department, until tomorrow."""
    day = h.site.clock() + timedelta(days=1)
    until = {"until-day": day.day, "until-month": day.month, "until-year": day.year}
    return h.post("editor", "/evaluation/gate/override", **WHY, **until)


WHY = {"reason": "The walk"}
FULL = {"mode": "full", "days": "30"}
PROPOSAL = {
    "data_class": "internal",
    "department": "everywhere",
    "purposes": "Answers",
    "evidence": "A test",
    "why": "The walk",
    "expires-day": "1",
    "expires-month": str(utc_now().month),
    "expires-year": str(utc_now().year + 1),
    "publisher": "A maker",
    **{f"{part}-{risk}": "1" for part in ("likelihood", "impact", "mitigation") for risk in Risk},
}
PAPER = "/documents/{}/versions/1"
VERSION = "/documents/{document_id}/versions/{number:int}"


# Each change: somebody who may does it, and this is what the trail must say of it.
def by_mcp(h: Hands, tool: str, **arguments: str) -> httpx.Response:
    """A tool's call as a client of the Model Context Protocol sends it."""
    call = {"name": tool, "arguments": arguments}
    return httpx.post(
        f"{h.site.url}/mcp",
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
        headers={
            "Authorization": f"Bearer {h.site.key('staff')}",
            "Accept": "application/json, text/event-stream",
        },
        timeout=30.0,
    )


CHANGES: dict[Row, tuple[Act, Action]] = {
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
# What only looks at the trail itself, or is shown where the real thing runs and not this script.
ELSEWHERE: dict[Row, str] = {
    ("POST", "/audit/verify"): "it reads hashes and shows no event",
    ("POST", "/api/v1/audit/verify"): "it reads hashes and shows no event",
    ("POST", "/welcome/{ticket}"): "tests/governance/test_tickets.py",
    ("POST", "/sign-in/oidc/logout"): "tests/web: the identity provider",
    ("POST", "/api/v1/index/rebuild"): "tests/lamplight",
    ("POST", "/api/v1/backups"): "tests/lamplight",
    ("POST", "/api/v1/audit/rotate-key"): "tests/lamplight",
    ("POST", "/api/v1/administrator-link"): "tests/governance/test_tickets.py",
}
# Reading what is confidential: a policy, a question, the trail.
READINGS: dict[Row, tuple[Act, Action]] = {
    ("GET", "/search"): (
        lambda h: h.client("staff").get("/search?q=vials&department=Pharmacy"),
        Action.POLICIES_SEARCHED,
    ),
    ("GET", "/documents/{document_id}/versions/{number:int}"): (
        lambda h: h.client("staff").get(PAPER.format(h.site.hands)),
        Action.DOCUMENT_READ,
    ),
    ("GET", "/documents/{document_id}/versions/{number:int}/print"): (
        lambda h: h.client("staff").get(PAPER.format(h.site.hands) + "/print"),
        Action.DOCUMENT_READ,
    ),
    ("GET", f"{VERSION}/difference"): (
        lambda h: h.client("editor").get(PAPER.format(h.second_draft())[:-1] + "2/difference"),
        Action.DOCUMENT_READ,
    ),
    ("GET", f"/api/v1{VERSION}/difference"): (
        lambda h: h.api(
            "editor", "GET", f"/api/v1{PAPER.format(h.second_draft())[:-1]}2/difference"
        ),
        Action.DOCUMENT_READ,
    ),
    ("GET", "/documents/{document_id}/versions/{number:int}/file"): (
        lambda h: h.client("staff").get(PAPER.format(h.site.hands) + "/file"),
        Action.DOCUMENT_READ,
    ),
    ("GET", "/documents/{document_id}/versions/{number:int}/pages/{page:int}.png"): (
        lambda h: h.client("staff").get(PAPER.format(h.site.vials) + "/pages/1.png"),
        Action.DOCUMENT_READ,
    ),
    ("GET", "/api/v1/documents/{document_id}/versions/{number:int}/file"): (
        lambda h: h.api("staff", "GET", f"/api/v1{PAPER.format(h.site.hands)}/file"),
        Action.DOCUMENT_READ,
    ),
    ("GET", "/api/v1/documents/{document_id}/versions/{number:int}/pages/{page:int}.png"): (
        lambda h: h.api("staff", "GET", f"/api/v1{PAPER.format(h.site.vials)}/pages/1.png"),
        Action.DOCUMENT_READ,
    ),
    ("GET", "/audit"): (
        lambda h: h.client("auditor").get("/audit"),
        Action.AUDIT_SEARCHED,
    ),
    ("GET", "/audit/{seq:int}"): (
        lambda h: h.client("administrator").get("/audit/0"),
        Action.AUDIT_SEARCHED,
    ),
    ("GET", "/audit/{seq:int}/leaf"): (
        lambda h: h.client("administrator").get("/audit/0/leaf"),
        Action.AUDIT_SEARCHED,
    ),
    ("GET", "/audit/{seq:int}/proof"): (
        lambda h: h.client("administrator").get("/audit/0/proof"),
        Action.AUDIT_SEARCHED,
    ),
    ("GET", "/api/v1/audit/{seq}/proof"): (
        lambda h: h.api("administrator", "GET", "/api/v1/audit/0/proof"),
        Action.AUDIT_SEARCHED,
    ),
    ("GET", "/audit/questions/{question_id}"): (
        lambda h: h.client("auditor").get(f"/audit/questions/{h.question()}"),
        Action.QUESTION_READ,
    ),
    ("GET", "/api/v1/audit"): (
        lambda h: h.api("auditor", "GET", "/api/v1/audit"),
        Action.AUDIT_SEARCHED,
    ),
}
EVERYTHING = {**CHANGES, **READINGS}


@pytest.fixture(scope="module")
def hands(site: Site) -> Iterator[Hands]:
    """One for all rows."""
    with ExitStack() as stack:
        yield Hands(site, stack, count())


def told_since(site: Site, before: int, wanted: Action) -> list[str]:
    """The acts that were recorded since then, once the wanted one is there; an answer's comes
    when its stream has ended."""
    end = time.monotonic() + PATIENCE_S
    while True:
        with site.platform.record.read() as connection:
            query = select(audit_leaves.c.action).where(
                audit_leaves.c.seq >= before, audit_leaves.c.actor_id != SYSTEM.id
            )
            told = list(connection.execute(query).scalars())
        if wanted in told or time.monotonic() > end:
            return told
        time.sleep(0.05)


def test_aud_8_every_change_has_its_row() -> None:
    """A new route that changes something comes with its event."""
    unsafe = {row for row in TABLE if row[0] not in ("GET", "HEAD")}
    assert unsafe == set(CHANGES) | set(ELSEWHERE)
    assert not set(CHANGES) & set(ELSEWHERE)


@pytest.mark.parametrize("row", EVERYTHING, ids=" ".join)
def test_aud_8_every_change_and_every_reading_leaves_its_event(hands: Hands, row: Row) -> None:
    """In the trail, with somebody's name on it."""
    act, wanted = EVERYTHING[row]
    site = hands.site
    with site.platform.record.read() as connection:
        before = site.platform.record.trail.size(connection)
    answer = act(hands)
    shown = answer.text[-800:] if isinstance(answer, httpx.Response) else answer
    assert wanted in told_since(site, before, wanted), shown
