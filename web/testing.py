"""What the tests of the pages share: a running site, and an assistant that says what they want."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import httpx

from governance.basis import Basis
from governance.clock import utc_now
from governance.dossier import Origin
from governance.events import Actor
from governance.inventory import InstalledModel
from governance.model_guard import NamedModel
from governance.permissions import Permission, decide
from governance.policies import PassageRecord
from governance.sessions import digest_of
from rag.asker import NOBODY, Asker
from rag.errors import AnswerCutShort, RuntimeUnreachable
from rag.events import Answered, AskEvent, Checks, PassagesFound, TokenReleased
from rag.schema import Answer, AnswerStatus, Citation, Passage, Turn
from rag.tally import Counted, Tally
from web.parts import Platform
from web.session_cookie import PLAIN_NAME

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page

GATE_POLL_S = 0.01
SAY_VIOLATIONS = """addEventListener('securitypolicyviolation', (event) => console.error(
    `policy violated: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`))"""
PROMPT = "Answer from these passages."
COUNTED = Counted(prompt_tokens=301, answer_tokens=46)
MODEL = {"name": "scripted", "digest": "0" * 64}


@dataclass
class ScriptedOperations:
    """Does nothing to the platform, and remembers who wanted what."""

    asked: list[tuple[str, Actor]] = field(default_factory=list)

    def rebuild_index(self, actor: Actor) -> int:
        """Say that three passages were written."""
        self.asked.append(("rebuild", actor))
        return 3

    def rotate_key(self, actor: Actor) -> dict[str, Any]:
        """Change nothing."""
        self.asked.append(("rotate", actor))
        return {"old": "test+1", "new": "test+2", "resumed": False}

    def back_up(self, actor: Actor, destination: Path, *, with_keys: bool) -> dict[str, Any]:
        """Name the place and write nothing there."""
        self.asked.append((f"back up to {destination}", actor))
        return {"files": 0, "keys": with_keys}


@dataclass
class ScriptedModels:
    """What is installed, as a test wants it: two models of the catalogue and one from a file."""

    models: dict[str, InstalledModel] = field(
        default_factory=lambda: {
            name: InstalledModel(digest * 64, (name,), digest != "c", "Apache-2.0", 98_000_000)
            for name, digest in (("chat", "a"), ("embed", "b"), ("brought", "c"))
        }
    )
    # What approvals are decided on besides the model; a test may change it.
    holds: dict[str, str] = field(default_factory=lambda: {"retrieval": "1", "embedding": "b" * 64})

    def find(self, name: str, *, embeds: bool = False) -> NamedModel | None:
        """The model of this name."""
        del embeds
        found = self.models.get(name.removesuffix(":latest"))
        return None if found is None else NamedModel(name, found.digest, found.pinned)

    def installed(self) -> Sequence[InstalledModel]:
        """All of them."""
        return tuple(self.models.values())

    def origin(self, digest: str) -> Origin:
        """Of some file."""
        del digest
        return Origin("f" * 64, "7" * 64, "8" * 64, "Q4_K_M", "", "Apache-2.0")

    def basis(self) -> Basis:
        """What approvals are decided on."""
        return dict(self.holds)


@dataclass
class ScriptedAssistant:
    """Answers by the words of the question; `gate` holds it between two steps.

    `nowhere` is not found, `silent` meets a runtime that is down, `broken` ends in the middle,
    `slow` waits for the gate before each sentence, `vanish` waits for it and then breaks the
    stream as a fault of ours would; anything else is answered.
    """

    passages: Sequence[Passage] = ()
    gate: Event = field(default_factory=Event)
    stopped: list[str] = field(default_factory=list)
    askers: list[Asker] = field(default_factory=list)
    conversations: list[tuple[Turn, ...]] = field(default_factory=list)

    async def search(
        self,
        query: str,
        department: str,
        k: int | None = None,
        asker: Asker = NOBODY,
        as_of: datetime | None = None,
    ) -> tuple[Passage, ...]:
        """The passages of the department, in the order they were given."""
        del as_of
        self.askers.append(asker)
        if "silent" in query:
            raise RuntimeUnreachable("http://127.0.0.1:9/v1")
        return self._found(department)[:k]

    async def ask(
        self,
        question: str,
        department: str,
        asker: Asker = NOBODY,
        tally: Tally | None = None,
        as_of: datetime | None = None,
        earlier: Sequence[Turn] = (),
    ) -> AsyncGenerator[AskEvent, None]:
        """The script for this question."""
        del as_of
        self.conversations.append(tuple(earlier))
        self.askers.append(asker)
        try:
            async for event in self._script(question, department, tally or Tally()):
                yield event
        finally:
            self.stopped.append(question)

    async def _script(
        self, question: str, department: str, tally: Tally
    ) -> AsyncIterator[AskEvent]:
        found = self._found(department)
        yield PassagesFound(found)
        if "silent" in question:
            raise RuntimeUnreachable("http://127.0.0.1:9/v1")
        if "nowhere" in question or not found:
            yield Answered(_answer(AnswerStatus.NOT_FOUND, "", (), found))
            return
        tally.begin(PROMPT)
        citations = tuple(_citation(passage, n) for n, passage in enumerate(found[:2], 1))
        text = ""
        for n, citation in enumerate(citations, 1):
            if "slow" in question:
                await self._held()
            sentence = f"{citation.quote.rstrip('.')} [{n}]. "
            text += sentence
            tally.hear(sentence, None)
            yield TokenReleased(sentence)
            if "broken" in question:
                raise AnswerCutShort
            if "vanish" in question:
                await self._held()
                raise ConnectionError("the server's own fault")
        tally.hear("", COUNTED)
        answer = _answer(AnswerStatus.ANSWERED, text.strip(), citations, found)
        yield Answered(answer, Checks(released=len(citations), dropped=1, confidence=0.83))

    async def _held(self) -> None:
        # The gate is opened by another thread, which no event of asyncio allows.
        while not self.gate.is_set():  # noqa: ASYNC110
            await asyncio.sleep(GATE_POLL_S)

    def _found(self, department: str) -> tuple[Passage, ...]:
        return tuple(passage for passage in self.passages if passage.department == department)


@dataclass
class MovableClock:
    """Tells the real time, and as much later as a test has moved it."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        """This moment."""
        return utc_now() + self.ahead


@dataclass
class Site:
    """The running platform and the parts that tests look into.

    people: the ids of the people by what they are (`editor`, `staff`, …). foreign: a document of a
    department where only `outsider` and the administrator have rights. welcome: the path of a link
    for the first administrator, which came to nothing.
    """

    url: str
    platform: Platform
    vials: str
    hands: str
    foreign: str = ""
    welcome: str = ""
    people: Mapping[str, str] = field(default_factory=dict)
    clock: MovableClock = field(default_factory=MovableClock)

    @property
    def assistant(self) -> ScriptedAssistant:
        """The assistant, to look at or to hold back."""
        assert isinstance(self.platform.assistant, ScriptedAssistant)
        return self.platform.assistant

    def session(self, who: str) -> str:
        """The token of a new session of this person."""
        person = self.platform.people.person(self.people[who])
        actor = Actor(person.issuer, person.subject, "password", person.id)
        now = self.clock()
        return self.platform.sessions.start(actor, person.id, "password", "a test", now)

    def cookies(self, who: str) -> list[Any]:
        """What a browser has once this person has signed in."""
        return [{"name": PLAIN_NAME, "value": self.session(who), "url": self.url}]

    def csrf(self, token: str) -> str:
        """What the forms of the session with this token bring along."""
        return self.platform.sessions.csrf_token(digest_of(token))

    def key(self, who: str, scopes: Collection[Permission] | None = None, days: float = 1.0) -> str:
        """A new key of this person, with every right that they have in Pharmacy."""
        person_id = self.people[who]
        principal = self.platform.people.principal(person_id, "key")
        now = self.clock()
        place = self.platform.policies.department("Pharmacy").id
        held = [one for one in Permission if decide(principal, one, place, now).allowed]
        actor, end = Actor("local", "owner", "socket"), now + timedelta(days=days)
        chosen = held if scopes is None else scopes
        return self.platform.keys.create(actor, person_id, who, chosen, None, end, now)[1]

    def client(self, who: str) -> httpx.Client:
        """A client with a session of this person; it follows nothing by itself."""
        token = self.session(who)
        client = httpx.Client(base_url=self.url, timeout=30.0)
        client.cookies.set(PLAIN_NAME, token)
        client.headers["X-CSRF-Token"] = self.csrf(token)
        return client


def faults_of(page: "Page") -> list[str]:
    """What goes wrong in a page from now on, while it happens.

    Errors of scripts, complaints of the browser, and whatever breaks the content security policy.
    """
    faults: list[str] = []

    def hear(message: "ConsoleMessage") -> None:
        if is_fault(message):
            faults.append(message.text)

    page.add_init_script(SAY_VIOLATIONS)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", hear)
    return faults


def is_fault(message: "ConsoleMessage") -> bool:
    """Whether the browser complains about the page itself.

    An error status is only an answer, and a broken stream is what one test is about.
    """
    expected = ("Failed to load resource", "htmx: htmx:sse:error: network error")
    return message.type == "error" and not message.text.startswith(expected)


def passage_of(record: PassageRecord, score: float = 1.0) -> Passage:
    """A passage of the record as search returns it."""
    url = (
        f"/documents/{record.document_id}/versions/{record.version}"
        f"?passage={record.passage_id}#p{record.page_from}"
    )
    return Passage(
        passage_id=record.passage_id,
        document_id=record.document_id,
        policy_number=record.policy_number,
        title=record.title,
        version=record.version,
        department=record.department,
        section=record.section,
        page_from=record.page_from,
        page_to=record.page_to,
        score=score,
        text=record.text,
        url=url,
        effective_from=_iso(record.effective_from),
        review_due=_iso(record.review_due),
    )


def _citation(passage: Passage, marker: int) -> Citation:
    quote = passage.text.partition("\n")[0].partition(". ")[0]
    place = f"&from=0&to={len(quote)}#"
    return Citation(
        marker=marker,
        passage_id=passage.passage_id,
        document_id=passage.document_id,
        policy_number=passage.policy_number,
        title=passage.title,
        version=passage.version,
        department=passage.department,
        section=passage.section,
        page_from=passage.page_from,
        page_to=passage.page_to,
        url=passage.url.replace("#", place),
        quote=quote,
        effective_from=passage.effective_from,
        review_due=passage.review_due,
    )


def _answer(
    status: AnswerStatus,
    text: str,
    citations: tuple[Citation, ...],
    passages: tuple[Passage, ...],
) -> Answer:
    timings = {"search": 1, "first_token": 2, "total": 3}
    return Answer("scripted", status, text, citations, passages, MODEL, "test", timings)


def _iso(value: date | None) -> str | None:
    return value.isoformat() if value else None
