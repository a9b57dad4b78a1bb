"""Passes requests on to the runtime for a caller: charged, recorded, ended with the right.

The runtime believes the platform's own key and neither counts nor records what comes with it, so
that happens here. What a model really took is read from the runtime's own count where it tells one.
A model that was asked is charged for, also when its reader goes away before the first word.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from anyio import CancelScope
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from governance.charges import Charge
from governance.events import Action, Event
from governance.permissions import Permission
from governance.policies import Department
from rag.asker import Asker
from rag.tally import CHARS_PER_TOKEN, tokens_of
from web.allowed import while_allowed
from web.asking import renewal, right_check
from web.caller import Caller
from web.config import WebSettings
from web.departments import choose
from web.errors import AccessEnded, BadField, DepartmentNeeded
from web.limit_headers import limit_headers
from web.model_admission import admit_model, model_check
from web.parts import Platform
from web.problems import problem_of
from web.sse import EventStream, event_bytes

SendOn = Callable[[bytes, Asker], Awaitable[Response]]
Pieces = AsyncGenerator[bytes, None]
# What a client does not bound itself.
USUAL_ANSWER_TOKENS = 1024
# Ours, and OpenAI's newer name of `max_tokens`, which not every server knows.
NOT_SENT = frozenset({"department", "max_completion_tokens"})
# So much of the end of an answer is looked at for the runtime's count.
TAIL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Errand:
    """One request on its way to the runtime. answer_tokens: the most that it may write.

    digest: of the model, where it is known.
    """

    caller: Caller
    department: Department
    model: str
    digest: str | None
    embeds: bool
    reservation_id: str
    prompt_tokens: int
    answer_tokens: int
    headers: dict[str, str]


class Passing:
    """What `/v1` hands on to the runtime."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def send(
        self, caller: Caller, raw: bytes, body: dict[str, Any], send_on: SendOn
    ) -> Response:
        """The runtime's answer, once its first piece is there.

        Raises Forbidden, UnknownDepartment, NoDepartment, DepartmentNeeded, ModelNotApproved,
        QuotaExceeded, RuntimeSilent.
        """
        errand = await run_in_threadpool(self._admit, caller, raw, body)
        try:
            answer = await send_on(
                bounded(body, errand.answer_tokens), caller.asker(errand.department.id)
            )
        except BaseException as error:
            # Whoever went away meanwhile has made a model work; a runtime that is silent has none.
            gone = isinstance(error, asyncio.CancelledError | GeneratorExit)
            with CancelScope(shield=True):
                used = errand.prompt_tokens if gone else None
                await run_in_threadpool(self._end, errand, "failed", used)
            raise
        if not isinstance(answer, StreamingResponse):
            raise TypeError(f"not a stream: {type(answer).__name__}")
        pieces = self._watched(errand, answer)
        # Begun here: a generator that nobody has begun cannot be closed either.
        first = await anext(pieces, b"")
        if isinstance(answer, EventStream):
            return _Events(first, pieces, errand.headers, self._platform.settings)
        return _Whole(first, pieces, errand.headers, answer)

    def _admit(self, caller: Caller, raw: bytes, body: dict[str, Any]) -> Errand:
        caller.require(Permission.MODELS_USE, None)
        department = _department(caller, body)
        now, who = self._platform.clock(), (caller.principal.person_id, department.id)
        model, embeds = str(body.get("model", "")), "messages" not in body
        found = admit_model(self._platform, caller, department.id, model, embeds=embeds)
        prompt, answer = tokens_of(raw.decode("utf-8", "replace")), answer_tokens(body)
        reservation = self._platform.quotas.reserve(*who, prompt + answer, now)
        headers = limit_headers(self._platform.quotas.left(*who, now))
        return Errand(
            caller,
            department,
            model,
            found.digest if found else None,
            embeds,
            reservation.id,
            prompt,
            answer,
            headers,
        )

    async def _watched(self, errand: Errand, answer: StreamingResponse) -> Pieces:
        outcome, is_stream = "failed", isinstance(answer, EventStream)
        tail, written, held = b"", 0, b""
        chunks = while_allowed(
            _chunks(answer), self._check(errand), self._platform.settings.rights_checked_every_s
        )
        try:
            async for chunk in chunks:
                tail = (tail + chunk)[-TAIL_BYTES:]
                # A runtime sends about one event a token.
                written += chunk.count(b"data:") if is_stream else len(chunk) // CHARS_PER_TOKEN
                if held:
                    yield held
                held = chunk
            outcome = "done" if answer.status_code < 400 else "refused"
        except AccessEnded as error:
            if not is_stream:
                raise  # half an answer must not look like a whole one
            problem = problem_of(error)
            fault = {"message": problem.message, "type": problem.type, "code": problem.type}
            held += event_bytes(json.dumps({"error": fault}))
        finally:
            with CancelScope(shield=True):
                await chunks.aclose()
                used = counted_tokens(tail) or about(errand, written)
                charged = None if outcome == "refused" else used
                await run_in_threadpool(self._end, errand, outcome, charged)
        # The end of an answer is given out once its use is recorded: nobody has all of it before.
        if held:
            yield held

    def _check(self, errand: Errand) -> Callable[[], None]:
        check = right_check(errand.caller, Permission.MODELS_USE, errand.department.id)
        renew = renewal(self._platform, errand.reservation_id)
        check_model = model_check(
            self._platform, errand.caller, errand.department.id, errand.model, embeds=errand.embeds
        )

        def check_and_renew() -> None:
            check()
            check_model()
            renew()

        return check_and_renew

    def _end(self, errand: Errand, outcome: str, tokens: int | None) -> None:
        """Record the use with its charge; None: no model worked."""
        event = Event(
            Action.MODEL_USED,
            errand.caller.actor,
            errand.department.id,
            object_type="model",
            object_id=errand.model[:120],
            digest=errand.digest,
            outcome=outcome,
            request_id=errand.caller.request_id,
            facts={"tokens": tokens or 0},
        )
        self._platform.quotas.record_use(event, Charge(errand.reservation_id, tokens))


class _Events(EventStream):
    """Events that are passed on; the model stops however the response ends."""

    def __init__(
        self, first: bytes, rest: Pieces, headers: dict[str, str], settings: WebSettings
    ) -> None:
        super().__init__(_joined(first, rest), headers, settings)
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        await _then_close(super().__call__(scope, receive, send), self._rest)


class _Whole(StreamingResponse):
    """The same for an answer in one piece."""

    def __init__(
        self, first: bytes, rest: Pieces, headers: dict[str, str], answer: StreamingResponse
    ) -> None:
        super().__init__(_joined(first, rest), answer.status_code, headers, answer.media_type)
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the body."""
        await _then_close(super().__call__(scope, receive, send), self._rest)


async def _then_close(sending: Awaitable[None], pieces: Pieces) -> None:
    try:
        await sending
    finally:
        # Also where not one byte was asked for: only this stops the model and charges it.
        with CancelScope(shield=True):
            await pieces.aclose()


async def _joined(first: bytes, rest: Pieces) -> Pieces:
    if first:
        yield first
    async for piece in rest:
        yield piece


def _department(caller: Caller, body: dict[str, Any]) -> Department:
    """Who is charged: the only department of the caller, or the one that the request names.

    Raises BadField, UnknownDepartment, NoDepartment, DepartmentNeeded.
    """
    wanted = body.get("department")
    if wanted is not None and not isinstance(wanted, str):
        raise BadField("`department` is not a text.", "Write the name of a department.")
    known = caller.departments(Permission.MODELS_USE)
    if not wanted and len(known) > 1:
        names = tuple(one.name for one in known)
        raise DepartmentNeeded(names, "Send it as the field `department` of the request.")
    return choose(known, wanted)


def bounded(body: dict[str, Any], tokens: int) -> bytes:
    """The request as it is sent on: no field of ours, and no longer answer than was reserved."""
    sent = {name: value for name, value in body.items() if name not in NOT_SENT}
    if "messages" in body:
        sent["max_tokens"] = tokens
    return json.dumps(sent).encode()


def answer_tokens(body: dict[str, Any]) -> int:
    """How long an answer a request allows; nothing, null and -1 are no bound."""
    if "messages" not in body:
        return 0
    asked = (body.get(name) for name in ("max_completion_tokens", "max_tokens"))
    given = [one for one in asked if isinstance(one, int) and not isinstance(one, bool) and one > 0]
    return min(given, default=USUAL_ANSWER_TOKENS)


def about(errand: Errand, written: int) -> int:
    """What a model took that nobody counted: the prompt, and what it wrote."""
    return errand.prompt_tokens + written


def counted_tokens(tail: bytes) -> int:
    """The runtime's own count in the end of its answer, or 0."""
    _, found, rest = tail.decode("utf-8", "replace").rpartition('"total_tokens"')
    digits = rest.lstrip(" :")
    number = digits[: len(digits) - len(digits.lstrip("0123456789"))]
    return int(number) if found and number else 0


async def _chunks(answer: StreamingResponse) -> Pieces:
    body = answer.body_iterator
    try:
        async for chunk in body:
            yield chunk if isinstance(chunk, bytes) else bytes(str(chunk), "utf-8")
    finally:
        # Closing it is what stops the model; nobody else does when the reader goes away.
        if isinstance(body, AsyncGenerator):
            await body.aclose()
