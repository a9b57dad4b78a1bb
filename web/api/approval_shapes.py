"""Models, approvals, blocks and reports as JSON."""

from collections.abc import Mapping
from datetime import datetime

from governance.approval_rules import Approval
from governance.basis import Basis, changed
from governance.dossier import dossier_json
from governance.evaluation_reports import EvaluationReport
from governance.inventory import InventoryModel
from governance.model_rules import ModelBlock, is_valid
from governance.permissions import Permission
from web.api.shapes import Json
from web.caller import Caller
from web.model_words import standing_of

Names = Mapping[str, str]


def model_json(caller: Caller, model: InventoryModel, names: Names, basis: Basis) -> Json:
    """One model of the inventory."""
    now = caller.clock()
    installed, places = model.installed, {one.id: one.name for one in caller.known}
    return {
        "digest": model.digest,
        "names": list(model.names),
        "state": standing_of(model, now, basis).type,
        "installed": installed is not None,
        "pinned": model.pinned,
        "licence": installed.licence if installed else "",
        "size": installed.size_bytes if installed else 0,
        "owner": _person(model.owner, names),
        "uses": model.uses,
        "last_used_at": _iso(model.last_used_at),
        "used_by": [
            {
                "department": places.get(use.department_id),
                "uses": use.uses,
                "first_at": _iso(use.first_at),
                "last_at": _iso(use.last_at),
            }
            for use in model.used_by
        ],
        "approvals": [approval_json(caller, one, names, basis) for one in model.approvals],
        "blocks": [block_json(caller, one, names) for one in model.blocks],
    }


def approval_json(caller: Caller, approval: Approval, names: Names, basis: Basis) -> Json:
    """One approval with its steps."""
    wanted, now = approval.proposal, caller.clock()
    ids = wanted.department_ids
    return {
        "id": approval.id,
        "state": approval.state(now).value,
        "counts_now": is_valid(approval, now, basis),
        "changed_since": [str(one) for one in changed(wanted.dossier.basis, basis)],
        "model": wanted.model,
        "digest": wanted.digest,
        "data_classes": [one.value for one in wanted.data_classes],
        "departments": None if ids is None else _named_places(caller, ids),
        "purposes": wanted.purposes,
        "evidence": wanted.evidence,
        "reports": list(wanted.report_digests),
        "pia": wanted.pia_document,
        **dossier_json(wanted.dossier),
        "reason": wanted.reason,
        "proposed_by": _person(approval.proposed_by, names),
        "approved_by": [_person(one, names) for one in approval.approvers],
        "approvers_needed": approval.needed,
        "created_at": _iso(approval.created_at),
        "not_before": _iso(wanted.not_before),
        "expires_at": _iso(wanted.expires_at),
        "steps": [
            {
                "step": step.kind.value,
                "by": _person(step.by, names),
                "reason": step.reason,
                "at": _iso(step.at),
            }
            for step in approval.steps
        ],
    }


def block_json(caller: Caller, block: ModelBlock, names: Names) -> Json:
    """One block."""
    place = block.department_id
    return {
        "id": block.id,
        "digest": block.digest,
        "department": None if place is None else _named_places(caller, (place,))[0],
        "reason": block.reason,
        "set_by": _person(block.set_by, names),
        "set_at": _iso(block.set_at),
    }


def _named_places(caller: Caller, ids: tuple[str, ...]) -> list[str]:
    """Their names; those of departments that the caller has nothing to do with are left out."""
    seen = {one.id: one.name for one in caller.departments(Permission.APPROVALS_READ)}
    return [seen.get(one, "another department") for one in ids]


def _person(person: str | None, names: Names) -> str | None:
    return None if person is None else str(names.get(person, "somebody"))


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def report_json(report: EvaluationReport, names: Names) -> Json:
    """One recorded evaluation."""
    return {
        "digest": report.digest,
        "suite": report.suite_digest,
        "models": list(report.model_digests),
        "figures": dict(report.figures),
        "recorded_by": _person(report.recorded_by, names),
        "recorded_at": _iso(report.recorded_at),
    }
