"""The kinds of files that are read, by what they are called and by what reads them."""

PDF = "application/pdf"
_OPEN_XML = "application/vnd.openxmlformats-officedocument."
DOCX = _OPEN_XML + "wordprocessingml.document"
XLSX = _OPEN_XML + "spreadsheetml.sheet"
PPTX = _OPEN_XML + "presentationml.presentation"
HTML = "text/html"
MARKDOWN = "text/markdown"
TEXT = "text/plain"
EML = "message/rfc822"
MSG = "application/vnd.ms-outlook"
DOC = "application/msword"
RTF = "application/rtf"
ODT = "application/vnd.oasis.opendocument.text"

READABLE = (
    "PDF, Word (.docx), PowerPoint (.pptx), Excel (.xlsx), e-mail (.eml, .msg), HTML, Markdown "
    "and plain text"
)

BY_SUFFIX = {
    ".pdf": PDF,
    ".doc": DOC,
    ".dot": DOC,
    ".rtf": RTF,
    ".odt": ODT,
    ".docx": DOCX,
    ".docm": DOCX,
    ".dotx": DOCX,
    ".xlsx": XLSX,
    ".xlsm": XLSX,
    ".xltx": XLSX,
    ".pptx": PPTX,
    ".pptm": PPTX,
    ".ppsx": PPTX,
    ".potx": PPTX,
    ".eml": EML,
    ".msg": MSG,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".mdown": MARKDOWN,
    ".txt": TEXT,
    ".text": TEXT,
    "": TEXT,
}

# What reads a kind, by the name of its module: it is imported in the child process only.
MODULES = {
    PDF: "ingest.parse.pdf",
    DOCX: "ingest.parse.docx",
    XLSX: "ingest.parse.xlsx",
    PPTX: "ingest.parse.pptx",
    EML: "ingest.parse.eml",
    MSG: "ingest.parse.msg",
    DOC: "ingest.parse.libreoffice",
    RTF: "ingest.parse.libreoffice",
    ODT: "ingest.parse.libreoffice",
    HTML: "ingest.parse.html",
    MARKDOWN: "ingest.parse.markdown",
    TEXT: "ingest.parse.text",
}

# What is turned into Word's format of today first, by what that needs and a name for people.
BY_LIBREOFFICE = {
    DOC: "a Word file from before 2007 (.doc)",
    RTF: "a rich text file (RTF)",
    ODT: "an OpenDocument text (.odt)",
}
