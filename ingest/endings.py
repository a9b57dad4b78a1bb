"""How loading a file ends when it fails: whose fault it was, and what to tell the person."""

from governance.errors import DocumentBusy, IllegalTransition, NoSpace
from governance.jobs import JobError, JobState
from ingest.errors import IngestError, NoDiskSpace, RefusedFile
from rag.errors import RagError

# How often a job is begun whose workflow broke off without ending it: a full disk, a blocked trail.
MAX_ATTEMPTS = 3
GIVEN_UP = JobError(
    "internal",
    f"Loading this file broke off {MAX_ATTEMPTS} times, and each time its end could not be noted.",
    "Look for a full disk or a blocked record in the log, then load the file again.",
)


def ending(error: Exception) -> tuple[JobState, JobError]:
    """How a job ends after an error: whose fault it was, and what to tell the person."""
    match error:
        case RefusedFile():
            return JobState.REFUSED, JobError(error.type, error.message, error.hint)
        case IngestError():
            return JobState.FAILED, JobError(error.type, error.message, error.hint)
        case DocumentBusy():
            return JobState.FAILED, JobError("document_busy", error.message, error.hint)
        case IllegalTransition():
            return JobState.REFUSED, JobError("illegal_transition", error.message, error.hint)
        case RagError() | NoSpace():
            kind = NoDiskSpace.type if isinstance(error, NoSpace) else "runtime"
            return JobState.FAILED, JobError(kind, error.message, error.hint)
        case _:
            return JobState.FAILED, JobError(
                "internal",
                "Something went wrong on our side while this file was being loaded.",
                "Load it again. If it fails again, give the log of the data directory to support.",
            )
