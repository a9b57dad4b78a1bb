"""Does to a version what a caller decided, if they may; pages and API alike."""

from governance.errors import NotFound
from governance.policies import DocumentSummary
from governance.versions import TRANSITIONS, Act
from web.caller import Caller
from web.parts import Platform
from web.scoped import NO_DOCUMENT

NO_ACT = ("This is nothing to decide about a version.", "Submit, approve, recall or retire it.")


def may_act(caller: Caller, department: str, act: Act) -> bool:
    """Whether the caller may do this in the department of this name."""
    return any(department in caller.department_names(one) for one in TRANSITIONS[act].permissions)


def require_act(caller: Caller, department: str, act: Act) -> None:
    """Let this happen, or record that it was denied. Raises Forbidden, NotFound."""
    if may_act(caller, department, act):
        return
    if not TRANSITIONS[act].permissions:  # what only the program does is nothing to ask for
        raise NotFound(*NO_ACT)
    caller.require_in(TRANSITIONS[act].permissions[0], department, NotFound(*NO_DOCUMENT))


def decide(
    platform: Platform,
    caller: Caller,
    version: DocumentSummary,
    act: Act,
    reason: str = "",
    looked: bool = False,
) -> None:
    """Do one act. Raises Forbidden, NotFound, IllegalTransition, SecondPersonNeeded."""
    require_act(caller, version.department, act)
    if act is Act.CHANGE:  # what is stated is sent as a whole, and not decided
        raise NotFound(*NO_ACT)
    if act is Act.RETRY:
        platform.loader.retry(caller.actor, version.version_id)
        return
    platform.publisher.do(act, caller.actor, version.version_id, reason.strip(), looked)
