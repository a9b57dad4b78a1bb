"""A worker alone: it reads and embeds what the web processes have taken in, and serves nobody.

Any number of them, on as many machines, work through one queue in PostgreSQL. They need what the
web processes need for it: the record, the Qdrant server, a runtime, and the folder of the files
that were handed in.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from threading import Event

from governance.loading import LoadingStore
from governance.record.database import open_record
from ingest.index import require_model
from ingest.workflow import Loader
from lamplight.errors import BadUse
from lamplight.housekeeping import Chore, Housekeeping
from lamplight.logs import configure_logs
from lamplight.model_admission import embedding_admission
from lamplight.platform import model_parts
from lamplight.settings import Settings
from lamplight.supervisor import stop_with_parent as watch_parent
from rag.embed import Embedder
from rag.index import open_index

# What is under way gets this long to come to the end of a step; then others begin the step again.
DRAIN_S = 30
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def check_distributed(settings: Settings) -> None:
    """Refuse to share what one process owns. Raises BadUse."""
    if not settings.is_distributed:
        raise BadUse(
            "A worker needs a record and an index that several processes can share: PostgreSQL "
            "(LAMPLIGHT_DATABASE_URL) and a Qdrant server (LAMPLIGHT_QDRANT_URL).",
            "Without them nothing is missing: `lamplight up` and `lamplight web` load files "
            "themselves.",
        )
    if settings.ingest.parallel_files == 0:
        raise BadUse(
            "This worker is told to do nothing: ingest.parallel_files is 0.",
            "Set LAMPLIGHT_INGEST_PARALLEL_FILES=0 for web processes alone.",
        )


def work(settings: Settings, report: Callable[[str], None], *, stop_with_parent: bool) -> None:
    """Do jobs until a signal says stop. Raises BadUse, RecordUnusable, IndexFault."""
    check_distributed(settings)
    configure_logs()
    stop = Event()
    for number in STOPS:
        signal.signal(number, lambda _number, _frame: stop.set())
    if stop_with_parent:
        watch_parent(stop.set)
    with open_worker(settings):
        report("Working. Stop with Ctrl-C")
        stop.wait()
        report("Stopping: others go on with what is under way")


@contextmanager
def open_worker(settings: Settings) -> Iterator[Loader]:
    """A loader at work, for the length of the block. Raises RecordUnusable, IndexFault."""
    with ExitStack() as closing:
        record = open_record(settings.governance)
        closing.callback(record.close)
        require_model(LoadingStore(record, settings.governance), settings.rag.embed_model)
        index = open_index(settings.rag)
        closing.callback(index.close)
        admission = embedding_admission(model_parts(settings, record), settings.rag)
        embedder = Embedder(settings.rag, admission)
        closing.callback(embedder.close)
        loader = Loader(
            record, index, embedder, settings.rag.embed_model, settings.governance, settings.ingest
        )
        closing.callback(loader.close, DRAIN_S)
        loader.launch()
        chores = (
            Chore("try a blocked trail", timedelta(0), lambda _now: record.try_again()),
            Chore(
                "bring the index into line",
                timedelta(minutes=10),
                lambda _now: loader.publisher.pay_debts(),
            ),
        )
        closing.enter_context(Housekeeping(chores).running())
        yield loader
