"""What the command line refuses, and what to do about it."""


class CommandError(Exception):
    """Base of this package's errors; the command ends with `exit_code` and prints both texts."""

    exit_code = 1

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class BadSetting(CommandError):
    """A setting has an unknown name or a value that cannot be used."""

    exit_code = 2


class BadUse(CommandError):
    """The command was called in a way that cannot work."""

    exit_code = 2


class AlreadyRunning(CommandError):
    """Another Lamplight works on this data directory."""


class PortTaken(CommandError):
    """Another program listens on the port."""


class PartFailed(CommandError):
    """A process of ours does not start."""


class PullRefused(CommandError):
    """A model could not be installed; nothing of it is visible."""


class OperationRefused(CommandError):
    """A backup, a restore or a rebuild could not be done."""


class PlatformRefused(CommandError):
    """The platform answered a request of the command line with an error."""

    def __init__(self, kind: str, message: str, hint: str, status: int) -> None:
        super().__init__(message, hint)
        self.kind = kind
        self.status = status
