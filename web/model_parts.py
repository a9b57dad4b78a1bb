"""What the pages and the API need of models: their approvals, and whether one may work now."""

from collections.abc import Callable
from dataclasses import dataclass

from governance.approvals import ApprovalStore
from governance.basis import KnowsBasis
from governance.data_classes import DataClass
from governance.department_classes import ClassStore
from governance.evaluation_reports import ReportStore
from governance.inventory import Inventory, KnowsModels
from governance.model_blocks import BlockStore
from governance.model_guard import ModelGuard


@dataclass(frozen=True, slots=True)
class ModelParts:
    """The parts of governance that know models.

    enabled: the classes of data that are on here. bill: the bill of materials of an installed
    model, as CycloneDX in JSON, by its digest; None for any other.
    """

    known: KnowsModels
    approvals: ApprovalStore
    blocks: BlockStore
    classes: ClassStore
    guard: ModelGuard
    reports: ReportStore
    basis: KnowsBasis
    inventory: Inventory
    enabled: tuple[DataClass, ...]
    bill: Callable[[str], bytes | None] = lambda _: None
