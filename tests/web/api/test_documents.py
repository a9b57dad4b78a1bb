"""Documents, jobs and departments as JSON, with the real loader behind them."""

import time

import httpx
import pytest

TEXT = b"# Visitors\n\nVisitors may stay from 10 to 20 hours every day of the week.\n"


def load(client: httpx.Client, name: str, content: bytes, **fields: str) -> httpx.Response:
    """Hand one file in."""
    return client.post("/api/v1/documents", files={"file": (name, content)}, data=fields)


def finished(client: httpx.Client, job_id: str) -> dict[str, object]:
    """The job once it has ended."""
    for _ in range(600):
        job: dict[str, object] = client.get(f"/api/v1/jobs/{job_id}").json()
        if job["state"] not in ("queued", "running"):
            return job
        time.sleep(0.05)
    raise AssertionError(job)


def test_a_document_from_upload_to_removal(client: httpx.Client) -> None:
    """Accepted, loaded, known again, downloaded, removed."""
    answer = load(client, "visitors.md", TEXT, policy_number="V-1", review_due="2027-01-31")
    assert answer.status_code == 202
    taken = answer.json()
    job = finished(client, taken["job"])
    assert (job["state"], job["error"]) == ("loaded", None)

    again = load(client, "copy.md", TEXT)
    assert again.status_code == 200
    assert again.json() == {**taken, "job": None, "state": "duplicate"}

    detail = client.get(f"/api/v1/documents/{taken['document']}").json()
    assert (detail["title"], detail["policy_number"]) == ("Visitors", "V-1")
    assert detail["versions"][0]["review_due"] == "2027-01-31"

    file = client.get(f"/api/v1/documents/{taken['document']}/versions/1/file")
    assert file.content == TEXT
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in file.headers["Content-Security-Policy"]

    assert client.delete(f"/api/v1/documents/{taken['document']}").status_code == 200
    assert client.get(f"/api/v1/documents/{taken['document']}").status_code == 404
    assert client.delete(f"/api/v1/documents/{taken['document']}").status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "status", "kind"),
    [
        ("empty.md", b"", 422, "empty_file"),
        ("picture.pdf", b"\x89PNG\r\n\x1a\n" + b"0" * 64, 415, "unsupported_type"),
    ],
)
def test_a_bad_file_is_refused_at_once(
    client: httpx.Client, name: str, content: bytes, status: int, kind: str
) -> None:
    """And nothing of it stays."""
    before = client.get("/api/v1/documents").json()
    answer = load(client, name, content)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
    assert client.get("/api/v1/documents").json() == before


def test_an_upload_over_the_limit_is_refused(client: httpx.Client) -> None:
    """While it is read."""
    answer = load(client, "big.txt", b"x" * 2_100_000)
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"boss": "me"}, "bad_field"),
        ({"effective_from": "1 March"}, "bad_field"),
        ({"department": "Nobody"}, "unknown_department"),
    ],
)
def test_a_bad_field_is_refused(client: httpx.Client, fields: dict[str, str], kind: str) -> None:
    """By its name."""
    assert load(client, "a.md", TEXT, **fields).json()["error"]["type"] == kind


def test_no_file_and_two_files_are_refused(client: httpx.Client) -> None:
    """One request is one document."""
    none = client.post("/api/v1/documents", data={"department": "Pharmacy"})
    assert none.json()["error"]["type"] == "no_file"
    two = client.post(
        "/api/v1/documents", files=[("file", ("a.md", TEXT)), ("file", ("b.md", TEXT))]
    )
    assert two.status_code == 413


def test_the_list_and_the_latest_jobs(client: httpx.Client) -> None:
    """The two policies of this site are in force."""
    documents = client.get("/api/v1/documents", params={"department": "Pharmacy"}).json()
    assert {one["title"] for one in documents["documents"]} >= {"Multi-dose vials", "Hand hygiene"}
    assert client.get("/api/v1/documents", params={"department": "x"}).status_code == 404
    jobs = client.get("/api/v1/jobs", params={"limit": 2}).json()["jobs"]
    assert len(jobs) == 2
    assert client.get("/api/v1/jobs/none").status_code == 404


def test_a_department_is_made_once(administrator: httpx.Client, client: httpx.Client) -> None:
    """The second time it is returned as it is; a bad name is refused."""
    known = administrator.post("/api/v1/departments", json={"name": "Pharmacy"})
    assert known.status_code == 200
    assert administrator.post("/api/v1/departments", json={"name": " "}).status_code == 422
    names = [one["name"] for one in client.get("/api/v1/departments").json()["departments"]]
    assert names == ["Pharmacy"]
