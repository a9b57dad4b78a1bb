"""Settings of this package: what a file may cost, and how long a passage is."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Every limit on a file from outside, with its default and unit."""

    # A file as uploaded, bytes.
    max_file_bytes: int = 100 * MIB
    # All parts of a packed file (DOCX) once unpacked, bytes.
    max_unpacked_bytes: int = 400 * MIB
    # Pages of a PDF.
    max_pages: int = 3000
    # Filled cells of all sheets of a workbook.
    max_sheet_cells: int = 500_000
    # Columns of one sheet.
    max_sheet_columns: int = 500
    # Attachments of one mail; those beyond are named as unread.
    max_attachments: int = 50
    # Text read out of one file, characters.
    max_text_chars: int = 20_000_000
    # Wall clock of the child process that reads one file, seconds.
    parse_timeout_s: float = 30.0
    # Address space of that child process, bytes.
    parse_memory_bytes: int = 2048 * MIB
    # The `program` folder of a LibreOffice, which turns .doc, .rtf and .odt into .docx; empty: the
    # one that stands where packages of systems put it, if any.
    libreoffice_dir: str = ""
    # Pages of one document that are read by OCR; those beyond are named as unread.
    ocr_max_pages: int = 500
    # Pages that one child process reads by OCR; loading the models takes a second each time.
    ocr_pages_per_child: int = 4
    # Wall clock of that child process, seconds: three to five a page on one core.
    ocr_timeout_s: float = 120.0
    # Address space of that child process, bytes.
    ocr_memory_bytes: int = 4096 * MIB
    # Resolution at which a page is drawn for OCR, dots an inch.
    ocr_dpi: float = 150.0
    # Wall clock of the child process that draws one page, seconds.
    image_timeout_s: float = 20.0
    # Largest page image, pixels; a larger page is drawn at a smaller scale.
    max_image_pixels: int = 12_000_000
    # A passage aims at this many words ...
    passage_words: int = 150
    # ... and never has more than this many, unless one table row alone does.
    passage_max_words: int = 220
    # Passages sent to the embedding model in one request.
    embed_batch: int = 32
    # Files read and embedded at the same time; 0 leaves all of it to workers (`lamplight worker`).
    parallel_files: int = 2
    # How often watched folders are looked at, seconds: shares do not tell of changes.
    watch_every_s: float = 60.0
    # Files of one watched folder that are taken in at one look, and their bytes together; the
    # others wait for the next.
    watch_files_per_look: int = 100
    watch_bytes_per_look: int = 1024 * MIB
    # Files below one watched folder; with more it is not watched.
    watch_max_files: int = 50_000
    # Free disk space below which nothing is loaded, bytes.
    min_free_bytes: int = 512 * MIB
