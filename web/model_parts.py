"""What the pages and the API need of models: their approvals, and whether one may work now."""

from dataclasses import dataclass

from governance.approvals import ApprovalStore
from governance.data_classes import DataClass
from governance.department_classes import ClassStore
from governance.inventory import Inventory, KnowsModels
from governance.model_blocks import BlockStore
from governance.model_guard import ModelGuard


@dataclass(frozen=True, slots=True)
class ModelParts:
    """The parts of governance that know models. enabled: the classes of data that are on here."""

    known: KnowsModels
    approvals: ApprovalStore
    blocks: BlockStore
    classes: ClassStore
    guard: ModelGuard
    inventory: Inventory
    enabled: tuple[DataClass, ...]
