"""What approvers read of a model besides the proposal's own words: parts, origin, risks (APR-1).

Pure. It is one JSON text in the record, written once with the proposal.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from governance.errors import InvalidApproval
from governance.risks import Risk, RiskScore, check_risks

DIGEST = re.compile(r"[0-9a-f]{64}")
MAX_CONDITIONS_CHARS = 2000
MAX_ORIGIN_CHARS = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """What a model is made of and where it is from. Digests: SHA-256 in hex, empty if unknown.

    tokenizer_digest: of the vocabulary and what belongs to it, as the file has them; publisher: who
    answers for it, as the proposer confirms; bom_digest: of its bill of materials.
    """

    file_digest: str = ""
    template_digest: str = ""
    tokenizer_digest: str = ""
    quantization: str = ""
    publisher: str = ""
    licence: str = ""
    bom_digest: str = ""


@dataclass(frozen=True, slots=True)
class Dossier:
    """What goes with a proposal. basis: see governance/basis.py."""

    risks: tuple[RiskScore, ...] = ()
    conditions: str = ""
    origin: Origin = Origin()
    basis: Mapping[str, str] = field(default_factory=dict)


def check_dossier(dossier: Dossier) -> None:
    """Raise InvalidApproval, naming the field, for one that cannot be proposed."""
    origin = dossier.origin
    for name, text in (("publisher", origin.publisher), ("licence", origin.licence)):
        if not 0 < len(text.strip()) <= MAX_ORIGIN_CHARS:
            raise InvalidApproval(
                name,
                "Say who made the model." if name == "publisher" else "Say under which licence.",
                f"Its model card says so. Write 1 to {MAX_ORIGIN_CHARS} characters.",
            )
    if origin.bom_digest and not DIGEST.fullmatch(origin.bom_digest):
        raise InvalidApproval(
            "bom", "This is no digest of a bill of materials.", "Write 64 hex digits, or nothing."
        )
    if len(dossier.conditions) > MAX_CONDITIONS_CHARS:
        raise InvalidApproval(
            "conditions",
            "The conditions are too long.",
            f"Write at most {MAX_CONDITIONS_CHARS} characters.",
        )
    check_risks(dossier.risks)


def dossier_json(dossier: Dossier) -> dict[str, Any]:
    """As JSON, each risk in the order of the list."""
    order = tuple(Risk)
    return {
        "conditions": dossier.conditions.strip(),
        "origin": {name: text.strip() for name, text in asdict(dossier.origin).items()},
        "basis": dict(dossier.basis),
        "risks": [
            {
                "risk": str(one.risk),
                "likelihood": one.likelihood,
                "impact": one.impact,
                "mitigation": one.mitigation.strip(),
            }
            for one in sorted(dossier.risks, key=lambda one: order.index(one.risk))
        ],
    }


def write_dossier(dossier: Dossier) -> str:
    """The text that the record keeps."""
    return json.dumps(dossier_json(dossier), sort_keys=True, ensure_ascii=False)


def read_dossier(text: str | None) -> Dossier:
    """The same again; an empty one for proposals from before there was one."""
    if text is None:
        return Dossier()
    read = json.loads(text)
    return Dossier(
        risks=tuple(RiskScore(**{**one, "risk": Risk(one["risk"])}) for one in read["risks"]),
        conditions=read["conditions"],
        origin=Origin(**read["origin"]),
        basis=read["basis"],
    )
