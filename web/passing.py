"""Passes requests on to the runtime for a caller: charged, recorded, ended with the right.

The runtime believes the platform's own key and neither counts nor records what comes with it, so
that happens here. What a model really took is read from the runtime's own count where it tells one.
"""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from anyio import CancelScope
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from governance.errors import IllegalTransition
from governance.events import Action, Event
from governance.permissions import Permission
from rag.asker import Asker
from web.allowed import while_allowed
from web.asking import renewal, right_check, tokens_of
from web.caller import Caller
from web.errors import AccessEnded
from web.limit_headers import limit_headers
from web.parts import Platform
from web.problems import problem_of
from web.sse import EventStream, event_bytes

Send = Callable[[bytes, Asker], Awaitable[Response]]
# What a client does not bound itself.
USUAL_ANSWER_TOKENS = 1024
# So much of the end of an answer is looked at for the runtime's count.
TAIL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Errand:
    """One request on its way to the runtime."""

    caller: Caller
    model: str
    reservation_id: str
    tokens: int


class Passing:
    """What `/v1` hands on to the runtime."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def send(self, caller: Caller, raw: bytes, body: dict[str, Any], send: Send) -> Response:
        """The runtime's answer. Raises Forbidden, QuotaExceeded, RuntimeSilent."""
        errand, headers = await run_in_threadpool(self._admit, caller, raw, body)
        try:
            answer = await send(raw, caller.asker(caller.principal.department_id))
        except BaseException:
            with CancelScope(shield=True):
                await run_in_threadpool(self._end, errand, "failed", 0)
            raise
        if not isinstance(answer, StreamingResponse):
            raise TypeError(f"not a stream: {type(answer).__name__}")
        stream = self._watched(errand, answer)
        if isinstance(answer, EventStream):
            return EventStream(stream, headers)
        return StreamingResponse(stream, answer.status_code, headers, answer.media_type)

    def _admit(
        self, caller: Caller, raw: bytes, body: dict[str, Any]
    ) -> tuple[Errand, dict[str, str]]:
        caller.require(Permission.MODELS_USE, None)
        now, who = self._platform.clock(), (caller.principal.person_id, _place(caller))
        tokens = tokens_of(raw.decode("utf-8", "replace")) + answer_tokens(body)
        reservation = self._platform.quotas.reserve(*who, tokens, now)
        headers = limit_headers(self._platform.quotas.left(*who, now))
        return Errand(caller, str(body.get("model", "")), reservation.id, tokens), headers

    async def _watched(
        self, errand: Errand, answer: StreamingResponse
    ) -> AsyncGenerator[bytes, None]:
        outcome, tail, is_stream = "failed", b"", isinstance(answer, EventStream)
        check = right_check(errand.caller, Permission.MODELS_USE, None)
        renew = renewal(self._platform, errand.reservation_id)

        def check_and_renew() -> None:
            check()
            renew()

        chunks = while_allowed(
            _chunks(answer), check_and_renew, self._platform.settings.rights_checked_every_s
        )
        try:
            async for chunk in chunks:
                tail = (tail + chunk)[-TAIL_BYTES:]
                yield chunk
            outcome = "done" if answer.status_code < 400 else "refused"
        except AccessEnded as error:
            if not is_stream:
                raise  # half an answer must not look like a whole one
            problem = problem_of(error)
            fault = {"message": problem.message, "type": problem.type, "code": problem.type}
            yield event_bytes(json.dumps({"error": fault}))
        finally:
            with CancelScope(shield=True):
                await chunks.aclose()
                used = (counted_tokens(tail) or errand.tokens) if outcome != "refused" else 0
                await run_in_threadpool(self._end, errand, outcome, used)

    def _end(self, errand: Errand, outcome: str, tokens: int) -> None:
        caller = errand.caller
        caller.note(
            Event(
                Action.MODEL_USED,
                caller.actor,
                _place(caller),
                object_type="model",
                object_id=errand.model[:120],
                outcome=outcome,
                request_id=caller.request_id,
                facts={"tokens": tokens},
            )
        )
        if tokens == 0:
            self._platform.quotas.release(errand.reservation_id)
            return
        with suppress(IllegalTransition):  # its room was given back; the event says what was used
            self._platform.quotas.settle(errand.reservation_id, tokens)


def answer_tokens(body: dict[str, Any]) -> int:
    """How long an answer a request allows."""
    asked = body.get("max_completion_tokens", body.get("max_tokens"))
    is_number = isinstance(asked, int) and not isinstance(asked, bool) and asked > 0
    if "messages" not in body:
        return 0
    return int(asked) if is_number and asked is not None else USUAL_ANSWER_TOKENS


def counted_tokens(tail: bytes) -> int:
    """The runtime's own count in the end of its answer, or 0."""
    _, found, rest = tail.decode("utf-8", "replace").rpartition('"total_tokens"')
    digits = rest.lstrip(" :")
    number = digits[: len(digits) - len(digits.lstrip("0123456789"))]
    return int(number) if found and number else 0


async def _chunks(answer: StreamingResponse) -> AsyncGenerator[bytes, None]:
    body = answer.body_iterator
    try:
        async for chunk in body:
            yield chunk if isinstance(chunk, bytes) else bytes(str(chunk), "utf-8")
    finally:
        # Closing it is what stops the model; nobody else does when the reader goes away.
        if isinstance(body, AsyncGenerator):
            await body.aclose()


def _place(caller: Caller) -> str | None:
    """The department of a request that names none: that of its key."""
    return caller.principal.department_id
