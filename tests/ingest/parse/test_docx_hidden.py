import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from ingest.parse.docx_hidden import hidden_findings, is_hidden


@pytest.mark.parametrize(
    ("properties", "hidden"),
    [
        ("<w:vanish/>", True),
        ('<w:vanish w:val="0"/>', False),
        ('<w:sz w:val="2"/>', True),
        ('<w:sz w:val="20"/>', False),
        ('<w:color w:val="ffffff"/>', True),
        ('<w:color w:val="FFFFFF"/><w:shd w:fill="000000"/>', False),
        ("<w:webHidden/>", False),
    ],
)
def test_hidden_runs_are_told_and_counted(properties: str, hidden: bool) -> None:
    """Hidden, white on the page's white, one point high; white on a dark ground is text."""
    run = f"<w:r><w:rPr>{properties}</w:rPr><w:t>no one</w:t></w:r>"
    body = parse_xml(f"<w:body {nsdecls('w')}><w:p>{run}</w:p></w:body>")
    assert is_hidden(body[0][0]) == hidden
    assert [found.count for found in hidden_findings(body)] == ([5] if hidden else [])
