"""Models that are not the policies: whose department is charged, and for how much."""

import asyncio
import json
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import httpx
import pytest
from sqlalchemy import select
from starlette.responses import Response
from starlette.types import Message

from governance.errors import QuotaExceeded, TrailBlocked
from governance.events import SYSTEM
from governance.limits import Limit, Period
from governance.permissions import Role
from governance.record.use_tables import usage
from rag.tally import tokens_of
from rag.testing import Script, scripted_runtime
from web.caller import Caller
from web.errors import DepartmentNeeded
from web.passing import USUAL_ANSWER_TOKENS, Passing
from web.passthrough import Passthrough
from web.testing import Site

BODY: dict[str, Any] = {
    "model": "chat",
    "stream": True,
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "Hi"}],
    "department": "Pharmacy",
}
SCOPE = {"type": "http", "asgi": {"spec_version": "2.3"}}
PROMPT = tokens_of(json.dumps(BODY))
Sent = TypeVar("Sent")
Charge = tuple[str, int, int, str | None]


@pytest.fixture
def script() -> Script:
    return Script(["One", " two", " three"])


@pytest.fixture
def both(site: Site) -> str:
    """Somebody new of the staff of both departments; their id."""
    people = site.platform.people
    person = people.create(SYSTEM, "Bo Both", f"both-{len(people.people())}").id
    for name in ("Pharmacy", "Catering"):
        place = site.platform.policies.department(name).id
        people.grant(SYSTEM, person, Role.STAFF, place)
    return person


@pytest.fixture
def caller(site: Site, both: str) -> Caller:
    """The same, as a request finds them."""
    platform = site.platform

    def note(_event: object) -> None:
        raise AssertionError("a use is written with its charge")

    made = Caller(
        platform.people.principal(both, "key"),
        None,
        "",
        platform.policies.departments(),
        "a request",
        again=lambda: made,
        note=note,
        clock=platform.clock,
    )
    return made


@dataclass(frozen=True)
class Line:
    """The way to a runtime whose words the test decides, and who speaks over it."""

    caller: Caller
    passthrough: Passthrough
    passing: Passing

    async def begin(self, **more: object) -> Response:
        body = BODY | more
        raw = json.dumps(body).encode()
        return await self.passing.send(self.caller, raw, body, self.passthrough.chat)

    def run(self, work: Coroutine[Any, Any, Sent]) -> Sent:
        """The result of some work; the connections are closed in the loop that made them."""

        async def run() -> Sent:
            try:
                return await work
            finally:
                await self.passthrough.aclose()

        return asyncio.run(run())

    async def whole(self, **more: object) -> list[Message]:
        return await serve(await self.begin(**more), leaves=False)


@pytest.fixture
def line(site: Site, script: Script, caller: Caller) -> Iterator[Line]:
    with scripted_runtime(script) as url:
        rag = replace(site.platform.rag_settings, chat_url=url, embed_url=url)
        passthrough = Passthrough(site.platform.settings, rag)
        yield Line(caller, passthrough, Passing(site.platform))


def place(site: Site, name: str) -> str:
    return site.platform.policies.department(name).id


def charges(site: Site, person_id: str) -> list[Charge]:
    """State, requests, tokens and department of what somebody was charged."""
    columns = (usage.c.state, usage.c.requests, usage.c.tokens, usage.c.department_id)
    with site.platform.record.read() as connection:
        rows = connection.execute(select(*columns).where(usage.c.person_id == person_id))
        return [(str(row[0]), row[1], row[2], row[3]) for row in rows]


async def serve(answer: Response, *, leaves: bool) -> list[Message]:
    """What goes out to somebody who stays to the end, or is gone before the first byte."""
    sent: list[Message] = []

    async def receive() -> Message:
        if not leaves:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if leaves:
            await asyncio.Event().wait()
        sent.append(message)

    await answer(SCOPE, receive, send)
    return sent


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings"])
def test_qta_1_whoever_has_several_departments_names_one(
    site: Site, administrator: httpx.Client, path: str
) -> None:
    """A clear refusal lists them; a wrong name and a number are refused, too."""
    body: dict[str, Any] = {"model": "chat", "messages": [], "input": "x"}
    refused = administrator.post(path, json=body)
    assert refused.status_code == 422
    error = refused.json()["error"]
    assert error["code"] == "department_needed"
    assert "Use one of: Catering, Pharmacy. Send it as the field `department`" in error["message"]
    assert administrator.post(path, json=body | {"department": "Nobody"}).status_code == 404
    assert administrator.post(path, json=body | {"department": 3}).status_code == 422
    assert administrator.post(path, json=body | {"department": "Catering"}).status_code == 200


def test_qta_1_the_only_department_is_charged_without_a_name(
    site: Site, staff: httpx.Client
) -> None:
    """And another's is not chosen by naming it."""
    body = {"model": "chat", "messages": []}
    before = len(charges(site, site.people["staff"]))
    assert staff.post("/v1/chat/completions", json=body).status_code == 200
    [charge] = charges(site, site.people["staff"])[before:]
    assert (charge[0], charge[1], charge[3]) == ("settled", 1, place(site, "Pharmacy"))
    other = body | {"department": "Catering"}
    assert staff.post("/v1/chat/completions", json=other).status_code == 404


def test_qta_1_a_departments_limit_holds_for_raw_models(
    site: Site, both: str, line: Line, script: Script
) -> None:
    """What one department has used up is still there in the other."""
    limit = Limit(place(site, "Catering"), both, False, Period.DAY, 0, None)
    site.platform.quotas.set_limit(SYSTEM, limit)

    async def run() -> None:
        with pytest.raises(QuotaExceeded):
            await line.begin(department="Catering")
        await serve(await line.begin(), leaves=False)

    line.run(run())
    assert len(script.asked) == 1
    assert [charge[3] for charge in charges(site, both)] == [place(site, "Pharmacy")]


def test_the_department_goes_no_further(line: Line, script: Script) -> None:
    """It is a field of ours; another server might refuse it."""
    line.run(line.whole())
    assert "department" not in script.asked[0]


def test_qta_1_a_stream_without_a_count_is_charged_by_its_events(
    site: Site, both: str, line: Line
) -> None:
    """The prompt, and about one token an event; not all that was reserved."""
    line.run(line.whole())
    [charge] = charges(site, both)
    # Three words, the reason of the end, and [DONE].
    assert charge == ("settled", 1, PROMPT + 5, place(site, "Pharmacy"))


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({"max_tokens": None}, USUAL_ANSWER_TOKENS),
        ({"max_tokens": -1}, USUAL_ANSWER_TOKENS),
        ({"max_tokens": 30_000, "max_completion_tokens": None}, 30_000),
        ({"max_tokens": 30_000, "max_completion_tokens": 7}, 7),
    ],
)
def test_qta_1_a_model_writes_no_more_than_was_reserved(
    line: Line, script: Script, asked: dict[str, object], sent: int
) -> None:
    """However the bound is written, and where there is none."""
    line.run(line.whole(**asked))
    assert script.asked[0]["max_tokens"] == sent
    assert "max_completion_tokens" not in script.asked[0]


def test_qta_1_a_long_answer_is_charged_whole(
    site: Site, both: str, line: Line, script: Script
) -> None:
    """Also where the server wrote more than it was allowed."""
    script.pieces = ["word"] * 200
    line.run(line.whole())
    [(_, _, tokens, _)] = charges(site, both)
    assert tokens >= PROMPT + 200


def test_aud_6_nobody_has_a_whole_answer_that_is_not_recorded(
    site: Site, both: str, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end is given out once the use stands in the trail."""

    def blocked(*_: object) -> None:
        raise TrailBlocked("the disk is full")

    async def run() -> list[Message]:
        answer = await line.begin()
        monkeypatch.setattr(site.platform.quotas, "record_use", blocked)
        sent: list[Message] = []

        async def receive() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Message) -> None:
            sent.append(message)

        with pytest.raises(TrailBlocked):
            await answer(SCOPE, receive, send)
        return sent

    assert b"[DONE]" not in b"".join(one.get("body", b"") for one in line.run(run()))


def test_qta_1_the_runtimes_own_count_is_charged(
    site: Site, both: str, line: Line, script: Script
) -> None:
    """Where the client asked for it."""
    script.counted = (21, 4)
    line.run(line.whole(stream_options={"include_usage": True}))
    assert charges(site, both) == [("settled", 1, 25, place(site, "Pharmacy"))]


def test_qta_1_whoever_hangs_up_before_the_first_byte_is_charged(
    site: Site, both: str, line: Line
) -> None:
    """At least the request and its prompt; the event and the charge are there together."""

    async def run() -> None:
        await serve(await line.begin(), leaves=True)

    line.run(run())
    [(state, requests, tokens, _)] = charges(site, both)
    assert (state, requests) == ("settled", 1)
    assert tokens >= PROMPT


def test_qta_1_whoever_hangs_up_while_the_model_reads_is_charged(
    site: Site, both: str, line: Line, script: Script
) -> None:
    """No piece ever came; the model is stopped."""
    script.piece_delay_s = 30.0

    async def run() -> None:
        waiting = asyncio.ensure_future(line.begin())
        while not script.asked:  # noqa: ASYNC110 - the runtime is in another thread
            await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    line.run(run())
    assert script.cancelled.wait(10)
    assert charges(site, both) == [("settled", 1, PROMPT, place(site, "Pharmacy"))]


def test_qta_1_what_the_runtime_refuses_costs_nothing(
    site: Site, both: str, line: Line, script: Script
) -> None:
    """Its room is given back."""
    script.status = 404
    assert line.run(line.whole())[0]["status"] == 404
    assert [charge[:3] for charge in charges(site, both)] == [("released", 0, 0)]


def test_a_caller_of_several_departments_is_refused_before_anything_is_reserved(
    site: Site, both: str, line: Line
) -> None:
    """By the error that names them."""
    with pytest.raises(DepartmentNeeded, match="several"):
        line.run(line.whole(department=None))
    assert charges(site, both) == []
