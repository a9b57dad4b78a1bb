"""What the pages and the API are built from: every part is made elsewhere and passed in here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from governance.jobs import JobStore
from governance.policies import Department, PolicyStore
from ingest.workflow import PolicyFields, Submitted
from rag.config import RagSettings
from rag.index import PassageIndex
from web.asked import Asks
from web.config import WebSettings
from web.passthrough import Passthrough


class Loads(Protocol):
    """What the pages need of the loader; `ingest.workflow.Loader` is one."""

    def submit(
        self,
        file_name: str,
        content: bytes,
        department: Department,
        fields: PolicyFields | None = None,
    ) -> Submitted:
        """Accept a file and queue it. Raises RefusedFile, NoSpace."""
        ...

    def delete(self, document_id: str) -> None:
        """Remove a document. Raises NotFound."""
        ...


class DrawsPage(Protocol):
    """Draws one page (from 1) of a PDF as PNG bytes, with the quotes marked."""

    def __call__(self, path: Path, page: int, quotes: Sequence[str]) -> bytes:
        """Raises IngestError."""
        ...


@dataclass(frozen=True, slots=True)
class Platform:
    """The whole platform in one value."""

    settings: WebSettings
    rag_settings: RagSettings
    assistant: Asks
    policies: PolicyStore
    jobs: JobStore
    loader: Loads
    index: PassageIndex
    draw_page: DrawsPage
    passthrough: Passthrough
