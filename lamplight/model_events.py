"""What the runtime's gate writes into the trail. Pure; names, digests and counts, never a text."""

from governance.events import SYSTEM, Action, Actor, Event, Fact, actor_of
from runtime.api.gate import Change, Use, Visit, Visitor
from runtime.store import InstalledModel

# The actor of a request that showed nobody: its refusal is recorded, too.
UNIDENTIFIED = Actor("runtime", "unidentified", "none")
CHANGES = {
    "pull": Action.MODEL_PULLED,
    "create": Action.MODEL_CREATED,
    "copy": Action.MODEL_COPIED,
    "delete": Action.MODEL_DELETED,
    "push": Action.MODEL_PUSHED,
    "upload": Action.MODEL_UPLOADED,
}


def used(visit: Visit, use: Use) -> Event:
    """A model worked for somebody."""
    visitor = visit.visitor
    return Event(
        Action.MODEL_USED,
        actor_of(visitor.principal),
        department_id=visitor.principal.department_id,
        object_type="model",
        object_id=use.model,
        digest=use.digest,
        outcome=use.outcome,
        reason=use.reason,
        request_id=visitor.request_id,
        facts={
            "endpoint": visit.endpoint,
            "prompt_tokens": use.prompt_tokens,
            "answer_tokens": use.answer_tokens,
        },
    )


def changed(visit: Visit, change: Change) -> Event:
    """Somebody changed a model, or tried to."""
    return Event(
        CHANGES.get(change.verb, Action.ACCESS_DENIED),
        actor_of(visit.visitor.principal),
        object_type="model",
        object_id=change.model,
        digest=change.digest,
        outcome=change.outcome,
        reason=change.reason,
        request_id=visit.visitor.request_id,
        facts={"endpoint": visit.endpoint},
    )


def denied(visitor: Visitor, endpoint: str, reason: str, **facts: Fact) -> Event:
    """Somebody known was refused."""
    return Event(
        Action.ACCESS_DENIED,
        actor_of(visitor.principal),
        department_id=visitor.principal.department_id,
        object_type="endpoint",
        object_id=endpoint,
        outcome="refused",
        reason=reason,
        request_id=visitor.request_id,
        facts=facts,
    )


def not_identified(shown: str, left_out: int) -> Event:
    """Somebody unknown was refused. left_out: earlier ones that have no event of their own."""
    return Event(
        Action.ACCESS_DENIED,
        UNIDENTIFIED,
        object_type="endpoint",
        outcome="refused",
        reason=f"It showed {shown}.",
        facts={"left_out": left_out},
    )


def quarantined(model: InstalledModel) -> Event:
    """A model was set aside, because its process kept ending."""
    return _of_model(Action.MODEL_QUARANTINED, SYSTEM, model, {})


def released(actor: Actor, model: InstalledModel) -> Event:
    """Somebody let a model be loaded again."""
    return _of_model(Action.MODEL_RELEASED, actor, model, {})


def damaged(model: InstalledModel, blob: str) -> Event:
    """A file of a model is not what its name says."""
    return _of_model(Action.MODEL_DAMAGED, SYSTEM, model, {"blob": blob})


def _of_model(action: Action, actor: Actor, model: InstalledModel, facts: dict[str, Fact]) -> Event:
    return Event(
        action,
        actor,
        object_type="model",
        object_id=str(model.name),
        digest=model.manifest.digest,
        outcome="failed" if action is Action.MODEL_DAMAGED else "done",
        facts=facts,
    )
