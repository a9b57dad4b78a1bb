"""From the first link to a proof in an auditor's hands, in a real browser."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

import governance.audit
from lamplight.testing import Running, lamplight, run

pytestmark = pytest.mark.browser

SAMPLE = Path(__file__).parents[2] / "samples" / "cl-007-fall-prevention.html"
VERIFIER = Path(governance.audit.__file__).parent / "verify_proof.py"
DEPARTMENT = "Ward 7"
QUESTION = "How soon does a doctor see a patient who fell and hit their head?"
PASSWORD = "seven lamps over a quiet ward"
TIMEOUT_MS = 180_000


@pytest.fixture
def empty() -> Iterator[Running]:
    with lamplight("--no-samples") as running:
        yield running


def visitor(browser: Browser, running: Running) -> tuple[BrowserContext, Page]:
    context = browser.new_context(base_url=running.url, accept_downloads=True)
    context.set_default_timeout(TIMEOUT_MS)
    return context, context.new_page()


def choose_password(page: Page, button: str) -> None:
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name=button).click()


def become_administrator(page: Page, running: Running) -> None:
    link = re.search(r"http\S+/welcome/\S+", running.log())
    assert link is not None
    page.goto(link[0])
    page.get_by_label("Your name").fill("Alex Admin")
    page.get_by_label("User name").fill("alex")
    choose_password(page, "Start")
    expect(page.get_by_role("link", name="People")).to_be_visible()


def add_person(page: Page, name: str, username: str, role: str) -> str:
    """Add a person with a role in the department; gives the link to hand on."""
    page.goto("/people/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("User name").fill(username)
    page.get_by_role("radio", name=role, exact=True).check()
    page.get_by_label("Department", exact=True).select_option(DEPARTMENT)
    page.get_by_role("button", name="Add and show the link").click()
    return page.locator(".lamp-secret").inner_text().strip()


def arrive(browser: Browser, running: Running, link: str) -> tuple[BrowserContext, Page]:
    """Open a handed-on link in a browser of one's own and choose a password."""
    context, page = visitor(browser, running)
    page.goto(link)
    choose_password(page, "Save and sign in")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    return context, page


def test_from_the_first_link_to_a_proof(browser: Browser, empty: Running, tmp_path: Path) -> None:
    """Administrator, editor, approver, staff, auditor each do their part; the last can prove it."""
    admin_context, admin = visitor(browser, empty)
    become_administrator(admin, empty)
    admin.goto("/departments")
    admin.get_by_label("Name").fill(DEPARTMENT)
    admin.get_by_role("button", name="Create").click()
    links = {
        role: add_person(admin, f"{role} Person", role.lower(), role)
        for role in ("Editor", "Approver", "Staff", "Auditor")
    }
    admin_context.close()

    editor_context, editor = arrive(browser, empty, links["Editor"])
    editor.goto("/documents")
    editor.get_by_label("Files").set_input_files(SAMPLE)
    editor.get_by_role("button", name="Load files").click()
    title = "CL-007 Prevention and Management of Falls"
    expect(editor.get_by_role("link", name=title, exact=True)).to_be_visible(timeout=TIMEOUT_MS)
    editor.goto("/review")
    editor.get_by_role("link", name="Prevention and Management of Falls").click()
    editor.get_by_role("button", name="Submit for approval").click()
    expect(editor.get_by_text("Somebody else has to approve it.")).to_be_visible()
    editor_context.close()

    approver_context, approver = arrive(browser, empty, links["Approver"])
    approver.goto("/review")
    approver.get_by_role("link", name="Prevention and Management of Falls").click()
    approver.get_by_role("button", name="Approve", exact=True).click()
    expect(approver.get_by_text("It is approved.")).to_be_visible()
    approver_context.close()

    staff_context, staff = arrive(browser, empty, links["Staff"])
    staff.goto("/")
    staff.get_by_label("Your question").fill(QUESTION)
    staff.get_by_role("button", name="Ask", exact=True).click()
    expect(staff.locator(".lamp-card").first).to_be_visible()
    expect(staff.locator("#answer")).to_have_attribute("aria-busy", "false", timeout=TIMEOUT_MS)
    assert staff.goto("/audit").status == 403  # type: ignore[union-attr]
    staff_context.close()

    auditor_context, auditor = arrive(browser, empty, links["Auditor"])
    auditor.goto("/audit")
    row = auditor.get_by_role("row").filter(has_text="asked a question").first
    expect(row).to_contain_text("Staff Person")
    row.get_by_role("link").click()
    with auditor.expect_download() as proof:
        auditor.get_by_role("link", name="Download the proof").click()
    proof.value.save_as(tmp_path / "event.tlog-proof")
    with auditor.expect_download() as leaf:
        auditor.get_by_role("link", name="Download the event").click()
    leaf.value.save_as(tmp_path / "event.json")
    auditor_context.close()

    body = (tmp_path / "event.json").read_text()
    assert "question.asked" in body
    assert "anticoagulant" not in body
    assert QUESTION not in body
    assert checked_elsewhere(tmp_path, empty).returncode == 0
    (tmp_path / "event.json").write_text(body.replace("question.asked", "question.read"))
    assert checked_elsewhere(tmp_path, empty).returncode != 0
    assert run("audit", "verify", data_dir=empty.data_dir).returncode == 0


def checked_elsewhere(folder: Path, running: Running) -> "subprocess.CompletedProcess[str]":
    """Check the proof as an auditor does: one file, no package of ours, another folder."""
    key = run("audit", "key", data_dir=running.data_dir).stdout.strip()
    shutil.copy(VERIFIER, folder)
    return subprocess.run(
        [
            *(sys.executable, "-I", "-S", VERIFIER.name, "event.tlog-proof"),
            *("--vkey", key, "--leaf", "event.json"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
