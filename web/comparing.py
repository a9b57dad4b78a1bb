"""What changed between two versions of a policy, as pages and API show it."""

from dataclasses import dataclass

from governance.errors import NotFound
from governance.permissions import Permission
from governance.policies import DocumentSummary
from ingest.difference import Change, differences
from ingest.word_difference import Weight
from web.caller import Caller
from web.parts import Platform
from web.reading import note_reading
from web.scoped import NO_DOCUMENT, detail_for, version_for

# More changes than a person reads on one page; the API gives all.
MAX_SHOWN = 500
# What is looked at first has a heading of its own.
GROUPS = (
    (Weight.DOSE, "Doses and amounts of medicines"),
    (Weight.FIGURE, "Other numbers, times and dates"),
    (Weight.WORDS, "Other words"),
    (Weight.HEADING, "Headings"),
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions and the changes from the old to the new one, what matters most first."""

    old: DocumentSummary
    new: DocumentSummary
    changes: tuple[Change, ...]

    @property
    def groups(self) -> tuple[tuple[str, tuple[Change, ...]], ...]:
        """The changes under the headings that there are changes for."""
        found = (
            (words, tuple(one for one in self.changes[:MAX_SHOWN] if one.weight is weight))
            for weight, words in GROUPS
        )
        return tuple((words, changes) for words, changes in found if changes)


def compare(
    platform: Platform, caller: Caller, document_id: str, number: int, other: int | None
) -> Comparison:
    """Compare a version with another; without one, with that in force or the one before.

    Raises NotFound.
    """
    detail = detail_for(caller, platform.policies, document_id)
    caller.require_in(Permission.DRAFTS_READ, detail.department, NotFound(*NO_DOCUMENT))
    new = version_for(caller, platform.policies, document_id, number)
    if other is None:
        other = _before(number, detail.versions)
    old = version_for(caller, platform.policies, document_id, other)
    for version in (old, new):
        note_reading(caller, version, "difference")
    read = platform.policies.section_texts
    return Comparison(old, new, differences(read(old.version_id), read(new.version_id)))


def _before(number: int, versions: tuple[DocumentSummary, ...]) -> int:
    """The version that somebody means who asks what is new in this one. Raises NotFound."""
    older = [one for one in versions if one.version < number and one.passage_count]
    in_force = [one.version for one in older if one.state == "effective"]
    if in_force:
        return in_force[0]
    if older:
        return max(one.version for one in older)
    raise NotFound("There is no earlier version to compare with.", "Read this version as a whole.")
