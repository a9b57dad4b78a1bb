"""Errors keep what a person needs on their way through workflows."""

import pickle

import pytest

from rag.errors import DiskFull, ModelFailed, QuestionTooLong, RagError, RuntimeUnreachable

RAISED = [
    RuntimeUnreachable("http://127.0.0.1:1/v1"),
    ModelFailed("all-minilm", "it sent no vectors"),
    QuestionTooLong(3000, 2000),
    DiskFull(1, 2),
]


@pytest.mark.parametrize("error", RAISED, ids=lambda e: type(e).__name__)
def test_an_error_survives_pickling(error: RagError) -> None:
    """A recorded step error reads the same after a restart."""
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (again.message, again.hint) == (error.message, error.hint)
