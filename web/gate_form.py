"""The form of the gate: what is typed in per cent or seconds becomes figures. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from governance.evaluation_gates import Gate
from rag.gate import GATED, MONTH_COST, QUESTIONS, REPORTED
from rag.report.words import called, explained
from rag.verdict import Criterion
from web.errors import WrongField

LONGEST = 8
UNITS: Mapping[str, str] = {"": "per cent", "s": "seconds", "money": "in your currency"}


@dataclass(frozen=True, slots=True)
class GateRow:
    """One figure in the form; least and margin as they stand in its fields."""

    name: str
    called: str
    explained: str
    unit: str
    at_most: bool
    least: str
    margin: str


def rows_of(gate: Gate, typed: Mapping[str, str] | None = None) -> tuple[GateRow, ...]:
    """Every figure that a gate can look at; typed: what was sent and could not be used."""
    return tuple(
        GateRow(
            one.name,
            called(one.name),
            explained(one.name),
            _unit(one),
            one.less_is_better,
            _text(gate.thresholds, one.name, typed, f"least-{one.name}"),
            _text(gate.margins, one.name, typed, f"margin-{one.name}"),
        )
        for one in GATED
    )


def reported_of(gate: Gate, typed: Mapping[str, str] | None = None) -> tuple[GateRow, ...]:
    """What the report alone judges, in the same form; it has no margin."""
    return tuple(
        GateRow(
            one.name,
            called(one.name),
            explained(one.name),
            _unit(one),
            one.less_is_better,
            _text(gate.thresholds, one.name, typed, f"least-{one.name}"),
            "",
        )
        for one in REPORTED
    )


def month_cost_of(gate: Gate, typed: Mapping[str, str] | None = None) -> str:
    """What the pilot costs in a month, as it stands in its field."""
    if typed is not None:
        return typed.get(MONTH_COST, "")
    return f"{gate.thresholds[MONTH_COST]:.6g}" if MONTH_COST in gate.thresholds else ""


def thresholds_in(fields: Mapping[str, str]) -> dict[str, float]:
    """What each figure must reach. Raises WrongField."""
    reported: dict[str, float] = {}
    for one in REPORTED:
        reported |= _one(fields, f"least-{one.name}", one.name, 1 if one.unit else 100)
    whole = _one(fields, QUESTIONS, QUESTIONS, 1) | _one(fields, MONTH_COST, MONTH_COST, 1)
    return _figures(fields, "least") | reported | whole


def margins_in(fields: Mapping[str, str]) -> dict[str, float]:
    """How much worse than the baseline each may be. Raises WrongField."""
    return _figures(fields, "margin")


def _figures(fields: Mapping[str, str], kind: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in GATED:
        found |= _one(fields, f"{kind}-{one.name}", one.name, 1 if one.unit else 100)
    return found


def _one(fields: Mapping[str, str], field: str, name: str, whole: int) -> dict[str, float]:
    text = fields.get(field, "").strip().replace(",", ".").removesuffix("%").strip()
    if not text:
        return {}
    digits = text.replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit() and len(text) <= LONGEST):
        raise WrongField(field, "This is no number.", "Write a number, or leave it empty.")
    value = float(text) / whole
    if whole == 100 and value > 1:
        raise WrongField(field, "This is more than 100 per cent.", "Write 0 to 100.")
    return {name: value}


def _text(
    figures: Mapping[str, float], name: str, typed: Mapping[str, str] | None, field: str
) -> str:
    if typed is not None:
        return typed.get(field, "")
    if name not in figures:
        return ""
    unit = next((one.unit for one in (*GATED, *REPORTED) if one.name == name), "")
    return f"{figures[name] * (1 if unit else 100):.6g}"


def _unit(one: Criterion) -> str:
    """Nothing of what is counted: its name says what."""
    return UNITS.get(one.unit, "")
