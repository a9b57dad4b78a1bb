"""The life of a version as JSON: the same acts and the same refusals as on the pages."""

import time
from collections.abc import Iterator

import httpx
import pytest

from web.testing import Site

TEXT = b"# Visitors\n\nVisitors may stay from 10 to 20 hours on every day but Monday.\n"
ACTS = "/api/v1/documents/{}/versions/{}/acts"


@pytest.fixture
def approver(site: Site) -> Iterator[httpx.Client]:
    with site.client("approver") as client:
        yield client


def load(client: httpx.Client, name: str, content: bytes, **fields: str) -> httpx.Response:
    """Hand one file in."""
    return client.post("/api/v1/documents", files={"file": (name, content)}, data=fields)


def finished(client: httpx.Client, job_id: str) -> dict[str, object]:
    """The job once it has ended."""
    end = time.monotonic() + 60
    while True:
        job: dict[str, object] = client.get(f"/api/v1/jobs/{job_id}").json()
        if job["state"] not in ("queued", "running"):
            return job
        assert time.monotonic() < end, job
        time.sleep(0.05)


def draft(client: httpx.Client, text: bytes, **fields: str) -> tuple[str, int]:
    """A new draft: its document and its number."""
    taken = load(client, "visitors.md", text, **fields).json()
    assert finished(client, taken["job"])["state"] == "loaded"
    return taken["document"], taken["version"]


def act(client: httpx.Client, what: tuple[str, int], name: str, reason: str = "") -> httpx.Response:
    """Do one act."""
    return client.post(ACTS.format(*what), json={"act": name, "reason": reason})


def put_in_force(editor: httpx.Client, approver: httpx.Client, what: tuple[str, int]) -> None:
    """Submit as one person, approve as another."""
    assert act(editor, what, "submit").json()["state"] == "submitted"
    assert act(approver, what, "approve").json()["state"] == "effective"


def test_a_policy_from_draft_to_replaced_to_retired(
    editor: httpx.Client, approver: httpx.Client, staff: httpx.Client
) -> None:
    """Staff see each version from the moment it is in force, and never afterwards."""
    first = draft(editor, TEXT, policy_number="V-7")
    path = f"/api/v1/documents/{first[0]}"
    assert staff.get(path).status_code == 404
    put_in_force(editor, approver, first)
    assert [one["version"] for one in staff.get(path).json()["versions"]] == [1]
    second = draft(editor, TEXT + b"Until 21 hours on Sundays.\n", policy_number="v7")
    assert second == (first[0], 2)
    assert [one["version"] for one in staff.get(path).json()["versions"]] == [1]
    put_in_force(editor, approver, second)
    assert [one["version"] for one in staff.get(path).json()["versions"]] == [2]
    assert staff.get(f"{path}/versions/1").status_code == 404
    shown = editor.get(f"{path}/versions/1").json()
    assert (shown["state"], shown["in_force_until"] is None) == ("superseded", False)
    assert [step["act"] for step in shown["steps"]] == ["submit", "approve"]
    assert act(approver, second, "retire", "No visitors any more").json()["state"] == "retired"
    assert staff.get(path).status_code == 404
    editor.delete(path)


@pytest.mark.parametrize(
    ("who", "name", "status"),
    [
        ("editor", "approve", 403),
        ("editor", "override", 403),
        ("approver", "submit", 403),
        ("staff", "submit", 403),
        ("outsider", "submit", 404),
        ("editor", "finish", 404),
        ("editor", "change", 404),
        ("editor", "retire", 403),
        ("editor", "destroy", 422),
    ],
)
def test_an_act_is_refused_to_whom_it_is_not_given(
    site: Site, editor: httpx.Client, who: str, name: str, status: int
) -> None:
    """And nothing has changed."""
    what = draft(editor, TEXT + f"For {who} {name}.\n".encode())
    with site.client(who) as caller:
        assert act(caller, what, name, "because").status_code == status
    path = f"/api/v1/documents/{what[0]}"
    assert editor.get(f"{path}/versions/1").json()["state"] == "draft"
    editor.delete(path)


def test_whoever_handed_a_file_in_does_not_approve_it(
    site: Site, administrator: httpx.Client
) -> None:
    """An administrator may do both, but not to the same version; an override is recorded."""
    taken = load(administrator, "alone.md", TEXT + b"Alone.\n", department="Pharmacy").json()
    finished(administrator, taken["job"])
    what = (taken["document"], 1)
    assert act(administrator, what, "submit").status_code == 200
    refused = act(administrator, what, "approve")
    assert (refused.status_code, refused.json()["error"]["type"]) == (409, "second_person_needed")
    shown = act(administrator, what, "override", "Nobody else is here").json()
    assert (shown["state"], shown["approval_basis"]) == ("effective", "override")
    administrator.delete(f"/api/v1/documents/{what[0]}")


def test_what_is_stated_is_replaced_as_a_whole(editor: httpx.Client) -> None:
    """What is left out is not stated any more; the title stays."""
    what = draft(editor, TEXT + b"Stated.\n", policy_number="V-8", owner="Reception")
    path = f"/api/v1/documents/{what[0]}/versions/1"
    shown = editor.put(f"{path}/fields", json={"area": "Wards", "review_due": "2027-01-31"}).json()
    stated = [shown[name] for name in ("title", "area", "owner", "policy_number", "review_due")]
    assert stated == ["Visitors", "Wards", None, None, "2027-01-31"]
    bad = editor.put(f"{path}/fields", json={"review_due": "31/02/2027"})
    assert bad.json()["error"]["type"] == "bad_field"
    editor.delete(f"/api/v1/documents/{what[0]}")


def test_only_an_administrator_overrides_at_upload(
    editor: httpx.Client, administrator: httpx.Client
) -> None:
    """The refusal comes before the file is taken in."""
    assert load(editor, "now.md", TEXT, override_reason="Urgent").status_code == 403
    fields = {"override_reason": "Urgent", "department": "Pharmacy"}
    taken = load(administrator, "now.md", TEXT + b"Now.\n", **fields).json()
    finished(administrator, taken["job"])
    path = f"/api/v1/documents/{taken['document']}"
    assert administrator.get(path).json()["versions"][0]["state"] == "effective"
    administrator.delete(path)


def test_a_refused_file_is_tried_again(editor: httpx.Client) -> None:
    """It is refused for the same reason, under a new job; the old one is off the list."""
    taken = load(editor, "broken.pdf", b"%PDF-1.7\nnothing follows").json()
    assert finished(editor, taken["job"])["state"] == "refused"
    again = editor.post(f"/api/v1/jobs/{taken['job']}/retry", json={})
    assert again.status_code == 202
    assert finished(editor, again.json()["job"])["state"] == "refused"
    assert editor.get(f"/api/v1/jobs/{taken['job']}").status_code == 404


def test_staff_read_no_more_than_what_is_in_force(
    editor: httpx.Client, approver: httpx.Client, staff: httpx.Client
) -> None:
    """Neither who did what, nor which drafts are like it."""
    what = draft(editor, TEXT + b"For staff.\n")
    put_in_force(editor, approver, what)
    path = "/api/v1/documents/{}/versions/{}".format(*what)
    more = {"checks", "steps", "proposed", "kin"}
    assert more <= set(editor.get(path).json())
    assert not more & set(staff.get(path).json())
    editor.delete(f"/api/v1/documents/{what[0]}")


def test_a_receipt_is_there_after_a_removal(editor: httpx.Client, staff: httpx.Client) -> None:
    """For those who load and approve."""
    what = draft(editor, TEXT + b"Receipt.\n", policy_number="V-9")
    editor.delete(f"/api/v1/documents/{what[0]}")
    newest = editor.get("/api/v1/receipts").json()["receipts"][0]
    assert (newest["document_id"], newest["policy_number"]) == (what[0], "V-9")
    assert (newest["before"]["indexed"], newest["after"]["indexed"]) == (1, 0)
    assert staff.get("/api/v1/receipts").status_code == 403


def test_only_those_who_see_drafts_ask_about_another_day(
    editor: httpx.Client, staff: httpx.Client
) -> None:
    """As of a day, for a question and for a search."""
    body = {"as_of": "2020-01-01T00:00:00Z", "department": "Pharmacy"}
    for path, field in (("ask", "question"), ("search", "query")):
        asked = {**body, field: "vials"}
        assert staff.post(f"/api/v1/{path}", json=asked).status_code == 403
        assert editor.post(f"/api/v1/{path}", json={**asked, "as_of": "x"}).status_code == 422
    assert editor.post("/api/v1/search", json={**body, "query": "vials"}).status_code == 200


LONG = "\n\n".join(
    f"Rule {n}: visitors of ward {n} ring at the door and wait until somebody opens it."
    for n in range(30)
)


def test_a_near_copy_is_named_and_becomes_the_next_version(
    editor: httpx.Client, approver: httpx.Client
) -> None:
    """By its text alone; the document that it came as is gone afterwards."""
    first = draft(editor, f"# Ward visits\n\n{LONG}\n".encode())
    copy = draft(editor, f"# Ward visits\n\n{LONG}\n\nNo flowers.\n".encode())
    path = "/api/v1/documents/{}/versions/1"
    (kin,) = editor.get(path.format(copy[0])).json()["kin"]
    assert (kin["document_id"], kin["same_number"], kin["likeness"] > 0.8) == (
        first[0],
        False,
        True,
    )
    moved = editor.post(path.format(copy[0]) + "/attach", json={"document": first[0]}).json()
    assert (moved["document_id"], moved["version"], moved["kin"]) == (first[0], 2, [])
    assert editor.get(f"/api/v1/documents/{copy[0]}").status_code == 404
    put_in_force(editor, approver, (first[0], 2))
    editor.delete(f"/api/v1/documents/{first[0]}")


def test_another_departments_near_copy_is_not_named(site: Site, editor: httpx.Client) -> None:
    """Nobody learns from a likeness what another department holds."""
    text = f"# Kitchen visits\n\n{LONG}\n".encode()
    with site.client("outsider") as outsider:
        theirs = draft(outsider, text, policy_number="K-1")
        mine = draft(editor, text, policy_number="K-1")
        path = "/api/v1/documents/{}/versions/1"
        assert editor.get(path.format(mine[0])).json()["kin"] == []
        refused = editor.post(path.format(mine[0]) + "/attach", json={"document": theirs[0]})
        assert refused.status_code == 404
        outsider.delete(f"/api/v1/documents/{theirs[0]}")
    editor.delete(f"/api/v1/documents/{mine[0]}")


def test_what_the_file_states_is_proposed_with_its_place(editor: httpx.Client) -> None:
    """Proposed, not taken: the fields stay empty until a person states them."""
    text = b"# Visits\n\nPolicy number: V-31\n\nPolicy owner: Reception\n\nVisitors ring.\n"
    what = draft(editor, text)
    shown = editor.get("/api/v1/documents/{}/versions/{}".format(*what)).json()
    proposed = {one["name"]: one for one in shown["proposed"]}
    assert (proposed["policy_number"]["value"], proposed["owner"]["page"]) == ("V-31", 1)
    assert proposed["owner"]["quote"] == "Policy owner: Reception"
    assert (shown["policy_number"], shown["owner"]) == (None, None)
    editor.delete(f"/api/v1/documents/{what[0]}")
