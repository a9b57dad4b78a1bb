"""What pypdf reads on a page, asked where pdfium is known to drop text."""

from io import BytesIO

from ingest.clean import clean, clean_line
from ingest.parse.pdf_lines import Line


class SecondOpinion:
    """A document opened by pypdf, but only once a page asks for it: its import takes 0.6 s."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._reader: object = None

    def lines(self, number: int) -> list[Line]:
        """The page's lines as pypdf reads them, without place or size; none if it cannot."""
        import logging

        import pypdf

        logging.getLogger("pypdf").setLevel(logging.CRITICAL)
        try:
            if self._reader is None:
                self._reader = pypdf.PdfReader(BytesIO(self._content))
            assert isinstance(self._reader, pypdf.PdfReader)
            text = self._reader.pages[number - 1].extract_text()
        except Exception:  # noqa: BLE001  # pypdf raises all sorts; pdfium's text still stands
            return []
        return [Line(clean_line(line), number) for line in clean(text).split("\n") if line]
