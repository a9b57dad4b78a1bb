"""Turns every error into one shape: status, type, what happened and what to do next."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from governance import errors as governance
from ingest import errors as ingest
from rag import errors as rag
from web import errors as web


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a reader sees it; status is the HTTP status."""

    status: int
    type: str
    message: str
    hint: str


# The first class that fits decides, so a subclass stands before its base.
STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (governance.NotFound, 404),
    (governance.InvalidName, 422),
    (governance.IllegalTransition, 409),
    (governance.PersonExists, 409),
    (governance.LastAdministrator, 409),
    (governance.OwnRights, 403),
    (governance.InvalidGrant, 422),
    (governance.PasswordRefused, 422),
    (governance.SignInRefused, 401),
    (governance.InvalidKey, 422),
    (governance.TicketRefused, 410),
    (governance.BreachListUnreadable, 503),
    (governance.NoSpace, 507),
    (governance.RecordUnusable, 503),
    (governance.RecordNotCopied, 503),
    (governance.BackupRefused, 409),
    (governance.FlowRefused, 403),
    (governance.PasswordsOff, 403),
    (governance.SecretUnsafe, 503),
    (governance.VaultDamaged, 500),
    (governance.TrailBroken, 500),
    (governance.TrailBlocked, 503),
    (governance.AnchorUnreachable, 503),
    (governance.InvalidRetention, 422),
    (governance.InvalidReport, 422),
    (governance.InvalidAbbreviation, 422),
    (governance.InvalidEvaluation, 422),
    (governance.AnswersPaused, 503),
    (governance.InvalidApproval, 422),
    (governance.ModelNotApproved, 403),
    (governance.InvalidQuota, 422),
    (governance.QuotaExceeded, 429),
    (governance.GovernanceError, 500),
    (ingest.FileTooLarge, 413),
    (ingest.UnsupportedType, 415),
    (ingest.RefusedFile, 422),
    (ingest.NoDiskSpace, 507),
    (ingest.CannotWatch, 422),
    (ingest.IngestError, 500),
    (rag.QuestionTooLong, 413),
    (rag.QuestionRefused, 422),
    (rag.RuntimeTooSlow, 504),
    (rag.AnswerCutShort, 502),
    (rag.ModelFailed, 502),
    (rag.ModelRefused, 403),
    (rag.ModelError, 503),
    (rag.DiskFull, 507),
    (rag.RagError, 503),
    (web.HostRefused, 421),
    (web.CrossSiteRefused, 403),
    (web.AnswerGone, 404),
    (web.NoPageImage, 404),
    (web.TooManyFiles, 413),
    (web.RuntimeSilent, 503),
    (web.IdentityRefused, 403),
    (web.ProviderUnreachable, 503),
    (web.CertificateRefused, 401),
    (web.NotSignedIn, 401),
    (web.SessionLocked, 401),
    (web.FormExpired, 403),
    (web.Forbidden, 403),
    (web.AccessEnded, 403),
    (web.PolicyChanged, 409),
    (web.ReaderGone, 499),
    (web.SocketOnly, 403),
    (web.FrontEndMissing, 503),
    (web.WebError, 422),
)

WORDS: Mapping[int, tuple[str, str]] = {
    404: ("There is no page at this address.", "Check the address, or start from the first page."),
    405: ("This address does not take that kind of request.", "See the API's description."),
    413: ("What was sent is too large.", "Send less at once: a shorter question, or fewer files."),
    415: ("What was sent is of a kind that is not read here.", "Send JSON or a form."),
    400: ("The request could not be read.", "Check what was sent and try again."),
}
INTERNAL = Problem(
    500,
    "internal",
    "Something went wrong on our side.",
    "Try again. If it happens again, give the log of the data directory to support.",
)


def problem_of(error: Exception) -> Problem:
    """What to show for an error; an unknown one shows nothing of itself."""
    if isinstance(error, RequestValidationError):
        return _bad_fields(error)
    if isinstance(error, HTTPException):
        return _plain(error)
    for kind, status in STATUSES:
        if isinstance(error, kind):
            message, hint = getattr(error, "message", ""), getattr(error, "hint", "")
            return Problem(status, type_of(error), message, hint)
    return INTERNAL


def type_of(error: Exception) -> str:
    """The stable name of an error: its own `type`, else its class name in snake case."""
    own = getattr(error, "type", None)
    if isinstance(own, str):
        return own
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()


def _plain(error: HTTPException) -> Problem:
    message, hint = WORDS.get(error.status_code, (str(error.detail), INTERNAL.hint))
    types = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "media_type"}
    return Problem(error.status_code, types.get(error.status_code, "bad_request"), message, hint)


def _bad_fields(error: RequestValidationError) -> Problem:
    unknown, wrong = [], []
    for fault in error.errors():
        name = ".".join(str(part) for part in fault["loc"][1:]) or "the body"
        if fault["type"] == "extra_forbidden":
            unknown.append(name)
        else:
            wrong.append(f"{name}: {fault['msg']}")
    if unknown:
        return Problem(
            422,
            "unknown_field",
            f"Unknown field: {', '.join(unknown)}.",
            "Leave it out; the fields of each request are listed in docs/api.md.",
        )
    return Problem(
        422, "bad_field", f"{'; '.join(wrong)}.", "Correct it and send the request again."
    )
