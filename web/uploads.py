"""Takes uploaded files from a form to the loader, each on its own: one bad file stops no other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from governance.errors import NotFound
from governance.policies import Department, PolicyStore
from governance.policy_fields import DATES, NAMES, PolicyFields
from ingest.errors import FileTooLarge, in_words
from ingest.workflow import Submitted
from web.caller import Caller
from web.errors import BadField, NoFile, TooManyFiles
from web.parts import Platform
from web.problems import Problem, problem_of

# What a form may say about a policy, beside its file.
FIELDS = NAMES


@dataclass(frozen=True, slots=True)
class Handed:
    """What became of one file when it was handed in.

    title: of the document that already holds the same bytes, for a duplicate.
    """

    file_name: str
    submitted: Submitted | None
    title: str = ""
    problem: Problem | None = None


def files_of(form: FormData, max_files: int) -> Sequence[UploadFile]:
    """The files of a form that have a name. Raises NoFile, TooManyFiles."""
    files = [
        file for file in form.getlist("file") if isinstance(file, UploadFile) and file.filename
    ]
    if not files:
        raise NoFile
    if len(files) > max_files:
        raise TooManyFiles(max_files)
    return files


def fields_of(form: FormData) -> PolicyFields:
    """What the form says about the policy. Raises BadField."""
    given: dict[str, Any] = {name: _text(form, name) for name in FIELDS}
    return PolicyFields(**given | {name: _date(name, given[name]) for name in DATES})


async def hand_in(
    platform: Platform,
    caller: Caller,
    file: UploadFile,
    department: Department,
    fields: PolicyFields | None = None,
    *,
    replaces: str | None = None,
    override_reason: str | None = None,
) -> Submitted:
    """Give one file to the loader. Raises RefusedFile, NoSpace, NotFound, InvalidName.

    replaces, override_reason: as for `ingest.workflow.Loader.submit`; who may is asked before.
    """
    name, limit_bytes = file.filename or "", platform.settings.max_file_bytes
    if (file.size or 0) > limit_bytes:
        raise FileTooLarge(
            f"{name} is larger than {in_words(limit_bytes)}.", "Split it, and load its parts."
        )
    content = await file.read()
    submit = partial(platform.loader.submit, replaces=replaces, override_reason=override_reason)
    return await run_in_threadpool(submit, caller.actor, name, content, department, fields)


async def hand_in_all(
    platform: Platform, caller: Caller, files: Sequence[UploadFile], department: Department
) -> tuple[Handed, ...]:
    """Give every file to the loader, and note what became of each."""
    handed: list[Handed] = []
    for file in files:
        name = file.filename or ""
        try:
            submitted = await hand_in(platform, caller, file, department)
        except Exception as error:
            problem = problem_of(error)
            if problem.type == "internal":
                raise
            handed.append(Handed(name, None, problem=problem))
        else:
            handed.append(Handed(name, submitted, await _known_title(platform.policies, submitted)))
    return tuple(handed)


async def _known_title(policies: PolicyStore, submitted: Submitted) -> str:
    if submitted.job_id is not None:
        return ""
    try:
        return (await run_in_threadpool(policies.document, submitted.document_id)).title
    except NotFound:  # removed in this very moment
        return "another document"


def _text(form: FormData, name: str) -> str | None:
    value = form.get(name)
    return (value.strip() or None) if isinstance(value, str) else None


def date_of(value: str | None) -> date | None:
    """A day as forms send it, `2026-03-01`. Raises ValueError."""
    return None if value is None else date.fromisoformat(value)


def _date(name: str, value: str | None) -> date | None:
    try:
        return date_of(value)
    except ValueError:
        raise BadField(
            f"{name} is not a date: {(value or '')[:40]!r}.",
            "Write it as year-month-day: 2026-03-01.",
        ) from None
