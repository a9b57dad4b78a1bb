"""The inventory: every digest that is installed, ever answered, or was ever proposed (GOV-1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import select

from governance.approval_rules import Approval
from governance.approvals import ApprovalStore
from governance.dossier import Origin
from governance.errors import NotFound
from governance.model_blocks import BlockStore
from governance.model_guard import NamedModel
from governance.model_rules import ModelBlock
from governance.record.database import Record
from governance.record.model_tables import model_uses


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model that is on disk. names: all under which it can be asked for."""

    digest: str
    names: tuple[str, ...]
    pinned: bool
    licence: str
    size_bytes: int


class KnowsModels(Protocol):
    """What is installed beside the platform; `lamplight/model_shelf.py` looks it up."""

    def find(self, name: str, *, embeds: bool = False) -> NamedModel | None:
        """The model of this name at the server that chat, or embedding, is asked of.

        None where our own runtime has none of that name: it will say so itself.
        """
        ...

    def installed(self) -> Sequence[InstalledModel]:
        """Every installed model, each digest once."""
        ...

    def origin(self, digest: str) -> Origin:
        """What an installed model is made of, as far as its files and the catalogue tell."""
        ...


@dataclass(frozen=True, slots=True)
class DepartmentUse:
    """How much a department used a model. department_id: empty where none was named."""

    department_id: str
    uses: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class InventoryModel:
    """One digest and what is known of it. approvals: newest first."""

    digest: str
    names: tuple[str, ...]
    installed: InstalledModel | None
    approvals: tuple[Approval, ...]
    blocks: tuple[ModelBlock, ...]
    used_by: tuple[DepartmentUse, ...]

    @property
    def name(self) -> str:
        """What to call it."""
        return self.names[0] if self.names else self.digest[:12]

    @property
    def pinned(self) -> bool:
        """Whether it is just as the catalogue has it."""
        return self.installed is not None and self.installed.pinned

    @property
    def owner(self) -> str | None:
        """Who answers for it: the proposer of the newest approval."""
        return self.approvals[0].proposed_by if self.approvals else None

    @property
    def uses(self) -> int:
        """How often it answered."""
        return sum(one.uses for one in self.used_by)

    @property
    def last_used_at(self) -> datetime | None:
        """When it answered last."""
        return max((one.last_at for one in self.used_by), default=None)


class Inventory:
    """Joins what is installed, what was used and what was decided."""

    def __init__(
        self, record: Record, approvals: ApprovalStore, blocks: BlockStore, known: KnowsModels
    ) -> None:
        self._record = record
        self._approvals = approvals
        self._blocks = blocks
        self._known = known

    def models(self) -> tuple[InventoryModel, ...]:
        """Every model, by name."""
        installed = {one.digest: one for one in self._known.installed()}
        blocks = self._blocks.blocks()
        given: dict[str, list[Approval]] = {}
        for approval in self._approvals.approvals():
            given.setdefault(approval.proposal.digest, []).append(approval)
        names, used = self._uses()
        found = []
        for digest in {**installed, **given, **used}:
            on_disk, decided = installed.get(digest), tuple(given.get(digest, ()))
            called = on_disk.names if on_disk else ()
            called = called or names.get(digest, ()) or (decided[0].proposal.model,)
            mine = tuple(one for one in blocks if one.digest in (None, digest))
            there = tuple(used.get(digest, ()))
            found.append(InventoryModel(digest, called, on_disk, decided, mine, there))
        return tuple(sorted(found, key=lambda one: (one.installed is None, one.name, one.digest)))

    def model(self, digest: str) -> InventoryModel:
        """One model. Raises NotFound."""
        for one in self.models():
            if one.digest == digest:
                return one
        raise NotFound("There is no such model.", "Go back to the list of models.")

    def named(self, name: str) -> InventoryModel:
        """The installed model of this name, or the one of this digest. Raises NotFound."""
        wanted = (name, f"{name}:latest")
        for one in self.models():
            if one.digest == name or (one.installed and set(one.installed.names) & set(wanted)):
                return one
        raise NotFound(f"There is no model {name!r}.", "See `lamplight model list`.")

    def _uses(self) -> tuple[dict[str, tuple[str, ...]], dict[str, list[DepartmentUse]]]:
        names: dict[str, tuple[str, ...]] = {}
        used: dict[str, list[DepartmentUse]] = {}
        with self._record.read() as connection:
            query = select(model_uses).order_by(model_uses.c.last_at.desc())
            for row in connection.execute(query):
                use = DepartmentUse(row.department_id, row.uses, row.first_at, row.last_at)
                used.setdefault(row.digest, []).append(use)
                names.setdefault(row.digest, (row.model,))
        return names, used
