"""Reads what the form of a proposal says, and the places that the forms of models name."""

from collections.abc import Mapping, Sequence

from governance.data_classes import DataClass, up_to
from governance.risks import Risk, RiskScore, field_of
from web.approving import Wanted
from web.errors import WrongField
from web.form import choice_in, date_in, end_of, start_of
from web.risk_words import RISK_NAMES

EVERYWHERE = "everywhere"
SCALE = ("1", "2", "3")


def wanted_in(fields: Mapping[str, str], enabled: Sequence[DataClass]) -> Wanted:
    """What the form of a proposal says. Raises WrongField."""
    chosen = choice_in(fields, "data_class", DataClass, "a class of data")
    place = place_in(fields, "department")
    end = end_of(date_in(fields, "expires"))
    if end is None:
        raise WrongField("expires", "Say until when.", "At most a year. For example, 31 12 2026.")
    return Wanted(
        data_classes=tuple(one for one in up_to(chosen) if one in enabled or one is chosen),
        department_ids=None if place is None else (place,),
        purposes=fields.get("purposes", ""),
        evidence=fields.get("evidence", ""),
        reason=fields.get("why", ""),
        expires_at=end,
        not_before=start_of(date_in(fields, "starts")),
        report_digests=tuple(fields.get("reports", "").lower().replace(",", " ").split()),
        pia_document=fields.get("pia") or None,
        risks=tuple(score_in(fields, risk) for risk in Risk),
        conditions=fields.get("conditions", ""),
        publisher=fields.get("publisher", ""),
        licence=fields.get("licence", ""),
        bom_digest=fields.get("bom", "").lower(),
    )


def score_in(fields: Mapping[str, str], risk: Risk) -> RiskScore:
    """How one risk is scored. Raises WrongField, naming the risk."""
    name, place = RISK_NAMES[risk], field_of(risk)
    likelihood, impact = (fields.get(f"{part}-{risk}", "") for part in ("likelihood", "impact"))
    if likelihood not in SCALE or impact not in SCALE:
        raise WrongField(
            place,
            f"{name}: choose how likely it is and how bad it would be.",
            "Every risk is scored before others can approve.",
        )
    mitigation = fields.get(f"mitigation-{risk}", "")
    if not mitigation:
        raise WrongField(
            place, f"{name}: say what is done about it.", "One sentence is enough. Name no patient."
        )
    return RiskScore(risk, int(likelihood), int(impact), mitigation)


def place_in(fields: Mapping[str, str], name: str) -> str | None:
    """The department that a form names; None is all of them. Raises WrongField."""
    chosen = fields.get(name, "")
    if not chosen:
        raise WrongField(name, "Choose where it counts.", "Choose one of those that are shown.")
    return None if chosen == EVERYWHERE else chosen
