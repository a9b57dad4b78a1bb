"""Paths on the command line become files, and every file gets an outcome."""

from pathlib import Path

from lamplight.loading import FileOutcome, find_files, summary


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text")


def test_a_folder_gives_its_documents_and_names_the_rest(tmp_path: Path) -> None:
    """Lists, pictures and hidden files are no documents; an old Word file is one we must refuse."""
    make(tmp_path, "a.pdf", "sub/b.MD", "old.doc", "MANIFEST.tsv", ".git/c.md", "~$a.docx")
    found = find_files([tmp_path])
    assert [name for _, name in found.files] == ["a.pdf", "old.doc", "b.MD"]
    assert {path.name for path in found.skipped} == {"MANIFEST.tsv", "c.md", "~$a.docx"}


def test_a_file_that_is_named_is_always_tried(tmp_path: Path) -> None:
    """Whoever names a file wants to hear what is wrong with it, missing ones included."""
    make(tmp_path, "picture.png")
    named = [tmp_path / "picture.png", tmp_path / "missing.pdf"]
    assert [path for path, _ in find_files(named).files] == named


def test_the_summary_counts_every_file_once() -> None:
    """States and counts agree, and the job's id stays inside."""
    outcomes = [
        FileOutcome("a.md", "loaded", "d1", 1, 2, 3),
        FileOutcome("b.md", "duplicate", "d1", 1),
        FileOutcome("c.md", "refused", error={"type": "t", "message": "m", "hint": "h"}),
    ]
    told = summary(outcomes)
    counts = {name: told[name] for name in ("loaded", "duplicate", "refused", "failed")}
    assert counts == {"loaded": 1, "duplicate": 1, "refused": 1, "failed": 0}
    assert set(told["files"][0]) == {
        *("path", "state", "document", "version", "pages", "passages", "error")
    }
