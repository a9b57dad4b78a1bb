"""Runs a question from its admission to its record: the one way to the assistant.

A question is admitted when its caller may ask there and the limits have room for it; the room is
reserved. While it is answered the caller's right is read again and again. It is recorded and
charged before its last event is passed on, so no finished answer is seen that the record does not
know; one that was broken off is recorded as that, and what was not begun is not charged.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import uuid4

from anyio import CancelScope
from starlette.concurrency import run_in_threadpool

from governance.charges import Charge
from governance.permissions import Permission
from governance.policies import Department
from governance.questions import AskedRecord, Channel, PassageUsed, QuestionStatus
from rag.errors import AnswerCutShort
from rag.events import Answered, AskEvent, Checks, PassagesFound, TokenReleased
from rag.schema import Answer, Passage, Turn
from rag.tally import Tally, tokens_of
from web.allowed import while_allowed
from web.caller import Caller
from web.errors import AccessEnded, Forbidden, NotSignedIn, PolicyChanged, SessionLocked
from web.limit_headers import limit_headers
from web.model_admission import admit_model, model_check
from web.parts import Platform

RENEW_EVERY = timedelta(minutes=1)
# Reserved for what the prompt says beside question and passages.
INSTRUCTION_TOKENS = 200


@dataclass(frozen=True, slots=True)
class Admitted:
    """A question that may be asked: who, where, by which way, and the room kept for it.

    as_of: it is answered from what was, or will be, in force then; None is now. earlier: the
    conversation that it goes on with.
    """

    id: str
    caller: Caller
    question: str
    department: Department
    channel: Channel
    reservation_id: str
    headers: dict[str, str]
    as_of: datetime | None = None
    earlier: tuple[Turn, ...] = ()


@dataclass(slots=True)
class Seen:
    """What is known of an answer under way."""

    passages: tuple[Passage, ...] = ()
    version_ids: dict[str, str] = field(default_factory=dict)
    text: str = ""
    answer: Answer | None = None
    checks: Checks = field(default_factory=Checks)
    tally: Tally = field(default_factory=Tally)


class Asking:
    """Admits, watches, records and charges questions."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def admit(
        self,
        caller: Caller,
        question: str,
        department: Department,
        channel: Channel,
        as_of: datetime | None = None,
        earlier: tuple[Turn, ...] = (),
    ) -> Admitted:
        """Let a question in. Raises Forbidden, ModelNotApproved, QuotaExceeded.

        as_of: answer from what was, or will be, in force then. earlier: the conversation before it.
        """
        read = "".join([question, *(f"{one.question}{one.answer}" for one in earlier)])
        admitted = await run_in_threadpool(self._admit, caller, read, department, channel)
        return replace(admitted, question=question, as_of=as_of, earlier=earlier)

    async def events(self, admitted: Admitted) -> AsyncGenerator[AskEvent, None]:
        """What happens while the question is answered.

        Raises RagError, AccessEnded, PolicyChanged. Closing it stops the model and records that it
        was stopped.
        """
        seen, status, is_recorded = Seen(), QuestionStatus.ABORTED, False
        try:
            async with aclosing(self._watched(admitted, seen)) as events:
                async for event in events:
                    if isinstance(event, Answered):
                        # One id for the answer and for its record.
                        event = replace(event, answer=replace(event.answer, id=admitted.id))
                        status = QuestionStatus(event.answer.status.value)
                    await self._see(seen, event, admitted)
                    if isinstance(event, Answered):
                        is_recorded = True
                        await run_in_threadpool(self._record, admitted, status, seen)
                    yield event
            status = QuestionStatus.FAILED  # it ended without a last event
        except (AccessEnded, GeneratorExit):
            raise
        except Exception:
            status = QuestionStatus.FAILED
            raise
        finally:
            if not is_recorded:
                # Shielded: whoever went away must not take the record of their question along.
                with CancelScope(shield=True):
                    await run_in_threadpool(self._record, admitted, status, seen)

    async def answer(self, admitted: Admitted) -> Answer:
        """The finished answer. Raises RagError, AccessEnded, PolicyChanged."""
        return (await self.answered(admitted)).answer

    async def answered(self, admitted: Admitted) -> Answered:
        """The same with what it took. Raises RagError, AccessEnded, PolicyChanged."""
        async with aclosing(self.events(admitted)) as events:
            async for event in events:
                if isinstance(event, Answered):
                    return event
        raise AnswerCutShort

    def _admit(
        self, caller: Caller, question: str, department: Department, channel: Channel
    ) -> Admitted:
        caller.require(Permission.POLICIES_ASK, department.id)
        platform, now = self._platform, self._platform.clock()
        rag = platform.rag_settings
        platform.evaluations.admit(department.id, now)
        admit_model(platform, caller, department.id, rag.chat_model)
        tokens = rag.prompt_tokens + rag.answer_tokens + INSTRUCTION_TOKENS + tokens_of(question)
        who = (caller.principal.person_id, department.id)
        reservation = platform.quotas.reserve(*who, tokens, now)
        headers = limit_headers(platform.quotas.left(*who, now))
        return Admitted(uuid4().hex, caller, question, department, channel, reservation.id, headers)

    def _watched(self, admitted: Admitted, seen: Seen) -> AsyncGenerator[AskEvent, None]:
        department = admitted.department
        events = self._platform.assistant.ask(
            admitted.question,
            department.name,
            admitted.caller.asker(department.id),
            seen.tally,
            admitted.as_of,
            admitted.earlier,
        )
        check = right_check(admitted.caller, Permission.POLICIES_ASK, department.id)
        renew = renewal(self._platform, admitted.reservation_id)
        model = self._platform.rag_settings.chat_model
        check_model = model_check(self._platform, admitted.caller, department.id, model)

        def check_and_renew() -> None:
            check()
            check_model()
            self._check_versions(admitted, seen)
            renew()

        return while_allowed(
            events, check_and_renew, self._platform.settings.rights_checked_every_s
        )

    async def _see(self, seen: Seen, event: AskEvent, admitted: Admitted) -> None:
        match event:
            case PassagesFound(passages):
                seen.passages = passages
                # Now, because a version can be gone before the answer is finished.
                seen.version_ids = await run_in_threadpool(self._versions, admitted, passages)
            case TokenReleased(text):
                seen.text += text
            case Answered(answer, checks):
                # Once more, after the last word and before the record.
                await run_in_threadpool(self._check_versions, admitted, seen)
                seen.answer, seen.checks = answer, checks

    def _check_versions(self, admitted: Admitted, seen: Seen) -> None:
        """Raise PolicyChanged if a version went out of force since its passages were found."""
        used = set(seen.version_ids.values())
        found = len(seen.version_ids) == len(seen.passages)
        if found and used <= self._platform.policies.still_in_force(used, admitted.as_of):
            return
        raise PolicyChanged

    def _versions(self, admitted: Admitted, passages: Sequence[Passage]) -> dict[str, str]:
        ids = [one.passage_id for one in passages]
        find = self._platform.policies.passages_in_force
        found = find(ids, admitted.department.name, admitted.as_of)
        return {passage_id: one.version_id for passage_id, one in found.items()}

    def _record(self, admitted: Admitted, status: QuestionStatus, seen: Seen) -> None:
        """Record the question together with its charge."""
        used = tokens_used(admitted.question, status, seen)
        self._platform.questions.record_answer(
            admitted.caller.actor,
            _record_of(admitted, status, seen, used or 0),
            self._platform.clock(),
            Charge(admitted.reservation_id, used),
        )


def right_check(
    caller: Caller, permission: Permission, department_id: str | None
) -> Callable[[], None]:
    """What an open stream asks again and again; it raises AccessEnded."""

    def check() -> None:
        try:
            caller.again().require(permission, department_id)
        except (NotSignedIn, SessionLocked, Forbidden) as error:
            reason = "The right was withdrawn." if isinstance(error, Forbidden) else error.message
            raise AccessEnded(reason) from error

    return check


def renewal(platform: Platform, reservation_id: str) -> Callable[[], None]:
    """Keeps the room of a long answer; to be called now and then."""
    renewed: list[datetime] = [platform.clock()]

    def renew() -> None:
        now = platform.clock()
        if now - renewed[0] >= RENEW_EVERY:
            renewed[0] = now
            platform.quotas.renew(reservation_id, now)

    return renew


def tokens_used(question: str, status: QuestionStatus, seen: Seen) -> int | None:
    """How many tokens a question took, by the runtime's count where it tells one.

    None where the question costs nothing.
    """
    tally = seen.tally
    failed_at_once = status is QuestionStatus.FAILED and not tally.answer_chars
    if tally.began and not failed_at_once:
        return tally.tokens
    # Found nothing to answer from: only the search has read the question.
    return tokens_of(question) if seen.answer is not None else None


def _record_of(admitted: Admitted, status: QuestionStatus, seen: Seen, tokens: int) -> AskedRecord:
    answer = seen.answer
    return AskedRecord(
        department_id=admitted.department.id,
        person_id=admitted.caller.principal.person_id,
        channel=admitted.channel,
        status=status,
        question=admitted.question,
        answer=answer.answer if answer else seen.text,
        passages=tuple(_passage_used(one, seen.version_ids) for one in seen.passages),
        model=answer.model.get("name") if answer else None,
        model_digest=answer.model.get("digest") if answer else None,
        prompt_version=answer.prompt_version if answer else None,
        checks={name: value for name, value in asdict(seen.checks).items() if value is not None},
        timings_ms=dict(answer.timings_ms) if answer else {},
        tokens=tokens,
        request_id=admitted.caller.request_id,
        question_id=admitted.id,
    )


def _passage_used(passage: Passage, version_ids: dict[str, str]) -> PassageUsed:
    # A version that went out of force between search and record is named by what is left of it.
    version_id = version_ids.get(passage.passage_id, f"{passage.document_id}/{passage.version}")
    digest = sha256(passage.text.encode(errors="surrogatepass")).hexdigest()
    return PassageUsed(passage.passage_id, digest, version_id)
