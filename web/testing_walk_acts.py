"""For tests alone: acts of more than one line, which the tables of the walk share (AUD-8)."""

from collections.abc import Callable
from datetime import timedelta

import httpx

from governance.clock import utc_now
from governance.events import SYSTEM
from governance.risks import Risk
from web.testing_hands import Hands

PASSWORD = "harbour lantern violet tram"  # noqa: S105 (of people whose data is thrown away)
NEW_PASSWORD = "seven copper kites over the mill"  # noqa: S105
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
