"""Gold questions and runs over them, as the pages and the API use them, made in one call."""

from dataclasses import dataclass
from datetime import datetime

from governance.errors import AnswersPaused, InvalidEvaluation
from governance.evaluation_gates import GateMode, GateStore
from governance.evaluation_runs import NewRun, Run, RunStore, digest_of
from governance.events import Actor
from governance.gold_questions import GoldQuestions, suite_digest
from governance.inventory import KnowsModels
from governance.pilot_use import PilotUse
from governance.policies import Department
from governance.record.database import Record
from rag.config import RagSettings
from rag.gate import MARGINS, THRESHOLDS, Decision, Standing, decide
from rag.workflow import configuration_of
from web.caller import Caller


@dataclass(frozen=True, slots=True)
class EvaluationParts:
    """What measures answers. settings: those that run now; known: tells digests of models."""

    gold: GoldQuestions
    runs: RunStore
    gates: GateStore
    use: PilotUse
    settings: RagSettings
    known: KnowsModels

    def start(self, caller: Caller, place: Department, chat_model: str | None) -> Run:
        """Queue a run over the questions of a department, with another model if one is named.

        Raises InvalidEvaluation.
        """
        return self.begin(caller.actor, place.id, chat_model, caller.clock())

    def begin(self, actor: Actor, department_id: str, chat_model: str | None, now: datetime) -> Run:
        """The same for an actor of the trail. Raises InvalidEvaluation."""
        wanted = chat_model or self.settings.chat_model
        model = self.known.find(wanted)
        if model is None:
            raise InvalidEvaluation(
                f"The model {wanted[:80]!r} is not installed.", "Install it first, under Models."
            )
        embedding = self.known.find(self.settings.embed_model, embeds=True)
        digests = {wanted: model.digest}
        if embedding is not None:
            digests[self.settings.embed_model] = embedding.digest
        questions = self.gold.listed(department_id, now)
        run = NewRun(
            department_id,
            [one.asked() for one in questions],
            configuration_of(self.settings, wanted),
            suite_digest(questions),
            digests,
        )
        return self.runs.start(actor, run, now)

    def decision(self, department_id: str, now: datetime) -> Decision:
        """What the gate of a department says of the configuration in use."""
        gate = self.gates.gate(department_id)
        if gate.mode is GateMode.OFF:
            return decide(gate, None, None, now)
        return decide(gate, self._run_in_use(department_id), self.runs.baseline(department_id), now)

    def admit(self, department_id: str, now: datetime) -> None:
        """Let a question of people through. Raises AnswersPaused."""
        if self.decision(department_id, now).standing is Standing.PAUSED:
            raise AnswersPaused(
                "Answers are paused: what answers here was changed and has not passed an "
                "evaluation.",
                "Search keeps working. Whoever looks after evaluations can start one.",
            )

    def _run_in_use(self, department_id: str) -> Run | None:
        """The latest finished run of what answers now, with the very models that are installed."""
        wanted = digest_of(configuration_of(self.settings, self.settings.chat_model))
        run = self.runs.latest_done(department_id, wanted)
        if run is None:
            return None
        chat, embedding = self.settings.chat_model, self.settings.embed_model
        installed = {
            chat: self.known.find(chat),
            embedding: self.known.find(embedding, embeds=True),
        }
        same = (
            one is None or run.model_digests.get(name) == one.digest
            for name, one in installed.items()
        )
        return run if all(same) else None

    def other_models(self) -> list[str]:
        """The names of installed models that could answer in place of the one in use."""
        taken = {self.settings.chat_model, self.settings.embed_model}
        return [
            name
            for one in self.known.installed()
            for name in one.names
            if name.removesuffix(":latest") not in taken and name not in taken
        ]


def evaluation_parts(record: Record, settings: RagSettings, known: KnowsModels) -> EvaluationParts:
    """Build them."""
    gates = GateStore(record, THRESHOLDS, MARGINS)
    return EvaluationParts(
        GoldQuestions(record), RunStore(record), gates, PilotUse(record), settings, known
    )
