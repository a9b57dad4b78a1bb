"""What governance refuses, and what the reader can do about it."""


class GovernanceError(Exception):
    """The base of every refusal of this package.

    message: what happened. hint: what to do next.
    """

    def __init__(self, message: str, hint: str) -> None:
        if type(self) is GovernanceError:
            raise TypeError("raise a subclass that names the fault")
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class NotFound(GovernanceError):
    """The caller named something that the record does not hold."""


class UnknownDepartment(NotFound):
    """The caller named a department that does not exist."""


class InvalidName(GovernanceError):
    """The caller gave a name that cannot be used."""


class IllegalTransition(GovernanceError):
    """The caller asked for a step that this state does not allow."""


class RecordUnusable(GovernanceError):
    """The record cannot be opened safely: a wrong SQLite, a newer schema, or no rights."""


class NoSpace(GovernanceError):
    """The disk of the data directory is (nearly) full."""
