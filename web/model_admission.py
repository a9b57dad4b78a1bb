"""Asks, before the platform calls a model and again while it answers, whether it may (APR-2).

The runtime asks as well, at its own gate. Either is enough alone, so that a mistake in one is no
hole; a server that is not our runtime has only this one.
"""

from collections.abc import Callable
from datetime import timedelta

from governance.errors import ModelNotApproved
from governance.model_guard import AskedBy, NamedModel
from web.caller import Caller
from web.errors import AccessEnded
from web.parts import Platform

# An answer is checked at every word, which would be too often for a look at what is approved; a
# revoked approval ends it within two seconds (APR-3).
LOOK_EVERY = timedelta(milliseconds=500)


def admit_model(
    platform: Platform, caller: Caller, department_id: str, name: str, *, embeds: bool = False
) -> NamedModel | None:
    """The model of this name, if it may work for them. Raises ModelNotApproved.

    None where our own runtime does not have it, and will say so.
    """
    found = platform.models.known.find(name, embeds=embeds)
    if found is not None:
        by = AskedBy(caller.actor, department_id, "platform", caller.request_id)
        platform.models.guard.require(found, by, platform.clock())
    return found


def model_check(
    platform: Platform, caller: Caller, department_id: str, name: str, *, embeds: bool = False
) -> Callable[[], None]:
    """What an answer under way asks again and again; it raises AccessEnded."""

    looked = [platform.clock()]

    def check() -> None:
        now = platform.clock()
        if timedelta(0) <= now - looked[0] < LOOK_EVERY:
            return
        looked[0] = now
        try:
            admit_model(platform, caller, department_id, name, embeds=embeds)
        except ModelNotApproved as error:
            raise AccessEnded(error.message) from error

    return check
