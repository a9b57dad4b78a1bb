"""Gold questions and runs over them, as the pages and the API use them, made in one call."""

from dataclasses import dataclass

from governance.errors import InvalidEvaluation
from governance.evaluation_runs import NewRun, Run, RunStore
from governance.gold_questions import GoldQuestions, suite_digest
from governance.inventory import KnowsModels
from governance.policies import Department
from governance.record.database import Record
from rag.config import RagSettings
from rag.workflow import configuration_of
from web.caller import Caller


@dataclass(frozen=True, slots=True)
class EvaluationParts:
    """What measures answers. settings: those that run now; known: tells digests of models."""

    gold: GoldQuestions
    runs: RunStore
    settings: RagSettings
    known: KnowsModels

    def start(self, caller: Caller, place: Department, chat_model: str | None) -> Run:
        """Queue a run over the questions of a department, with another model if one is named.

        Raises InvalidEvaluation.
        """
        now, wanted = caller.clock(), chat_model or self.settings.chat_model
        model = self.known.find(wanted)
        if model is None:
            raise InvalidEvaluation(
                f"The model {wanted[:80]!r} is not installed.", "Install it first, under Models."
            )
        embedding = self.known.find(self.settings.embed_model, embeds=True)
        digests = {wanted: model.digest}
        if embedding is not None:
            digests[self.settings.embed_model] = embedding.digest
        questions = self.gold.listed(place.id, now)
        run = NewRun(
            place.id,
            [one.asked() for one in questions],
            configuration_of(self.settings, wanted),
            suite_digest(questions),
            digests,
        )
        return self.runs.start(caller.actor, run, now)


def evaluation_parts(record: Record, settings: RagSettings, known: KnowsModels) -> EvaluationParts:
    """Build them."""
    return EvaluationParts(GoldQuestions(record), RunStore(record), settings, known)
