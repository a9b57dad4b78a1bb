"""For tests: policies in force without two persons."""

from typing import Protocol

from governance.events import SYSTEM, Actor
from governance.policies import Department
from governance.policy_fields import PolicyFields
from ingest.workflow import Submitted

REASON = "A test"


class Submits(Protocol):
    """What takes files in; `ingest.workflow.Loader` does."""

    def submit(
        self,
        actor: Actor,
        file_name: str,
        content: bytes,
        department: Department,
        fields: PolicyFields | None = None,
        *,
        replaces: str | None = None,
        override_reason: str | None = None,
    ) -> Submitted:
        """Accept a file."""
        ...


def load_in_force(
    loader: Submits,
    file_name: str,
    content: bytes,
    department: Department,
    fields: PolicyFields | None = None,
    *,
    replaces: str | None = None,
) -> Submitted:
    """Hand a file in that goes into force as soon as it is loaded."""
    return loader.submit(
        SYSTEM,
        file_name,
        content,
        department,
        fields,
        replaces=replaces,
        override_reason=REASON,
    )
