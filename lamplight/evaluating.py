"""Works through evaluations as long as the platform runs, in a thread of its own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from governance.clock import Clock, utc_now
from governance.errors import InvalidEvaluation
from governance.evaluation_runs import Run
from governance.inventory import KnowsModels
from governance.model_guard import AskedBy, ModelGuard
from governance.people import PeopleStore
from governance.permissions import Permission, decide
from rag.workflow import Evaluations
from web.parts import Platform

LOOK_EVERY_S = 1.0
# A question under way is let finish so long; cut off, it is asked again after the next start.
GRACE_S = 10.0

log = structlog.get_logger(__name__)


def admission(
    people: PeopleStore, guard: ModelGuard, known: KnowsModels, clock: Clock = utc_now
) -> Callable[[Run], None]:
    """What is asked before each question of a run; it raises GovernanceError where it must end."""

    def admit(run: Run) -> None:
        now, actor = clock(), run.actor
        if actor.person_id is not None:
            who = people.principal(actor.person_id, actor.auth)
            if not decide(who, Permission.EVALUATIONS_MANAGE, run.department_id, now).allowed:
                raise InvalidEvaluation(
                    "Whoever started this evaluation may not do so any more.",
                    "Somebody who may can start it again.",
                )
        model = known.find(run.configuration["chat_model"])
        if model is None:
            raise InvalidEvaluation("The model is not installed any more.", "Install it again.")
        guard.require(model, AskedBy(actor, run.department_id, "evaluation", run.id), now)

    return admit


def tell_gates(platform: Platform) -> None:
    """Say in the log where what answers now has not passed the gate of a department."""
    for place in platform.policies.departments():
        told = platform.evaluations.decision(place.id, platform.clock())
        if told.reasons:
            log.warning(
                "what answers in a department has not passed its gate",
                department=place.name,
                standing=told.standing.value,
                reasons=list(told.reasons),
            )


@contextmanager
def evaluating(evaluations: Evaluations) -> Iterator[None]:
    """Look for open runs again and again, for the length of the block."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            try:
                evaluations.work(stop.is_set)
            except Exception:
                log.exception("evaluations could not go on and are tried again")
            stop.wait(LOOK_EVERY_S)

    # A daemon, for a model that reads a long prompt cannot be asked to end.
    thread = threading.Thread(target=run, name="evaluations", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(GRACE_S)
        if thread.is_alive():
            log.warning("a question of an evaluation is asked again after the next start")
