"""What a walk over the routes is done with: somebody of each role, and new things to do it to."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from governance.data_classes import DataClass
from governance.events import SYSTEM, Actor
from governance.people import Person
from governance.permissions import Role
from governance.retention_rules import RetentionMode
from governance.risks import Risk
from governance.testing_approvals import proposal
from governance.watched_folders import LookedAt
from ingest.testing import load_in_force
from web.testing import Site

PATIENCE_S = 20
REASON = "A patient has left the ward"


@dataclass
class Hands:
    """What the acts are done with: clients of roles, and new people and things to do them to."""

    site: Site
    stack: ExitStack
    numbers: Iterator[int]

    def client(self, who: str) -> httpx.Client:
        """Somebody who is signed in, or with `owner` the owner of the data directory."""
        if who == "owner":
            transport = httpx.HTTPTransport(uds=str(self.site.platform.admin_socket))
            return self.stack.enter_context(
                httpx.Client(base_url="http://localhost", transport=transport, timeout=30.0)
            )
        return self.stack.enter_context(self.site.client(who))

    def post(self, who: str, path: str, **fields: Any) -> httpx.Response:
        """A form of a page."""
        return self.client(who).post(path, data=fields)

    def api(self, who: str, method: str, path: str, body: object = None) -> httpx.Response:
        """A request of a program with the rights of a person."""
        headers = {"Authorization": f"Bearer {self.site.key(who)}"} if who != "owner" else {}
        client = self.client("owner") if who == "owner" else httpx.Client(base_url=self.site.url)
        with client:
            return client.request(method, path, json=body, headers=headers)

    def person(self, role: Role | None = Role.STAFF) -> Person:
        """Somebody new, in Pharmacy."""
        people = self.site.platform.people
        person = people.create(SYSTEM, "A Newcomer", f"walker-{next(self.numbers)}")
        if role is not None:
            people.grant(SYSTEM, person.id, role, self.place)
        assert isinstance(self.site.people, dict)
        self.site.people["walker"] = person.id
        return people.person(person.id)

    @property
    def place(self) -> str:
        """The id of the department."""
        return self.site.platform.policies.department("Pharmacy").id

    def department(self) -> str:
        """The id of a new department."""
        name = f"Walk {next(self.numbers)}"
        return self.site.platform.policies.create_department(SYSTEM, name).id

    def gold(self) -> str:
        """The id of a new gold question that no policy answers."""
        asked = {"question": f"Walk {next(self.numbers)}?", "answerable": False}
        sent = {"department": "Pharmacy", "questions": [asked]}
        told = self.api("editor", "POST", "/api/v1/gold-questions", sent).json()
        return str(told["question_ids"][0])

    def evaluation(self, *, ended: bool = False) -> str:
        """The id of a new run; one that was open is stopped."""
        runs, now = self.site.platform.evaluations.runs, self.site.clock()
        for run in runs.open_runs():
            runs.stop(SYSTEM, run.id, now)
        self.gold()
        sent = {"department": "Pharmacy", "chat_model": "chat"}
        told = self.api("editor", "POST", "/api/v1/evaluations", sent).json()
        if ended:
            runs.finish(told["id"], {}, now)
        return str(told["id"])

    def document(self) -> str:
        """A new document in force."""
        text = f"# Paper {next(self.numbers)}\n\nKeep it dry at all times.\n"
        department = self.site.platform.policies.department("Pharmacy")
        done = load_in_force(self.site.platform.loader, "paper.md", text.encode(), department)
        self.settle()
        return done.document_id

    def draft(self) -> str:
        """A new document that waits to be submitted."""
        text = f"# Draft {next(self.numbers)}\n\nKeep it dry at all times.\n"
        department = self.site.platform.policies.department("Pharmacy")
        done = self.site.platform.loader.submit(SYSTEM, "draft.md", text.encode(), department)
        self.settle()
        return done.document_id

    def second_draft(self) -> str:
        """A document in force whose second version is a draft."""
        document_id, loader = self.document(), self.site.platform.loader
        text = f"# Paper {next(self.numbers)}\n\nKeep it cold at all times.\n".encode()
        place = self.site.platform.policies.department("Pharmacy")
        loader.submit(SYSTEM, "paper.md", text, place, replaces=document_id)
        self.settle()
        return document_id

    @property
    def share(self) -> Path:
        """The folder below which folders may be watched."""
        return self.site.platform.folders.roots[0]

    def folder(self) -> Path:
        """A new folder that may be watched."""
        folder = self.share / f"walk-{next(self.numbers)}"
        folder.mkdir()
        return folder

    def watched(self, *, asks: bool = False) -> str:
        """The id of a watched folder; asks: a person has to confirm that files are gone."""
        owner, folders = Actor("local", "owner", "socket"), self.site.platform.folders.folders
        added = folders.add(owner, self.place, str(self.folder()))
        if asks:
            folders.save(added.id, LookedAt(self.site.clock(), "All files are gone.", asks=True))
        return added.id

    def missing(self) -> str:
        """The id of a file that is gone, whose policy is in force."""
        document_id, parts = self.document(), self.site.platform.folders
        parts.missing.propose(SYSTEM, document_id, self.place, "/share/paper.md")
        waiting = parts.missing.open([self.place])
        return next(one.id for one in waiting if one.document_id == document_id)

    def settle(self) -> None:
        """Wait until nothing is being loaded."""
        end = time.monotonic() + PATIENCE_S
        while self.site.platform.jobs.open_jobs():
            assert time.monotonic() < end
            time.sleep(0.05)

    def emergency(self, *, ended: bool) -> tuple[str, str]:
        """An emergency access of somebody new: the person's user name and the grant's id."""
        person, clock = self.person(), self.site.clock
        actor = Actor(person.issuer, person.subject, "password", person.id)
        clock.ahead -= timedelta(hours=2) if ended else timedelta(0)
        held = self.site.platform.emergencies.start(
            actor, person.id, self.department(), Role.STAFF, REASON, 15
        )
        clock.ahead = timedelta(0)
        return person.subject, held.id

    def proposal(self) -> str:
        """A department in which the owner has proposed to keep the text of questions."""
        place, owner = self.department(), Actor("local", "owner", "socket")
        full, now = RetentionMode.FULL, self.site.clock()
        self.site.platform.retention.propose(owner, place, full, 30, now)
        return place

    def proposed(self) -> str:
        """The id of a proposal by the owner to approve the model that somebody brought."""
        now, owner = self.site.clock(), Actor("local", "owner", "socket")
        ends = {"not_before": now, "expires_at": now + timedelta(days=1)}
        wanted = proposal(DataClass.PUBLIC, digest="c" * 64, model="brought", **ends)
        return self.site.platform.models.approvals.propose(owner, wanted, now).id

    def approved(self) -> str:
        """The id of one that somebody else has approved."""
        approval_id, person = self.proposed(), self.person(None)
        actor = Actor(person.issuer, person.subject, "password", person.id)
        store = self.site.platform.models.approvals
        return store.approve(actor, approval_id, "A walk", self.site.clock()).id

    def proposal_of(self, model: str) -> dict[str, Any]:
        """A proposal as a program sends it."""
        ends = self.site.clock() + timedelta(days=1)
        texts = {"purposes": "Answers", "evidence": "A test", "reason": "A walk"}
        classes = {"data_classes": ["internal"], "expires_at": ends.isoformat()}
        scored = {"likelihood": 1, "impact": 2, "mitigation": "The passage is shown"}
        risks = [{"risk": str(one), **scored} for one in Risk]
        return {"model": model, "publisher": "A maker", "risks": risks, **texts, **classes}

    def report(self) -> dict[str, Any]:
        """A new result of an evaluation."""
        models = {"model_digests": {"brought": "c" * 64}, "suite_digest": "5" * 64}
        figures = {"retrieval": None, "answers": {"f1": 0.5}, "abstention": None}
        return {"n": next(self.numbers), "config": models, **figures}

    def new_name(self) -> str:
        """The name of a new department."""
        name = f"Walk {next(self.numbers)}"
        return self.site.platform.policies.create_department(SYSTEM, name).name

    def block_of_new(self) -> dict[str, str]:
        """The fields of a block of a new department, which stops nobody else."""
        return {"block-department": self.department(), "block-reason": "A walk"}

    def blocked(self) -> str:
        """The id of a block of a new department."""
        owner, now = Actor("local", "owner", "socket"), self.site.clock()
        blocks = self.site.platform.models.blocks
        return blocks.block(owner, None, self.department(), "A walk", now).id

    def asked(self, question: str = "How long are vials kept?") -> str:
        """A question of the staff whose answer has a page; gives its id."""
        answer = self.post("staff", "/ask", question=question, department="Pharmacy")
        return answer.headers["location"].rpartition("/")[2]

    def feedback(self) -> str:
        """The id of new feedback."""
        asked = self.asked()
        fields = {"verdict": "down", "reason": "wrong"}
        self.post("staff", f"/ask/{asked}/feedback", **fields)
        given = self.site.platform.voices.feedback.of_question(asked)
        assert given is not None
        return given.id

    def gap(self) -> str:
        """The id of a new gap."""
        asked = self.asked(f"nowhere {next(self.numbers)}")
        self.post("staff", f"/ask/{asked}/gap")
        gap = self.site.platform.voices.gaps.of_question(asked)
        assert gap is not None
        return gap.id

    def abbreviation(self) -> str:
        """The id of a new abbreviation."""
        store, number = self.site.platform.voices.abbreviations, next(self.numbers)
        store.add(SYSTEM, self.place, f"W{number}", f"walk {number}", self.site.clock())
        return next(one.id for one in store.listed(self.place) if one.short == f"W{number}")

    def question(self) -> str:
        """A question that was asked."""
        asked = self.api("staff", "POST", "/api/v1/ask", {"question": "How long are vials kept?"})
        return str(asked.json()["id"])

    def key_of(self, who: str) -> str:
        """The id of a new key of somebody."""
        return self.site.key(who).split("_")[1]

    def refused_job(self) -> str:
        """A loading job that came to nothing."""
        department = self.site.platform.policies.department("Pharmacy")
        broken = f"%PDF-1.7\nnothing of a PDF follows {next(self.numbers)}".encode()
        done = self.site.platform.loader.submit(SYSTEM, "broken.pdf", broken, department)
        self.settle()
        assert done.job_id is not None
        return done.job_id
