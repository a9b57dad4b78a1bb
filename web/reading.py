"""Records that somebody read: which search, which document; never a word of either."""

from collections.abc import Sequence
from hashlib import sha256

from governance.events import Action, Event
from governance.policies import Department, DocumentSummary
from rag.schema import Passage
from web.caller import Caller


def note_search(caller: Caller, department: Department, found: Sequence[Passage]) -> None:
    """Record that passages of this department were searched and shown."""
    digests = [sha256(one.text.encode(errors="surrogatepass")).hexdigest() for one in found]
    caller.note(
        Event(
            Action.POLICIES_SEARCHED,
            caller.actor,
            department.id,
            request_id=caller.request_id,
            facts={"passages": digests},
        )
    )


def note_reading(caller: Caller, version: DocumentSummary, shown: str) -> None:
    """Record that a version was opened; shown: `viewer`, `print`, `picture`, `file`."""
    department_id = next((one.id for one in caller.known if one.name == version.department), None)
    caller.note(
        Event(
            Action.DOCUMENT_READ,
            caller.actor,
            department_id,
            object_type="document",
            object_id=version.document_id,
            digest=version.digest,
            request_id=caller.request_id,
            facts={"version": version.version, "shown": shown},
        )
    )
