"""A gate for tests alone."""

from starlette.datastructures import Headers

from governance.permissions import Grant, Permission, Principal, Role
from runtime.api.gate import Change, Use, Visit, Visitor
from runtime.store import InstalledModel

ANYBODY = Principal(
    None, "test", "anybody", "Anybody", "none", (Grant(Role.ADMINISTRATOR, department_id=None),)
)


class OpenGate:
    """Lets everybody do everything, and remembers what was recorded; never for service."""

    def __init__(self) -> None:
        self.uses: list[Use] = []
        self.changes: list[Change] = []

    def identify(self, _headers: Headers) -> Visitor:
        """Everybody is somebody."""
        return Visitor(ANYBODY)

    def check(self, visitor: Visitor, permission: Permission, endpoint: str) -> None:
        """Deny nothing."""

    def approve(self, _visit: Visit, _model: InstalledModel) -> None:
        """Every model may see everything."""

    def reserve(self, _visit: Visit, _tokens: int) -> str | None:
        """Limit nothing."""
        return None

    def renew(self, reservation: str) -> None:
        """Nothing was set aside."""

    def record_use(self, _visit: Visit, use: Use, _reservation: str | None) -> None:
        """Remember a use."""
        self.uses.append(use)

    def record_change(self, _visit: Visit, change: Change) -> None:
        """Remember a change."""
        self.changes.append(change)
