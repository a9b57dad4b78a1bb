"""Watched folders by page, by API and from the terminal, and within the walls of departments."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from typer.testing import CliRunner

from governance.events import SYSTEM
from ingest.config import IngestSettings
from ingest.folder_watch import FolderWatch
from lamplight.cli import app
from lamplight.settings import load_settings
from web.testing import Site
from web.testing_hands import Hands

PICTURES = os.environ.get("LAMPLIGHT_TEST_PICTURES")
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
RUN_AXE = """async () => (await axe.run(document,
    {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}))
    .violations.map((found) => `${found.id}: ${found.nodes.map((node) => node.html).join(" ")}`)"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
PAGE = "/documents/folders"
Run = Callable[..., Any]
NUMBERS = count()


@pytest.fixture
def hands(site: Site) -> Iterator[Hands]:
    """Removes every watch at the end."""
    with ExitStack() as stack:
        yield Hands(site, stack, NUMBERS)
    for folder in site.platform.folders.folders.folders():
        site.platform.folders.folders.remove(SYSTEM, folder.id)


@pytest.fixture
def share(hands: Hands, tmp_path: Path) -> Path:
    """A folder with some policies, one of which cannot be read, below what may be watched."""
    folder = hands.share / f"policies-{tmp_path.name}"
    folder.mkdir()
    for name in ("Falls", "Pressure ulcers", "Transfusion", "Visiting", "Waste", "Wounds"):
        text = f"# {name}\n\nWhat every ward does about it, in {tmp_path.name}.\n"
        (folder / f"{name}.md").write_text(text)
    (folder / "Old form.doc").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    return folder


def look(site: Site, times: int = 2) -> None:
    """Look so often."""
    parts, platform = site.platform.folders, site.platform
    for _ in range(times):
        FolderWatch(parts.folders, parts.missing, platform.loader, IngestSettings()).look_at_all(
            site.clock()
        )


def add(client: httpx.Client, path: object, department: str = "Pharmacy") -> httpx.Response:
    """The form of the page."""
    return client.post(PAGE, data={"path": str(path), "department": department})


def test_a_folder_is_added_and_what_is_found_is_shown(
    site: Site, hands: Hands, share: Path
) -> None:
    """Each file with what became of it; trouble in plain words; and the drafts wait for review."""
    manager = hands.client("manager")
    assert add(manager, share).headers["Location"] == f"{PAGE}?done=added"
    assert "Not looked at yet" in manager.get(PAGE).text
    look(site)
    hands.settle()
    text = manager.get(PAGE).text
    assert "New: handed in" in text
    assert "Falls.md" in text
    assert "Could not be taken in" in text
    assert "Draft" in text
    assert "Pressure ulcers" in hands.client("editor").get("/review").text
    assert "a watched folder" in hands.client("editor").get("/review").text


def test_a_folder_elsewhere_is_refused(hands: Hands, tmp_path: Path) -> None:
    """With where folders may be, and what was typed; nothing is said of what is there."""
    refused = [add(hands.client("manager"), path) for path in (tmp_path, tmp_path / "none", "x")]
    assert [one.status_code for one in refused] == [422] * 3
    assert "not one that may be watched" in refused[0].text
    assert str(hands.share) in refused[0].text
    shown = [one.text.replace(str(tmp_path / "none"), str(tmp_path)) for one in refused[:2]]
    assert shown[0].count("There is no folder") == shown[1].count("There is no folder") == 0


def test_others_neither_see_nor_change_it(site: Site, hands: Hands, share: Path) -> None:
    """Editors of the department see it; staff and other departments do not."""
    add(hands.client("manager"), share)
    (folder,) = site.platform.folders.folders.folders()
    assert str(share) in hands.client("editor").get(PAGE).text
    assert "Stop watching" not in hands.client("editor").get(PAGE).text
    assert hands.client("staff").get(PAGE).status_code == 403
    assert str(share) not in hands.client("outsider").get(PAGE).text
    for who, status in (("editor", 403), ("outsider", 403), ("staff", 403)):
        assert hands.client(who).post(f"{PAGE}/{folder.id}/remove").status_code == status
    assert add(hands.client("manager"), share, "Catering").status_code in (404, 422)


def test_a_policy_whose_file_is_gone_waits_under_review(
    site: Site, hands: Hands, share: Path
) -> None:
    """It can be kept; who may not load documents has no button for it."""
    add(hands.client("manager"), share)
    look(site)
    hands.settle()
    (share / "Falls.md").unlink()
    look(site)
    editor = hands.client("editor")
    text = editor.get("/review").text
    assert "Their file is gone" in text
    assert f"{share}/Falls.md" in text
    assert "Keep it" not in hands.client("approver").get("/review").text
    (waiting,) = [
        one
        for one in site.platform.folders.missing.open([hands.place])
        if one.path == f"{share}/Falls.md"
    ]
    path = f"/review/missing/{waiting.id}/keep"
    assert hands.client("approver").post(path).status_code == 403
    assert editor.post(path).headers["Location"] == "/review"
    assert "Their file is gone" not in editor.get("/review").text


@pytest.fixture
def run(site: Site, tmp_path: Path) -> Run:
    """Runs a command in a data directory whose platform is the site; gives its JSON."""
    socket = load_settings(tmp_path).admin_socket
    socket.parent.mkdir(parents=True)
    socket.symlink_to(str(site.platform.admin_socket))

    def run(*words: str) -> Any:
        result = CliRunner().invoke(app, [*words, "--json", "--data", str(tmp_path)])
        if result.exception is not None:
            raise result.exception
        return json.loads(result.stdout)

    return run


def test_folders_from_the_terminal(run: Run, site: Site, hands: Hands, tmp_path: Path) -> None:
    """The owner of the data directory may name any; it is listed, confirmed and removed."""
    folder = tmp_path / "anywhere"
    folder.mkdir()
    place = ("--department", "Pharmacy")
    made = run("watch", "add", str(folder), *place)
    assert made["path"] == str(folder)
    assert run("watch", "add", str(folder), *place)["id"] == made["id"]
    look(site, 1)
    (listed,) = run("watch", "list", *place)["folders"]
    assert (listed["problem"], listed["files"], listed["asks"]) == (None, 0, False)
    assert listed["looked_at"]
    with pytest.raises(Exception, match="nothing to confirm"):
        run("watch", "confirm", str(folder))
    assert run("watch", "remove", str(folder))["state"] == "not watched"
    assert run("watch", "list")["folders"] == []
    with pytest.raises(Exception, match="is not watched"):
        run("watch", "remove", str(folder))
    with pytest.raises(Exception, match="There is no folder"):
        run("watch", "add", str(tmp_path / "none"), *place)
    assert hands.api("editor", "POST", "/api/v1/folders", {"path": "/"}).status_code == 403


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 320])
def test_every_state_is_clean(
    page: Page, site: Site, hands: Hands, share: Path, width: int
) -> None:
    """Nothing watched, refused, found, a question to confirm, and what is missing under review."""

    def check(name: str) -> None:
        page.evaluate(AXE.read_text())
        assert page.evaluate(RUN_AXE) == []
        assert page.evaluate(OVERFLOW) <= 0
        if PICTURES:
            page.screenshot(path=f"{PICTURES}/folders-{name}-{width}.png", full_page=True)

    page.context.add_cookies(site.cookies("manager"))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(PAGE)
    check("none")
    page.get_by_role("textbox", name="Folder").fill("/srv/nowhere")
    page.get_by_role("button", name="Watch this folder").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    check("refused")
    page.get_by_role("textbox", name="Folder").fill(str(share))
    page.get_by_role("button", name="Watch this folder").click()
    expect(page.get_by_text("The folder is watched now")).to_be_visible()
    look(site)
    hands.settle()
    page.goto(PAGE)
    check("found")
    (share / "Falls.md").unlink()
    look(site)
    page.goto("/review")
    expect(page.get_by_text("Their file is gone")).to_be_visible()
    check("missing")
    for file in share.iterdir():
        file.unlink()
    look(site, 1)
    page.goto(PAGE)
    page.get_by_role("button", name="They were removed on purpose").click()
    expect(page.get_by_text("Noted.")).to_be_visible()
    add(hands.client("manager"), hands.folder())
    look(site, 1)
    page.goto(PAGE)
    check("confirmed")
