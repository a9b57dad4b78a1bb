"""Every error has a status, a type, and words for its reader."""

import pytest
from starlette.exceptions import HTTPException

from governance.errors import NoSpace, UnknownDepartment
from ingest.errors import EmptyFile, FileTooLarge, UnsupportedType
from rag.errors import QuestionEmpty, QuestionTooLong, RuntimeBusy, RuntimeUnreachable
from web.errors import CrossSiteRefused
from web.problems import problem_of


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (UnknownDepartment("m", "h"), 404, "unknown_department"),
        (NoSpace("m", "h"), 507, "no_space"),
        (FileTooLarge("m", "h"), 413, "file_too_large"),
        (UnsupportedType("m", "h"), 415, "unsupported_type"),
        (EmptyFile("m", "h"), 422, "empty_file"),
        (QuestionTooLong(3000, 2000), 413, "question_too_long"),
        (QuestionEmpty(), 422, "question_empty"),
        (RuntimeUnreachable("u"), 503, "runtime_unreachable"),
        (RuntimeBusy(), 503, "runtime_busy"),
        (CrossSiteRefused(), 403, "cross_site_refused"),
        (HTTPException(404), 404, "not_found"),
    ],
)
def test_an_error_has_its_status_and_name(error: Exception, status: int, name: str) -> None:
    """And says what to do next."""
    problem = problem_of(error)
    assert (problem.status, problem.type) == (status, name)
    assert problem.message
    assert problem.hint


def test_an_unforeseen_error_says_nothing_of_itself() -> None:
    """Its text may hold anything."""
    problem = problem_of(ValueError("secret"))
    assert problem.status == 500
    assert "secret" not in problem.message + problem.hint
