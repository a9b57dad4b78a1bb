"""Answers what tokens a text has, and what text tokens stand for."""

from collections.abc import Callable

from runtime.backend import Backend
from runtime.protocol import Detokenize, Failed, FromWorker, Tokenize, Words


class Vocabulary:
    """The words of one model."""

    def __init__(self, backend: Backend, send: Callable[[FromWorker], None]) -> None:
        self._backend = backend
        self._send = send

    def tokenize(self, job: Tokenize) -> None:
        """Send the tokens of a text; names of control tokens in it are ordinary text."""
        tokens = self._backend.tokenize(job.text, special=False)
        self._send(Words(job.id, job.text, tuple(tokens)))

    def detokenize(self, job: Detokenize) -> None:
        """Send the text of tokens."""
        if not all(0 <= token < self._backend.vocabulary_size for token in job.tokens):
            message = "tokens holds numbers that are no tokens of this model"
            self._send(Failed(job.id, "BadRequest", message, ""))
            return
        text = b"".join(self._backend.piece(token) for token in job.tokens)
        self._send(Words(job.id, text.decode(errors="replace"), job.tokens))
