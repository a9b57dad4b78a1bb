"""An approval as one JSON document, and the schema that every such document fits (APR-1).

Pure. Programs get it from the API; the digest of what was proposed stands in the audit trail, so
that a row that somebody changed past us no longer fits its event.
"""

import hashlib
import json
from typing import Any

from governance.approval_rules import Proposal
from governance.data_classes import DataClass
from governance.dossier import dossier_json
from governance.risks import MAX_MITIGATION_CHARS, MOST, Risk

_HEX = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_HEX_OR_NOTHING = {"type": "string", "pattern": "^([0-9a-f]{64})?$"}
_TEXT = {"type": "string", "minLength": 1}
_TIME = {"type": "string", "format": "date-time"}
_SCORE = {"type": "integer", "minimum": 1, "maximum": MOST}


def _object(**properties: object) -> dict[str, Any]:
    """An object that has all of these properties and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _scored(risk: Risk) -> dict[str, Any]:
    mitigation = {**_TEXT, "maxLength": MAX_MITIGATION_CHARS}
    named = {"const": str(risk)}
    return _object(risk=named, likelihood=_SCORE, impact=_SCORE, mitigation=mitigation)


SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **_object(
        digest=_HEX,
        model=_TEXT,
        data_classes={
            "type": "array",
            "items": {"enum": [str(one) for one in DataClass]},
            "minItems": 1,
            "uniqueItems": True,
        },
        department_ids={"type": ["array", "null"], "items": _TEXT, "minItems": 1},
        purposes=_TEXT,
        evidence=_TEXT,
        reason=_TEXT,
        report_digests={"type": "array", "items": _HEX},
        pia_document={"type": ["string", "null"], "minLength": 1},
        not_before=_TIME,
        expires_at=_TIME,
        conditions={"type": "string"},
        origin=_object(
            file_digest=_HEX_OR_NOTHING,
            template_digest=_HEX_OR_NOTHING,
            tokenizer_digest=_HEX_OR_NOTHING,
            quantization={"type": "string"},
            publisher=_TEXT,
            licence=_TEXT,
            bom_digest=_HEX_OR_NOTHING,
        ),
        basis={"type": "object", "additionalProperties": {"type": "string"}},
        risks={
            "type": "array",
            "prefixItems": [_scored(one) for one in Risk],
            "items": False,
            "minItems": len(Risk),
        },
    ),
}


def proposal_json(wanted: Proposal) -> dict[str, Any]:
    """What was proposed, whole."""
    places = wanted.department_ids
    return {
        "digest": wanted.digest,
        "model": wanted.model,
        "data_classes": [str(one) for one in wanted.data_classes],
        "department_ids": None if places is None else list(places),
        "purposes": wanted.purposes.strip(),
        "evidence": wanted.evidence.strip(),
        "reason": wanted.reason.strip(),
        "report_digests": list(wanted.report_digests),
        "pia_document": wanted.pia_document and wanted.pia_document.strip(),
        "not_before": wanted.not_before.isoformat(),
        "expires_at": wanted.expires_at.isoformat(),
        **dossier_json(wanted.dossier),
    }


def proposal_digest(wanted: Proposal) -> str:
    """SHA-256 of all that was proposed, in hex."""
    content = json.dumps(proposal_json(wanted), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()
