"""What a verification of the trail can end with.

Pure.
"""

from dataclasses import dataclass, field
from enum import IntEnum

FINDINGS_MAX = 20


class Code(IntEnum):
    """How a verification ends; also the exit status of the command."""

    OK = 0
    TAMPERED = 3
    TRUNCATED = 4
    FORKED = 5
    KEY = 6


# What weighs most, where several things were found.
GRAVITY = (Code.TAMPERED, Code.FORKED, Code.TRUNCATED, Code.KEY)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in words."""

    code: Code
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found. remarks: what it could not see; size: events that were read.

    signed_size: how many of them a checkpoint covers.
    """

    size: int
    signed_size: int
    root: bytes | None
    checkpoints: int
    anchored: int
    findings: tuple[Finding, ...]
    remarks: tuple[str, ...]

    @property
    def code(self) -> Code:
        """The gravest of what was found."""
        found = {finding.code for finding in self.findings}
        return next((code for code in GRAVITY if code in found), Code.OK)


@dataclass(slots=True)
class Findings:
    """What was found so far; a trail that is all wrong is told in few words."""

    kept: list[Finding] = field(default_factory=list)
    more: int = 0

    def add(self, code: Code, text: str) -> None:
        """Note one more, but at most so many, and one of each kind at least."""
        if len(self.kept) < FINDINGS_MAX or code not in {one.code for one in self.kept}:
            self.kept.append(Finding(code, text))
        else:
            self.more += 1

    @property
    def all(self) -> tuple[Finding, ...]:
        """What was found, and how much more of the like."""
        if not self.more:
            return tuple(self.kept)
        return (*self.kept, Finding(self.kept[-1].code, f"And {self.more} more."))
