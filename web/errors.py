"""What the pages and the API refuse by themselves, and what the reader can do about it."""


class WebError(Exception):
    """Base of this package's errors: `message` says what happened, `hint` what to do next."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class HostRefused(WebError):
    """The browser called us by a name that is not ours."""

    def __init__(self) -> None:
        super().__init__(
            "This address does not belong to this server.",
            "Open it by the address that was printed when it started.",
        )


class CrossSiteRefused(WebError):
    """Another site tried to change something here through a person's browser."""

    def __init__(self) -> None:
        super().__init__(
            "This request came from another site, so nothing was changed.",
            "Open the page here and try again.",
        )


class NoDepartment(WebError):
    """Nothing was ever loaded."""

    def __init__(self) -> None:
        super().__init__("There is no department yet.", "Load policies on the documents page.")


class DepartmentNeeded(WebError):
    """There are several departments and none was named."""

    def __init__(self, names: tuple[str, ...], how: str = "") -> None:
        super().__init__(
            "Name the department: there are several.",
            f"Use one of: {', '.join(names)}. {how}".strip(),
        )


class AnswerGone(WebError):
    """The answer is no longer kept."""

    def __init__(self) -> None:
        super().__init__(
            "This answer is not kept any more.",
            "Answers are kept for some hours. Ask the question again to get a current answer.",
        )


class ReaderGone(WebError):
    """Whoever asked does not wait for the answer any more; nobody reads this."""

    def __init__(self) -> None:
        super().__init__("The client went away.", "Ask again.")


class NoFile(WebError):
    """An upload without a file."""

    def __init__(self) -> None:
        super().__init__("No file was chosen.", "Choose one or more files, then load them.")


class TooManyFiles(WebError):
    """An upload with more files than the settings allow."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"More than {limit} files were sent at once.", "Load them in smaller groups."
        )


class BadField(WebError):
    """A field of a form or request cannot be read."""


class WrongField(BadField):
    """One field of a form on a page; field: its name, where the page points to."""

    def __init__(self, field: str, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.field = field


class NoPageImage(WebError):
    """The page has no image: it is not a PDF, or has no such page."""

    def __init__(self) -> None:
        super().__init__("This page has no image.", "Read its text in the viewer instead.")


class NoQuestion(WebError):
    """A conversation without a question of the user."""

    def __init__(self) -> None:
        super().__init__(
            "The conversation holds no question.", "Send a last message with the role `user`."
        )


class RuntimeSilent(WebError):
    """The model runtime cannot be reached to pass a request on."""

    def __init__(self) -> None:
        super().__init__(
            "The model runtime does not answer.", "Start it with `lamplight serve`, or wait."
        )


class UpstreamsDown(WebError):
    """No server answers for models that answers need."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(
            f"No server answers for {', '.join(names)}.",
            "Look at the servers of runtime.upstreams; `lamplight doctor` says how each is.",
        )


class ModelsMissing(WebError):
    """The runtime does not have every model that answers need."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(
            f"Not installed: {', '.join(names)}.",
            f"Install: {'; '.join(f'lamplight pull {name}' for name in names)}.",
        )


class IdentityRefused(WebError):
    """What the identity provider or the browser brought does not prove who this is."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"You were not signed in. {reason}",
            "Start again from the sign-in page. If it happens again, show this to your "
            "administrator.",
        )
        self.reason = reason


class UnknownSigningKey(IdentityRefused):
    """The key set, as we know it, does not hold the key that a token names."""

    def __init__(self) -> None:
        super().__init__("The token is signed with a key that the provider does not publish.")


class ProviderUnreachable(WebError):
    """The identity provider does not answer, or not with what it must."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The identity provider cannot be used at the moment. {reason}",
            "Whoever is signed in stays signed in. Try again in some minutes; if it lasts, tell "
            "your administrator.",
        )
        self.reason = reason


class ProviderSilent(ProviderUnreachable):
    """The identity provider gives no answer at all; what it said before may still be used."""

    def __init__(self) -> None:
        super().__init__("It does not answer.")


class CertificateRefused(WebError):
    """A client certificate does not prove who this is."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The client certificate is refused. {reason}",
            "Ask whoever issues your certificates for a new one.",
        )
        self.reason = reason


class BadGroupRoles(WebError):
    """The mapping of groups to roles cannot be read."""


class BadProviderSettings(WebError):
    """The settings of the identity provider or of TLS do not fit together."""


class SocketOnly(WebError):
    """An act that only the owner of the machine can ask for came over the network."""


class NotSignedIn(WebError):
    """Nobody is known to have sent this request."""


class NoCredential(NotSignedIn):
    """The request shows nothing that says who sent it."""

    def __init__(self) -> None:
        super().__init__(
            "You are not signed in.",
            "Sign in, or send a Lamplight key as `Authorization: Bearer KEY`.",
        )


class SessionEnded(NotSignedIn):
    """The browser's session is over: by time, by sign-out, or because an account was closed."""

    def __init__(self) -> None:
        super().__init__("Your session has ended.", "Sign in again.")


class KeyRefused(NotSignedIn):
    """What stands in the request is no key that is good now."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The key is not accepted. {reason}",
            "Send one `Authorization: Bearer KEY` header with a key that is neither expired nor "
            "revoked.",
        )


class TwoCredentials(NotSignedIn):
    """The request shows in several ways who sent it."""

    def __init__(self) -> None:
        super().__init__(
            "The request says in more than one way who sent it.",
            "Use a session, a key or a client certificate, not two of them.",
        )


class CertificateUnknown(NotSignedIn):
    """A good client certificate names somebody who has no account."""

    def __init__(self, subject: str) -> None:
        super().__init__(
            f"Nobody here is known by the certificate of {subject}.",
            "Ask an administrator for an account with this identity.",
        )


class SessionLocked(WebError):
    """The session waits for its person's password."""

    def __init__(self) -> None:
        super().__init__("This session is locked.", "Unlock it with your password.")


class FormExpired(WebError):
    """A form came without the token of the session, or with another session's."""

    def __init__(self) -> None:
        super().__init__(
            "This page was opened in another session, so nothing was changed.",
            "Open the page again and repeat what you did.",
        )


class Forbidden(WebError):
    """The caller may not do this."""

    def __init__(
        self,
        message: str = "You may not do this.",
        hint: str = "Ask an administrator for the right.",
    ) -> None:
        super().__init__(message, hint)


class AccessEnded(WebError):
    """The right was withdrawn, or the session ended, while an answer was under way."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The answer stopped because your access ended. {reason}",
            "Sign in again, or ask an administrator.",
        )


class PolicyChanged(WebError):
    """A policy went out of force while an answer was written from it."""

    def __init__(self) -> None:
        super().__init__(
            "A policy that this answer was taken from has changed.",
            "Ask again: the next answer comes from the version in force now.",
        )


class FrontEndMissing(WebError):
    """The front-end files were not built."""

    def __init__(self) -> None:
        super().__init__("The front-end files are missing.", "Build them: npm ci && npm run build.")
