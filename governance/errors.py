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


class DocumentBusy(IllegalTransition):
    """Another process changes the document, or all of them, for longer than we wait."""


class RecordUnusable(GovernanceError):
    """The record cannot be opened safely: a wrong SQLite, a newer schema, or no rights."""


class RecordNotCopied(GovernanceError):
    """The record could not be copied out of its database, or into it."""


class BackupRefused(GovernanceError):
    """A backup cannot be made or restored as it was asked for."""


class NoSpace(GovernanceError):
    """The disk of the data directory is (nearly) full."""


class SecretUnsafe(GovernanceError):
    """A key file of the data directory is damaged, or others can read it."""


class VaultDamaged(GovernanceError):
    """What is kept encrypted was changed, swapped or sealed with another key."""


class FlowRefused(GovernanceError):
    """A sign-in at the identity provider cannot be taken up: unknown, finished or too old."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"This sign-in cannot go on. {reason}", "Start again from the sign-in page."
        )
        self.reason = reason


class PasswordsOff(GovernanceError):
    """Passwords kept here are switched off; people sign in another way."""

    def __init__(self) -> None:
        super().__init__(
            "Passwords are switched off here.",
            "Sign in with your organisation. Where that fails, whoever runs this server can make a "
            "link with `lamplight user link`.",
        )


class PersonExists(GovernanceError):
    """The caller gave an identity that somebody already has."""


class LastAdministrator(GovernanceError):
    """The caller would leave the platform without an administrator."""


class OwnRights(GovernanceError):
    """The caller would give themselves rights, or review their own."""


class InvalidGrant(GovernanceError):
    """The caller asked for a role, a place or a length of time that does not go together."""


class PasswordRefused(GovernanceError):
    """The caller chose a password that is too easy to guess."""


class SignInRefused(GovernanceError):
    """The caller did not show who they are; why is not told."""


class InvalidKey(GovernanceError):
    """The caller asked for an API key that cannot be given."""


class TicketRefused(GovernanceError):
    """The caller's one-time link was used, has expired, or never existed."""


class BreachListUnreadable(GovernanceError):
    """The operator named a list of leaked passwords that cannot be read."""


class InvalidRetention(GovernanceError):
    """The caller gave a retention time that this mode does not allow."""


class SecondPersonNeeded(IllegalTransition):
    """One person alone cannot make this change, nor agree to their own proposal."""


class InvalidApproval(GovernanceError):
    """The caller proposed, blocked or set something about models that cannot be."""

    def __init__(self, field: str, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.field = field


class ModelNotApproved(GovernanceError):
    """No valid approval lets this model see this data now."""


class InvalidQuota(GovernanceError):
    """The caller gave a limit that means nothing."""


class QuotaExceeded(GovernanceError):
    """A limit of requests or tokens is used up.

    what: `requests` or `tokens`; period: `day` or `month`; retry_after_s: when there is room again.
    """

    def __init__(
        self, message: str, hint: str, *, what: str, period: str, retry_after_s: int
    ) -> None:
        super().__init__(message, hint)
        self.what = what
        self.period = period
        self.retry_after_s = retry_after_s


class TrailBroken(GovernanceError):
    """The audit trail is not what was signed, so nothing more is signed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "Find out with `lamplight audit verify`; touch nothing before.")


class TrailBlocked(GovernanceError):
    """The audit trail cannot be written, so nothing that must be recorded is done."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The audit trail cannot be written: {why}.",
            "Free disk space, or make the disk writable. Nothing is changed or answered until "
            "then; afterwards Lamplight goes on by itself.",
        )


class AnchorUnreachable(GovernanceError):
    """A folder for copies of the checkpoints cannot be read or written."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"The anchor {path} cannot be used: {why}.",
            "Mount the folder, or correct governance.anchor_dirs.",
        )


class InvalidReport(GovernanceError):
    """What a reader reports, or an editor replies, cannot be taken as it is."""


class InvalidAbbreviation(GovernanceError):
    """A short form or its meaning cannot be used."""


class AnswersPaused(GovernanceError):
    """The gate of a department lets no question through to the configuration in use."""


class InvalidEvaluation(GovernanceError):
    """A gold question, a run or a gate cannot be what is asked for."""
