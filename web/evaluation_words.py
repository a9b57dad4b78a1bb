"""Evaluations in the words that people read: states, what came back, what chance says. Pure."""

from collections.abc import Mapping

from governance.evaluation_gates import GateMode
from governance.evaluation_runs import RunState
from governance.gold_drafts import Origin
from rag.figures import CameBack, Change
from rag.gate import Standing

RUN_STATES: Mapping[RunState, str] = {
    RunState.QUEUED: "Waiting",
    RunState.RUNNING: "Under way",
    RunState.DONE: "Finished",
    RunState.FAILED: "Ended in an error",
    RunState.STOPPED: "Stopped",
}
CAME_BACK: Mapping[CameBack, str] = {
    CameBack.RIGHT: "Right",
    CameBack.WRONG: "Wrong",
    CameBack.NOT_FOUND: "Not found",
    CameBack.FAILED: "Error",
    CameBack.UNASKED: "Not asked",
}
MEANINGS: Mapping[CameBack, str] = {
    CameBack.RIGHT: "answered from the expected place, or left unanswered where no policy answers",
    CameBack.WRONG: "answered from another place, or answered though no policy answers",
    CameBack.NOT_FOUND: "left unanswered, though a policy answers",
    CameBack.FAILED: "ended in an error",
    CameBack.UNASKED: "not asked before the run ended",
}
CHANGES: Mapping[Change, str] = {
    Change.BETTER: "Better",
    Change.WORSE: "Worse",
    Change.SAME: "The same",
}
ORIGINS: Mapping[Origin, str] = {
    Origin.WRITTEN: "Written here",
    Origin.IMPORTED: "From a file",
    Origin.FEEDBACK: "From feedback",
}
ANSWER_TYPES: Mapping[str, str] = {
    "extractive": "A few words or a number, which the answer must contain",
    "span": "A sentence or a list from the policy",
    "abstractive": "An explanation in any words",
}
GATE_MODES: Mapping[GateMode, str] = {
    GateMode.OFF: "Off: answers are given whatever evaluations say",
    GateMode.WARN: "Warn: answers are given, and a warning stands on the page of evaluation",
    GateMode.BLOCK: "Block: no answers until an evaluation passes. Search keeps working.",
}
STANDINGS: Mapping[Standing, str] = {
    Standing.OFF: "The gate is off: answers are given whatever evaluations say.",
    Standing.PASSED: "What answers here has passed its evaluation.",
    Standing.WARNED: "What answers here has not passed an evaluation. Answers are given.",
    Standing.PAUSED: "Answers are paused: what answers here has not passed an evaluation.",
    Standing.OVERRIDDEN: "What answers here has not passed an evaluation. Somebody lets it answer.",
}
HARDLY_CHANCE = 0.05


def chance_words(p: float) -> str:
    """What the sign test says, for people who never heard of it."""
    share = "less than 1" if p < 0.01 else f"about {p * 100:.0f}"
    told = "This is hardly chance." if p < HARDLY_CHANCE else "This may well be chance."
    if p >= 1:
        return "No run was better than the other."
    return (
        "If nothing had really changed, so uneven a split would come about in "
        f"{share} of 100 comparisons (p = {p:.3f}). {told}"
    )
