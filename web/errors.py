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

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(
            "Name the department: there are several.", f"Use one of: {', '.join(names)}."
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


class ModelsMissing(WebError):
    """The runtime does not have every model that answers need."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(
            f"Not installed: {', '.join(names)}.",
            f"Install: {'; '.join(f'lamplight pull {name}' for name in names)}.",
        )


class FrontEndMissing(WebError):
    """The front-end files were not built."""

    def __init__(self) -> None:
        super().__init__("The front-end files are missing.", "Build them: npm ci && npm run build.")
