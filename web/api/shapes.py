"""The JSON shapes of the platform API, from the values inside. Fields as in the contract."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from governance.erasing import Receipt
from governance.jobs import Job
from governance.page_checks import PageCheck
from governance.policies import DocumentDetail, DocumentSummary
from ingest.difference import Change
from ingest.workflow import Submitted
from rag.schema import Answer, Citation, Passage
from web.problems import Problem

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Json = dict[str, Any]
# A passage's dates are said with its citation.
PASSAGE_HIDDEN = frozenset({"effective_from", "review_due"})
# The key of a version's row, its digest and a person's id stay inside.
SUMMARY_HIDDEN = frozenset({"version_id", "digest", "handed_in_by"})


def passage_json(passage: Passage) -> Json:
    """A passage that was found."""
    return {k: v for k, v in asdict(passage).items() if k not in PASSAGE_HIDDEN}


def citation_json(citation: Citation) -> Json:
    """What stands behind one marker."""
    return asdict(citation)


def answer_json(answer: Answer) -> Json:
    """An answer with its citations and passages."""
    return {
        "id": answer.id,
        "status": answer.status.value,
        "answer": answer.answer,
        "citations": [citation_json(citation) for citation in answer.citations],
        "passages": [passage_json(passage) for passage in answer.passages],
        "model": dict(answer.model),
        "prompt_version": answer.prompt_version,
        "timings_ms": dict(answer.timings_ms),
    }


def problem_json(problem: Problem) -> Json:
    """An error."""
    return {"error": {"type": problem.type, "message": problem.message, "hint": problem.hint}}


def summary_json(summary: DocumentSummary) -> Json:
    """One version of a document."""
    fields = {k: v for k, v in asdict(summary).items() if k not in SUMMARY_HIDDEN}
    return {name: _plain(value) for name, value in fields.items()}


def detail_json(detail: DocumentDetail) -> Json:
    """A document with all of its versions."""
    return {**asdict(detail), "versions": [summary_json(version) for version in detail.versions]}


def version_json(version: DocumentSummary, found: Sequence[PageCheck]) -> Json:
    """A version with what the check of its pages found."""
    return {**summary_json(version), "checks": rows_json(found)}


def change_json(change: Change) -> Json:
    """One change between two versions."""
    return {**asdict(change), "weight": change.weight.name.lower()}


def rows_json(rows: Sequence["DataclassInstance"]) -> list[Json]:
    """Values of a kind, each with all of its fields."""
    return [{name: _plain(value) for name, value in asdict(one).items()} for one in rows]


def receipt_json(receipt: Receipt, department: str) -> Json:
    """What was removed, and what was left."""
    hidden = {"department_id"}
    fields = {k: _plain(v) for k, v in asdict(receipt).items() if k not in hidden}
    return {**fields, "department": department}


def job_json(job: Job) -> Json:
    """A job with its progress."""
    return {
        "job": job.job_id,
        "file_name": job.file_name,
        "department": job.department,
        "document": job.document_id,
        "version": job.version,
        "state": job.state.value,
        "stage": job.stage.value,
        "done": job.done,
        "total": job.total,
        "error": asdict(job.error) if job.error else None,
        "created_at": job.created_at.isoformat(),
        "updated_at": job.updated_at.isoformat(),
    }


def submitted_json(submitted: Submitted) -> Json:
    """What became of an upload."""
    return {
        "document": submitted.document_id,
        "version": submitted.version,
        "job": submitted.job_id,
        "state": submitted.state,
    }


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
