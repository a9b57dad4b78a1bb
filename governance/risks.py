"""The risks of generative AI that a proposal scores, each with what is done about it (GOV-2).

Pure. Of the twelve in NIST AI 600-1 these seven apply to a model that answers staff from documents.
Each is scored by the proposer, likelihood and impact from 1 to 3, with what makes it smaller. A
proposal in which one of them is missing is refused, and the approvers read all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from governance.errors import InvalidApproval

MOST = 3
MAX_MITIGATION_CHARS = 500


class Risk(StrEnum):
    """What can go wrong, in the words of the framework."""

    CONFABULATION = "confabulation"
    PRIVACY = "privacy"
    INFORMATION_INTEGRITY = "information-integrity"
    HUMAN_AI_CONFIGURATION = "human-ai-configuration"
    VALUE_CHAIN = "value-chain"
    INFORMATION_SECURITY = "information-security"
    BIAS = "bias"


class RiskLevel(StrEnum):
    """How much of a risk there is, least first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class RiskScore:
    """One risk as it was judged. likelihood, impact: from 1, the least, to 3."""

    risk: Risk
    likelihood: int
    impact: int
    mitigation: str

    @property
    def level(self) -> RiskLevel:
        """The two together, as on the usual square of three by three."""
        product = self.likelihood * self.impact
        if product <= 2:
            return RiskLevel.LOW
        return RiskLevel.MEDIUM if product <= 4 else RiskLevel.HIGH


def check_risks(scores: Sequence[RiskScore]) -> None:
    """Raise InvalidApproval, naming the risk, where one is not scored, or scored badly."""
    by_risk = {score.risk: score for score in scores}
    if len(by_risk) < len(scores):
        raise InvalidApproval("risks", "A risk is scored twice.", "Score each risk once.")
    for risk in Risk:
        if risk not in by_risk:
            raise InvalidApproval(
                field_of(risk),
                f"The risk {risk} is not scored.",
                f"Give likelihood and impact from 1 to {MOST}, and what is done about it.",
            )
        _check(by_risk[risk])


def field_of(risk: Risk) -> str:
    """The name of a risk's place in a form."""
    return f"risk-{risk}"


def _check(score: RiskScore) -> None:
    if not (1 <= score.likelihood <= MOST and 1 <= score.impact <= MOST):
        raise InvalidApproval(
            field_of(score.risk),
            f"The risk {score.risk} is not scored.",
            f"Likelihood and impact are numbers from 1 to {MOST}.",
        )
    if not 0 < len(score.mitigation.strip()) <= MAX_MITIGATION_CHARS:
        raise InvalidApproval(
            field_of(score.risk),
            f"Say what is done about the risk {score.risk}.",
            f"Write 1 to {MAX_MITIGATION_CHARS} characters.",
        )
