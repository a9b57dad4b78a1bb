"""GOV-2: every risk is scored, with what is done about it, or nothing can be proposed."""

from dataclasses import replace

import pytest

from governance.approval_rules import check_proposal
from governance.data_classes import DataClass, up_to
from governance.dossier import Dossier
from governance.errors import InvalidApproval
from governance.risks import Risk, RiskLevel, RiskScore, check_risks
from governance.testing_approvals import NOW, proposal, scored


def test_gov_2_the_seven_risks_are_those_of_the_framework() -> None:
    """By their names there."""
    assert {str(one) for one in Risk} == {
        "confabulation",
        "privacy",
        "information-integrity",
        "human-ai-configuration",
        "value-chain",
        "information-security",
        "bias",
    }


@pytest.mark.parametrize("left_out", Risk)
def test_gov_2_a_proposal_with_an_unscored_risk_is_refused_by_its_name(left_out: Risk) -> None:
    """Whichever it is, and whatever else is right."""
    wanted = proposal()
    risks = tuple(one for one in scored() if one.risk is not left_out)
    with pytest.raises(InvalidApproval, match=f"risk {left_out} is not scored") as no:
        check_proposal(
            replace(wanted, dossier=replace(wanted.dossier, risks=risks)),
            NOW,
            up_to(DataClass.INTERNAL),
        )
    assert no.value.field == f"risk-{left_out}"


def test_gov_2_an_empty_dossier_cannot_be_proposed() -> None:
    """Nor one that scores nothing."""
    for dossier in (Dossier(), replace(proposal().dossier, risks=())):
        with pytest.raises(InvalidApproval):
            check_proposal(replace(proposal(), dossier=dossier), NOW, up_to(DataClass.INTERNAL))


@pytest.mark.parametrize(
    "wrong",
    [
        {"likelihood": 0},
        {"likelihood": 4},
        {"impact": 0},
        {"impact": 4},
        {"mitigation": " "},
        {"mitigation": "x" * 501},
    ],
)
def test_gov_2_a_score_outside_its_scale_or_without_a_remedy_is_refused(
    wrong: dict[str, object],
) -> None:
    """At the risk that it is about."""
    first, *others = scored()
    with pytest.raises(InvalidApproval) as no:
        check_risks((replace(first, **wrong), *others))  # type: ignore[arg-type]
    assert no.value.field == f"risk-{first.risk}"


def test_gov_2_no_risk_is_scored_twice() -> None:
    """So that nobody hides a high one behind a low one."""
    with pytest.raises(InvalidApproval, match="twice"):
        check_risks((*scored(), scored()[0]))


@pytest.mark.parametrize(
    ("likelihood", "impact", "level"),
    [
        (1, 1, "low"),
        (1, 2, "low"),
        (1, 3, "medium"),
        (2, 2, "medium"),
        (2, 3, "high"),
        (3, 3, "high"),
    ],
)
def test_likelihood_and_impact_make_the_level(likelihood: int, impact: int, level: str) -> None:
    """The same whichever of the two is the larger."""
    for one, other in ((likelihood, impact), (impact, likelihood)):
        assert RiskScore(Risk.BIAS, one, other, "x").level is RiskLevel(level)
