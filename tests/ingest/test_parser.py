from dataclasses import replace
from pathlib import Path

import pytest

from ingest import errors
from ingest.config import IngestSettings
from ingest.document import BlockKind
from ingest.parser import parse_file
from ingest.source import HTML, MARKDOWN, PDF, TEXT


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "hand-hygiene.md"
    path.write_text("# Hand hygiene\n\nWash your hands.\n\n| a | b |\n| - | - |\n| 1 | 2 |\n")
    return path


def test_a_file_is_read_in_a_child(policy: Path, settings: IngestSettings) -> None:
    """What the child reads arrives whole: title, kinds, texts, pages."""
    document = parse_file(policy, MARKDOWN, policy.name, settings)
    assert document.title == "Hand hygiene"
    assert [block.kind for block in document.blocks] == [
        BlockKind.HEADING,
        BlockKind.PARAGRAPH,
        BlockKind.TABLE,
    ]
    assert document.page_count == len(document.page_texts) == 1


def test_a_file_without_a_title_is_named_by_its_file_name(
    tmp_path: Path, settings: IngestSettings
) -> None:
    """There is always a title to show."""
    path = tmp_path / "x"
    path.write_text("Wash your hands.")
    assert parse_file(path, TEXT, "sharps-injury.txt", settings).title == "Sharps injury"


def test_a_refusal_arrives_from_the_child(
    tmp_path: Path, settings: IngestSettings, picture_pdf: bytes
) -> None:
    """Pictures without words are refused, with the file's name and what to do."""
    path = tmp_path / "0123abcd"
    path.write_bytes(picture_pdf)
    with pytest.raises(errors.NoText, match=r"scan\.pdf.*OCR could read no text") as caught:
        parse_file(path, PDF, "scan.pdf", settings)
    assert "Scan it again" in caught.value.hint


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (IngestSettings(parse_timeout_s=0.01), errors.ParseTimeout),
        (IngestSettings(max_file_bytes=10), errors.FileTooLarge),
        (IngestSettings(max_text_chars=10), errors.FileTooLarge),
    ],
)
def test_each_limit_ends_in_a_refusal(
    policy: Path, settings: IngestSettings, error: type[errors.RefusedFile]
) -> None:
    """Time, bytes and text are bounded; the refusal names the file."""
    with pytest.raises(error, match=r"hand-hygiene\.md") as caught:
        parse_file(policy, MARKDOWN, policy.name, settings)
    assert caught.value.hint


def test_too_much_memory_is_a_refusal(tmp_path: Path, settings: IngestSettings) -> None:
    """A page whose tree does not fit into the child's memory is refused for that."""
    path = tmp_path / "big.html"
    path.write_bytes(b"<p>a</p>" * 4_000_000)
    small = replace(settings, parse_memory_bytes=160 * 1024 * 1024)
    with pytest.raises((errors.ParseOutOfMemory, errors.DamagedFile), match=r"big\.html"):
        parse_file(path, HTML, path.name, small)


def test_deep_nesting_is_read(tmp_path: Path, settings: IngestSettings) -> None:
    """Depth is up to the file: twenty thousand nested parts neither crash nor lose text."""
    path = tmp_path / "deep.html"
    path.write_text("<div>" * 20_000 + "Wash" + "</div>" * 20_000)
    document = parse_file(path, HTML, path.name, settings)
    assert "Wash" in document.page_texts[0]
