"""The life of a version, as a table of acts.

A file that was handed in is `loading` until every passage of it is in the index. Then it is a
`draft`, which answers nobody. Whoever loads documents submits it; another person, who neither
handed it in nor submitted it, approves it (two persons for publication). There are two ways with
one person, each with a reason that is kept: a minor fix of a policy that is in force, and an
override by an administrator. A file that cannot be read is `refused` (the file's fault) or `failed`
(ours) and may be tried again.

To approve is to write down from when on the version is in force, and until when the one before it
is: both in one transaction. From then on the clock alone decides. An approved version is
`effective` once its time has come and `superseded` once the next one's has; neither word is ever
stored, so nothing can be late. To retire is to end that time now. A version that is approved but
not yet in force may be recalled. Nothing that has been in force leads back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from governance.errors import IllegalTransition
from governance.permissions import Permission


class VersionState(StrEnum):
    """Where a version stands; `effective` and `superseded` are read off the clock."""

    LOADING = "loading"
    REFUSED = "refused"
    FAILED = "failed"
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    EFFECTIVE = "effective"
    SUPERSEDED = "superseded"
    RETIRED = "retired"


# What is neither over nor refused: lists of those who load and approve show it.
LIVE_STATES = frozenset(
    {
        VersionState.LOADING,
        VersionState.DRAFT,
        VersionState.SUBMITTED,
        VersionState.APPROVED,
        VersionState.EFFECTIVE,
    }
)


class Act(StrEnum):
    """What is done to a version."""

    FINISH = "finish"
    REFUSE = "refuse"
    FAIL = "fail"
    RETRY = "retry"
    CHANGE = "change"
    SUBMIT = "submit"
    SEND_BACK = "send_back"
    APPROVE = "approve"
    OVERRIDE = "override"
    FIX = "fix"
    RECALL = "recall"
    RETIRE = "retire"


@dataclass(frozen=True, slots=True)
class Transition:
    """From which states an act is done, where it leads, and what allows it: any of these.

    permissions: none where the program does it by itself.
    """

    sources: frozenset[VersionState]
    target: VersionState
    permissions: tuple[Permission, ...] = ()


def _from(*states: VersionState) -> frozenset[VersionState]:
    return frozenset(states)


_LOAD, _APPROVE = (Permission.DOCUMENTS_LOAD,), (Permission.DOCUMENTS_APPROVE,)
TRANSITIONS: Mapping[Act, Transition] = {
    Act.FINISH: Transition(_from(VersionState.LOADING), VersionState.DRAFT),
    Act.REFUSE: Transition(_from(VersionState.LOADING), VersionState.REFUSED),
    Act.FAIL: Transition(_from(VersionState.LOADING), VersionState.FAILED),
    Act.RETRY: Transition(
        _from(VersionState.REFUSED, VersionState.FAILED), VersionState.LOADING, _LOAD
    ),
    Act.CHANGE: Transition(_from(VersionState.DRAFT), VersionState.DRAFT, _LOAD),
    Act.SUBMIT: Transition(_from(VersionState.DRAFT), VersionState.SUBMITTED, _LOAD),
    Act.SEND_BACK: Transition(
        _from(VersionState.SUBMITTED), VersionState.DRAFT, (*_APPROVE, *_LOAD)
    ),
    Act.APPROVE: Transition(_from(VersionState.SUBMITTED), VersionState.APPROVED, _APPROVE),
    Act.OVERRIDE: Transition(
        _from(VersionState.DRAFT, VersionState.SUBMITTED),
        VersionState.APPROVED,
        (Permission.DOCUMENTS_OVERRIDE,),
    ),
    Act.FIX: Transition(
        _from(VersionState.DRAFT, VersionState.SUBMITTED), VersionState.APPROVED, _APPROVE
    ),
    Act.RECALL: Transition(_from(VersionState.APPROVED), VersionState.DRAFT, _APPROVE),
    Act.RETIRE: Transition(_from(VersionState.EFFECTIVE), VersionState.RETIRED, _APPROVE),
}


def check_transition(act: Act, current: VersionState) -> VersionState:
    """The state that an act leads to. Raises IllegalTransition."""
    if current not in TRANSITIONS[act].sources:
        raise IllegalTransition(
            f"This version is {current}: {_DONE[act]}.",
            "Reload the page to see the version's present state.",
        )
    return TRANSITIONS[act].target


_DONE: Mapping[Act, str] = {
    Act.FINISH: "it is not being loaded",
    Act.REFUSE: "it is not being loaded",
    Act.FAIL: "it is not being loaded",
    Act.RETRY: "only what could not be read is tried again",
    Act.CHANGE: "only what is a draft is changed",
    Act.SUBMIT: "only a draft is submitted for approval",
    Act.SEND_BACK: "only what was submitted is sent back",
    Act.APPROVE: "only what was submitted is approved",
    Act.OVERRIDE: "only a draft is put in force without approval",
    Act.FIX: "only a draft is put in force as a minor fix",
    Act.RECALL: "only what is approved and not yet in force is recalled",
    Act.RETIRE: "only what is in force is retired; what is not yet is recalled",
}


@dataclass(frozen=True, slots=True)
class Span:
    """From when until when a version is in force; the end is not in it, None is open."""

    begins: datetime
    ends: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether the version is in force at this time."""
        return self.begins <= at and (self.ends is None or at < self.ends)


def state_at(stored: VersionState, span: Span | None, at: datetime) -> VersionState:
    """The state as people see it: what is approved is effective, then superseded, by the clock."""
    if stored is not VersionState.APPROVED or span is None or at < span.begins:
        return stored
    return VersionState.EFFECTIVE if span.holds(at) else VersionState.SUPERSEDED


def approved(spans: Mapping[int, Span], number: int, begins: datetime) -> Mapping[int, Span]:
    """The spans that change when a version is approved to begin then; keys are version numbers.

    Raises IllegalTransition if another version was approved to begin then or later.
    """
    later = [other for other, span in spans.items() if span.begins >= begins]
    if later:
        raise IllegalTransition(
            f"Version {later[0]} is approved to be in force from {spans[later[0]].begins:%d %B %Y},"
            " which is not before this one.",
            "Recall that version first, or give this one a later date.",
        )
    cut = {
        other: replace(span, ends=begins)
        for other, span in spans.items()
        if span.ends is None or span.ends > begins
    }
    return {**cut, number: Span(begins)}


def recalled(spans: Mapping[int, Span], number: int) -> Mapping[int, Span]:
    """The spans that change when an approved version is taken back: the one before goes on."""
    begins = spans[number].begins
    return {
        other: replace(span, ends=None)
        for other, span in spans.items()
        if other != number and span.ends == begins
    }


def retired(spans: Mapping[int, Span], number: int, at: datetime) -> Mapping[int, Span]:
    """The span of a version in force, which ends now."""
    return {number: replace(spans[number], ends=at)}
