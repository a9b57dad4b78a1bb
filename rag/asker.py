"""Whom a question is asked for, as the platform tells its own runtime."""

from dataclasses import dataclass

PREFIX = "x-lamplight-"


@dataclass(frozen=True, slots=True)
class Asker:
    """Ids, never names. The runtime believes them only beside the key of this start."""

    person: str | None = None
    department: str | None = None
    request: str | None = None

    def headers(self) -> dict[str, str]:
        """The headers that carry the ids; `rag/model_keys.py` keeps them from other servers."""
        given = {"Person": self.person, "Department": self.department, "Request": self.request}
        return {f"X-Lamplight-{name}": value for name, value in given.items() if value}


NOBODY = Asker()
