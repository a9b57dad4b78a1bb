"""The life of a version, as a table.

A version is `loading` from the moment its file is accepted until every passage is in the index.
It then becomes `effective` in one step, and only effective text answers questions.
A file that cannot be read is `refused` (the file's fault) or `failed` (ours): its rows go away and
only its job stays, so nothing is half visible. A newer version turns it into `superseded`; taking
a policy out of use turns it into `withdrawn`. Nothing leads back.
"""

from enum import StrEnum

from governance.errors import IllegalTransition


class VersionState(StrEnum):
    """Where a version stands."""

    LOADING = "loading"
    EFFECTIVE = "effective"
    REFUSED = "refused"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


TRANSITIONS: dict[VersionState, frozenset[VersionState]] = {
    VersionState.LOADING: frozenset(
        {VersionState.EFFECTIVE, VersionState.REFUSED, VersionState.FAILED}
    ),
    VersionState.EFFECTIVE: frozenset({VersionState.SUPERSEDED, VersionState.WITHDRAWN}),
    VersionState.REFUSED: frozenset(),
    VersionState.FAILED: frozenset(),
    VersionState.SUPERSEDED: frozenset(),
    VersionState.WITHDRAWN: frozenset(),
}


def check_transition(current: VersionState, wanted: VersionState) -> None:
    """Raise IllegalTransition unless the table allows this step."""
    if wanted not in TRANSITIONS[current]:
        raise IllegalTransition(
            f"A version that is {current} cannot become {wanted}.",
            "Reload the page to see the version's present state.",
        )
