"""What the model runtime refuses or cannot do, and what the reader can do about it."""


class ModelRuntimeError(Exception):
    """The base of every failure of this package.

    message: what happened. hint: what to do next. retry_after_s: when it may go better, if known.
    """

    retry_after_s: int | None = None

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class BadName(ModelRuntimeError):
    """The caller wrote something that cannot be a model's name."""


class UnknownModel(ModelRuntimeError):
    """The caller named a model that is not installed, or that no catalogue entry describes."""


class PullFailed(ModelRuntimeError):
    """A model could not be fetched; what was fetched so far is kept for the next try."""


class IndexUnreachable(PullFailed):
    """The package index or one of its files did not answer."""


class NoSpace(PullFailed):
    """The disk has no room for the model."""


class WrongDigest(PullFailed):
    """The bytes are not those that the catalogue, the index or the manifest names."""


class PackageRefused(PullFailed):
    """A package is not what the trusted keys have signed; nothing of it is kept."""


class CatalogueFault(ModelRuntimeError):
    """A catalogue cannot be made, signed or published as asked."""


class UnknownBlob(ModelRuntimeError):
    """A model is to be made of a file that was not uploaded."""


class RegistryNotAllowed(ModelRuntimeError):
    """A registry was named that the settings do not allow."""


class BadAccounts(PullFailed):
    """The file of our accounts at registries cannot be used."""


class RegistryFailed(PullFailed):
    """A registry did not answer, or not as registries do."""


class BadModelFile(ModelRuntimeError):
    """A model file is damaged, or of a kind that we cannot use."""


class WrongParts(BadModelFile):
    """The files of a model do not belong together, or are not the kind that is asked for."""


class BadRequest(ModelRuntimeError):
    """The caller asked for something that this model cannot do."""


class BadTemplate(BadRequest):
    """A template in Go's language cannot be read, or cannot be rendered with these messages."""


class InputTooLong(BadRequest):
    """The prompt or text does not fit the context."""


class ServerBusy(ModelRuntimeError):
    """The queue is full."""

    retry_after_s = 1


class Cancelled(ModelRuntimeError):
    """The caller went away before the answer was complete."""


class LoadFailed(ModelRuntimeError):
    """A model could not be loaded into memory."""


class TooLarge(LoadFailed):
    """A model needs more memory than all models may take."""


class Quarantined(ModelRuntimeError):
    """A model's process has died too often; a person must let it back."""


class WorkerDied(ModelRuntimeError):
    """The process of a model ended while it was working for the caller."""


class BadUpstream(ModelRuntimeError):
    """The settings describe another server in a way that cannot be used."""


class UpstreamFailed(ModelRuntimeError):
    """Another server could not answer, or not as OpenAI-compatible servers do."""


class UpstreamDown(UpstreamFailed):
    """No server of a model can be reached."""

    retry_after_s = 5


class UpstreamSlow(UpstreamFailed):
    """Another server did not answer in time."""


class UpstreamChanged(UpstreamFailed):
    """Another server no longer offers the model that was approved."""
