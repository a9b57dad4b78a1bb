"""What can go wrong between a question and its answer, and what to do next."""


class RagError(Exception):
    """A question or an index could not be served; `hint` says what to do next."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        # Workflows record what a step raised; the children's constructors take other arguments.
        return _restored, (type(self), self.message, self.hint)


def _restored(kind: type[RagError], message: str, hint: str) -> RagError:
    error = kind.__new__(kind)
    RagError.__init__(error, message, hint)
    return error


class QuestionRefused(RagError):
    """The question itself is at fault."""


class QuestionEmpty(QuestionRefused):
    """Nothing was asked."""

    def __init__(self) -> None:
        super().__init__("The question is empty.", "Type a question about a policy.")


class QuestionTooLong(QuestionRefused):
    """The question is longer than the limit."""

    def __init__(self, chars: int, limit: int) -> None:
        super().__init__(
            f"The question has {chars:,} characters; the limit is {limit:,}.",
            "Ask one short question. To load a document, use the documents page.",
        )


class LimitRefused(QuestionRefused):
    """The number of passages asked for cannot be served."""

    def __init__(self, asked: int, limit: int) -> None:
        super().__init__(
            f"{asked} passages were asked for; 1 to {limit} can be.", "Ask for fewer passages."
        )


class ModelError(RagError):
    """The model runtime did not do its part."""


class RuntimeUnreachable(ModelError):
    """Nothing answers at the runtime's address."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f"The model runtime at {url} does not answer.",
            "Start it with `lamplight serve`, or wait a moment if it is starting. "
            "Search still works by keywords.",
        )


class RuntimeTooSlow(ModelError):
    """The runtime took the request and then went silent."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(
            f"The model sent nothing for {timeout_s:.0f} seconds.",
            "Ask again; if it stays slow, choose a smaller model or a machine with more cores.",
        )


class RuntimeBusy(ModelError):
    """The runtime's queue is full."""

    def __init__(self) -> None:
        super().__init__(
            "The model is busy with other questions.", "Wait a few seconds and ask again."
        )


class ModelMissing(ModelError):
    """The runtime does not have the model."""

    def __init__(self, model: str) -> None:
        super().__init__(
            f"The model {model!r} is not installed.", f"Install it: `lamplight pull {model}`."
        )


class ModelRefused(ModelError):
    """The model may not see this data: nobody approved it, or it is blocked."""

    def __init__(
        self, model: str, message: str = "", hint: str = "See the page Models, or ask who runs it."
    ) -> None:
        super().__init__(message or f"The model {model!r} may not be used here.", hint)


class ModelFailed(ModelError):
    """The runtime answered with an error, or with something that is no answer."""

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(
            f"The model {model!r} failed: {reason}",
            "Ask again; if it happens again, look into the runtime's log.",
        )


class AnswerCutShort(ModelError):
    """The stream ended before the model was done; what was shown is not the whole answer."""

    def __init__(self) -> None:
        super().__init__(
            "The connection to the model ended before the answer did.",
            "Ask again. What is shown so far was checked, but is not complete.",
        )


class IndexFault(RagError):
    """The search index could not do what was asked."""


class IndexInUse(IndexFault):
    """Another process owns the index."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"The search index at {path} is open in another process.",
            "Stop the other Lamplight on this data directory, or use its address.",
        )


class IndexUnreadable(IndexFault):
    """The index exists and cannot be read, or was made for other vectors."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"The search index at {path} cannot be used: {reason}",
            "Move it away and start again: the index is rebuilt from the record.",
        )


class EmbeddedByAnother(IndexFault):
    """The policies have vectors of another model than the one that questions would get."""

    def __init__(self, known: str, wanted: str) -> None:
        super().__init__(
            f"The policies here were embedded by {known}, and the settings name {wanted}. Vectors "
            "of two models cannot be compared.",
            f"Set rag.embed_model (LAMPLIGHT_EMBED_MODEL) back to {known}, or load the policies "
            "into a new data directory.",
        )


class IndexUnreachable(IndexFault):
    """The Qdrant server does not answer."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"The Qdrant server at {url} did not serve the request: {reason}",
            "Check that it runs and that the address and key in the settings are right.",
        )


class DiskFull(IndexFault):
    """Writing on would kill the process: Qdrant writes through memory maps."""

    def __init__(self, free_bytes: int, needed_bytes: int) -> None:
        super().__init__(
            f"Only {free_bytes // 2**20} MiB are free on the index's disk; "
            f"{needed_bytes // 2**20} MiB are needed.",
            "Free some space and load the file again; nothing was lost.",
        )


class QuestionFileBad(RagError):
    """A line of a question file cannot be used."""

    def __init__(self, line_number: int, reason: str) -> None:
        super().__init__(
            f"Line {line_number} of the question file: {reason}",
            "Correct the line; the format is described in docs/api.md.",
        )
        self.line_number = line_number
