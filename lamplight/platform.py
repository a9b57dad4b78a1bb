"""The platform's parts, made and passed to one another: the whole application on one page."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from governance.jobs import JobStore
from governance.policies import PolicyStore
from governance.record.database import open_record
from ingest.page_image import render_page
from ingest.workflow import Loader
from lamplight.settings import Settings
from rag.embed import Embedder
from rag.index import open_index
from rag.pipelines import Assistant
from web.parts import Platform
from web.passthrough import Passthrough


@contextmanager
def open_platform(settings: Settings) -> Iterator[Platform]:
    """Open the record and the index, take up unfinished jobs, and close all of it at the end.

    Raises RecordUnusable, IndexFault.
    """
    record = open_record(settings.governance)
    index = open_index(settings.rag)
    embedder = Embedder(settings.rag)
    policies = PolicyStore(record, settings.governance)
    loader = Loader(
        record, index, embedder, settings.rag.embed_model, settings.governance, settings.ingest
    )

    def draw_page(path: Path, page: int, quotes: Sequence[str]) -> bytes:
        return render_page(path, page, quotes, settings=settings.ingest).png

    try:
        loader.launch()
        yield Platform(
            settings=settings.web,
            rag_settings=settings.rag,
            assistant=Assistant(settings.rag, index, embedder, policies.passages_in_force),
            policies=policies,
            jobs=JobStore(record),
            loader=loader,
            index=index,
            draw_page=draw_page,
            passthrough=Passthrough(settings.web, settings.rag),
        )
    finally:
        loader.close()
        index.close()
        record.close()
