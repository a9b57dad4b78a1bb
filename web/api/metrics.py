"""`/metrics`: what somebody should be called for, in Prometheus' text format.

Each is a gauge that is 0 while all is well. Nothing here names a person, a department or a text.
"""

from collections.abc import Mapping

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from governance.audit.verdict import Code
from governance.permissions import Permission
from web.caller import caller_of
from web.errors import RuntimeSilent
from web.parts import Platform

MEDIA_TYPE = "text/plain; version=0.0.4"
HELP: Mapping[str, str] = {
    "lamplight_audit_blocked": "1 while the audit trail cannot be written.",
    "lamplight_audit_refused": "Acts refused since the audit trail could last be written.",
    "lamplight_audit_signing_failed": "1 while the audit trail cannot be signed.",
    "lamplight_audit_check_failed": "1 if the last check found the audit trail not whole.",
    "lamplight_emergency_access_open": "Emergency accesses that nobody has reviewed.",
    "lamplight_upstreams_down": "Models of other servers of which none would answer.",
    "lamplight_emergency_access_running": "Emergency accesses that have not ended.",
}


class Metrics:
    """The numbers that an alert is made of."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> list[Route]:
        """Where these are."""
        return [Route("/metrics", self.metrics, methods=["GET"])]

    async def metrics(self, request: Request) -> Response:
        """All numbers as they are now."""
        caller_of(request).require(Permission.PLATFORM_OPERATE, None)
        found = await run_in_threadpool(self._numbers) | await self._upstreams()
        return PlainTextResponse(exposition(found), media_type=MEDIA_TYPE)

    async def _upstreams(self) -> dict[str, int]:
        """Nothing is known while the runtime itself is away, which `/readyz` tells."""
        try:
            found = await self._platform.passthrough.upstreams()
        except RuntimeSilent:
            return {}
        return {"lamplight_upstreams_down": sum(not ready for ready in found.values())}

    def _numbers(self) -> dict[str, int]:
        platform, now = self._platform, self._platform.clock()
        checked = platform.trail.checked
        waiting = platform.emergencies.open_reviews(None)
        return {
            "lamplight_audit_blocked": int(platform.record.refused > 0),
            "lamplight_audit_refused": platform.record.refused,
            "lamplight_audit_signing_failed": int(platform.trail.trouble is not None),
            "lamplight_audit_check_failed": int(
                checked is not None and checked.verdict.code is not Code.OK
            ),
            "lamplight_emergency_access_open": len(waiting),
            "lamplight_emergency_access_running": sum(
                one.expires_at is not None and one.expires_at > now for one in waiting
            ),
        }


def exposition(numbers: Mapping[str, int]) -> str:
    """The numbers as Prometheus reads them."""
    lines = (
        f"# HELP {name} {HELP[name]}\n# TYPE {name} gauge\n{name} {number}\n"
        for name, number in numbers.items()
    )
    return "".join(lines)
