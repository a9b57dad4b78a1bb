"""Tells whether a new file is another version of a policy that the department has.

Only documents of the same department are compared: nobody learns from a likeness what another
department holds.
"""

from dataclasses import dataclass

from governance.kinship import Candidate, Kinship
from ingest.likeness import NEAR, bands, likeness, signature


@dataclass(frozen=True, slots=True)
class Kin:
    """Another document that may be the same policy. likeness: 0 to 1."""

    document_id: str
    version: int
    title: str
    policy_number: str | None
    same_number: bool
    likeness: float


class Identity:
    """Notes what a file is like, and finds what it may be a version of."""

    def __init__(self, kinship: Kinship) -> None:
        self._kinship = kinship

    def note(self, version_id: str, texts: tuple[str, ...]) -> None:
        """Keep the signature of what was read."""
        made = signature(texts)
        self._kinship.note(version_id, made, bands(made) if made else ())

    def kin(self, version_id: str) -> tuple[Kin, ...]:
        """The documents that this may be a version of, the likeliest first; one entry each."""
        own = self._kinship.signature(version_id)
        found = [_kin(one, own) for one in self._kinship.candidates(version_id)]
        near = [one for one in found if one.same_number or one.likeness >= NEAR]
        near.sort(key=lambda one: (one.same_number, one.likeness), reverse=True)
        first: dict[str, Kin] = {}
        for one in near:
            first.setdefault(one.document_id, one)
        return tuple(first.values())


def _kin(candidate: Candidate, own: bytes) -> Kin:
    return Kin(
        candidate.document_id,
        candidate.version,
        candidate.title,
        candidate.policy_number,
        candidate.same_number,
        likeness(own, candidate.signature),
    )
