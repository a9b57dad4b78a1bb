"""Finds documents, versions and jobs for a caller: what is not theirs to see is not there."""

from dataclasses import replace

from governance.errors import NotFound
from governance.jobs import Job, JobStore
from governance.permissions import Permission
from governance.policies import DocumentDetail, DocumentSummary, PolicyStore
from governance.versions import VersionState
from web.caller import Caller

NO_DOCUMENT = ("This document is not here.", "It may have been removed.")
NO_JOB = ("There is no such job.", "Load the file again to start a new one.")


def document_for(
    caller: Caller, policies: PolicyStore, document_id: str, permission: Permission
) -> DocumentDetail:
    """A document, to do this with it. Raises NotFound, Forbidden."""
    document = policies.document(document_id)
    caller.require_in(permission, document.department, NotFound(*NO_DOCUMENT))
    return document


def version_for(
    caller: Caller, policies: PolicyStore, document_id: str, number: int
) -> DocumentSummary:
    """One version of a document, to read it. Raises NotFound.

    One that is not in force is there only for those who load and approve documents.
    """
    for version in detail_for(caller, policies, document_id).versions:
        if version.version == number:
            return version
    raise NotFound(f"This document has no version {number}.", "Open its newest version.")


def detail_for(caller: Caller, policies: PolicyStore, document_id: str) -> DocumentDetail:
    """A document with those versions that the caller may see, newest first. Raises NotFound."""
    document = document_for(caller, policies, document_id, Permission.POLICIES_READ)
    if document.department in caller.department_names(Permission.DRAFTS_READ):
        return document
    shown = tuple(one for one in document.versions if one.state is VersionState.EFFECTIVE)
    if not shown:
        raise NotFound(*NO_DOCUMENT)
    return replace(document, versions=shown)


def documents_for(
    caller: Caller, policies: PolicyStore, department: str | None = None
) -> tuple[DocumentSummary, ...]:
    """The versions that the caller may read, of one department or of all of theirs, by title.

    What is not in force yet is among them for those who load and approve documents.
    """
    names = caller.department_names(Permission.POLICIES_READ)
    drafts = caller.department_names(Permission.DRAFTS_READ)
    found = [
        summary
        for name in sorted(names)
        if department in (None, name)
        for summary in policies.documents(name, drafts=name in drafts)
    ]
    return tuple(sorted(found, key=lambda one: (one.title.lower(), one.version)))


def job_for(caller: Caller, jobs: JobStore, job_id: str, permission: Permission) -> Job:
    """A job, to do this with it. Raises NotFound, Forbidden."""
    job = jobs.job(job_id)
    caller.require_in(permission, job.department, NotFound(*NO_JOB))
    return job


def recent_jobs_for(
    caller: Caller, jobs: JobStore, limit: int, department: str | None = None
) -> tuple[Job, ...]:
    """The latest jobs that the caller may see, newest first."""
    names = sorted(caller.department_names(Permission.JOBS_READ))
    found = [
        job for name in names if department in (None, name) for job in jobs.recent(name, limit)
    ]
    found.sort(key=lambda job: job.created_at, reverse=True)
    return tuple(found[:limit])


def open_jobs_for(caller: Caller, jobs: JobStore) -> tuple[Job, ...]:
    """The jobs under way that the caller may see, oldest first."""
    names = sorted(caller.department_names(Permission.JOBS_READ))
    found = [job for name in names for job in jobs.open_jobs(name)]
    return tuple(sorted(found, key=lambda job: job.created_at))
