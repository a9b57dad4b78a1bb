"""The risks of a model in words that a ward understands, and their two scales. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

from governance.risks import Risk, RiskLevel, RiskScore

RISK_NAMES: Mapping[Risk, str] = {
    Risk.CONFABULATION: "Made-up answers",
    Risk.PRIVACY: "Privacy",
    Risk.INFORMATION_INTEGRITY: "Wrong or outdated information",
    Risk.HUMAN_AI_CONFIGURATION: "Trusting it too much",
    Risk.VALUE_CHAIN: "Where it comes from",
    Risk.INFORMATION_SECURITY: "Security",
    Risk.BIAS: "Unfair treatment",
}
RISK_QUESTIONS: Mapping[Risk, str] = {
    Risk.CONFABULATION: "It states something that no policy says. (Confabulation)",
    Risk.PRIVACY: "Names or details of patients or staff come out, or are kept too long.",
    Risk.INFORMATION_INTEGRITY: "It quotes a policy that is out of date, or quotes it wrongly.",
    Risk.HUMAN_AI_CONFIGURATION: "Staff follow an answer without reading the passage behind it.",
    Risk.VALUE_CHAIN: "Nobody can say who made it, from what data, or under which licence.",
    Risk.INFORMATION_SECURITY: "Text in a document or question makes it do what it should not.",
    Risk.BIAS: "It answers worse about, or for, some groups of people.",
}
LIKELIHOODS: Mapping[int, str] = {1: "Unlikely", 2: "Possible", 3: "Likely"}
IMPACTS: Mapping[int, str] = {1: "Minor", 2: "Moderate", 3: "Severe"}
LEVEL_NAMES: Mapping[RiskLevel, str] = {
    RiskLevel.LOW: "Low",
    RiskLevel.MEDIUM: "Medium",
    RiskLevel.HIGH: "High",
}
LEVEL_COLOURS: Mapping[RiskLevel, str] = {
    RiskLevel.LOW: "green",
    RiskLevel.MEDIUM: "yellow",
    RiskLevel.HIGH: "red",
}


def worst_first(scores: Sequence[RiskScore]) -> list[RiskScore]:
    """The highest before the others, which keep their order."""
    order = tuple(RiskLevel)
    return sorted(scores, key=lambda one: -order.index(one.level))


def risk_words(scores: Sequence[RiskScore]) -> str:
    """How many there are of each level, as `1 high, 6 low`."""
    found = Counter(one.level for one in scores)
    levels = [one for one in reversed(tuple(RiskLevel)) if found[one]]
    return ", ".join(f"{found[one]} {LEVEL_NAMES[one].lower()}" for one in levels)
