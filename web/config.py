"""Settings of the pages and the platform API, each with its unit and its default."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where the platform listens, what it is called, and the limits on what comes in."""

    host: str = "127.0.0.1"
    port: int = 8080
    product_name: str = "Lamplight"
    # Names that a browser may call us by; anything else may be a DNS rebinding attack.
    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "::1")

    # A question, a search, or any other form or JSON body, bytes.
    max_body_bytes: int = 64 * KIB
    # A conversation sent to /v1, bytes.
    max_chat_body_bytes: int = 4 * MIB
    # One upload, all of its files together, bytes.
    max_upload_bytes: int = 512 * MIB
    # One file of an upload, bytes; a larger one is not even taken into memory.
    max_file_bytes: int = 100 * MIB
    # Files in one upload.
    max_upload_files: int = 100

    # Finished answers kept in memory for reload, back and print: how many, and for how long (s).
    answers_kept: int = 500
    answers_kept_s: float = 12 * 3600.0
    # Pages shown before and after the one that was asked for.
    viewer_pages_around: int = 2
    # A browser may keep the picture of a page, seconds.
    page_image_kept_s: int = 3600
    # Sources shown while an answer is written; the others are folded away.
    sources_unfolded: int = 3
    # Passages on the search page.
    search_results: int = 10
    # Jobs listed on the documents page.
    recent_jobs: int = 50
    # Between two looks at the jobs while something loads, milliseconds.
    progress_interval_ms: int = 1500
    # Waiting for the runtime's first byte when a request is passed through, seconds.
    passthrough_timeout_s: float = 300.0
    # Waiting for the runtime when readiness is asked for, seconds.
    ready_timeout_s: float = 2.0
