"""`lamplight run`: talk with a model in the terminal, or ask it once."""

import contextlib
import json
import re
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from lamplight.commands.options import Data, notes
from lamplight.errors import BadUse, PlatformRefused
from lamplight.runtime_client import RuntimeClient
from lamplight.settings import load_settings
from lamplight.talk import Act, Kind, Talk, figures

THINK_WORDS = {"true": True, "false": False}
MAX_INPUT_CHARS = 16 * 1024 * 1024
_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
EMPTY_INPUT = "There is nothing to ask."


def run(
    model: Annotated[str, typer.Argument(help="An installed model.")],
    prompt: Annotated[list[str] | None, typer.Argument(help="Ask this once, and leave.")] = None,
    form: Annotated[str, typer.Option("--format", help="json: answers in JSON.")] = "",
    verbose: Annotated[bool, typer.Option("--verbose", help="Figures after each answer.")] = False,
    keep_alive: Annotated[
        str, typer.Option("--keepalive", help="How long the model stays in memory, as 5m.")
    ] = "",
    think: Annotated[
        str, typer.Option("--think", help="true, false, low, medium, high or max.")
    ] = "",
    hide_thinking: Annotated[
        bool, typer.Option("--hidethinking", help="Leave thoughts out.")
    ] = False,
    data: Data = None,
) -> None:
    """Talk with a model of the running runtime; what standard input holds is asked once."""
    if form not in ("", "json"):
        raise BadUse("--format is json, or left out.", "For a schema use the interface.")
    talk = Talk(model, form, THINK_WORDS.get(think, think or None), verbose)
    desk = Desk(RuntimeClient(load_settings(data)), talk, keep_alive, shows=not hide_thinking)
    desk.check()
    words = " ".join(prompt or [])
    if not sys.stdin.isatty():
        words = "\n\n".join(part for part in (_piped(), words) if part)
        if not words:
            raise BadUse(EMPTY_INPUT, "Write it behind the model's name.")
    if words:
        desk.ask_once(words)
    else:
        desk.talk()


class Desk:
    """Where a person and a model talk. shows: whether thoughts are printed."""

    def __init__(self, client: RuntimeClient, talk: Talk, keep_alive: str, *, shows: bool) -> None:
        self._client = client
        self._talk = talk
        self._more = {"keep_alive": keep_alive} if keep_alive else {}
        self._shows = shows
        self._embeds = False

    def check(self) -> None:
        """Whether the model is there, and what it can do. Raises PlatformRefused."""
        can = self._shown().get("capabilities", [])
        self._embeds = can == ["embedding"]

    def ask_once(self, words: str) -> None:
        """One answer, or the vector of a text."""
        if self._embeds:
            body = {"model": self._talk.model, "input": words, **self._more}
            found = self._client.ask("POST", "/api/embed", body)
            _write(json.dumps(found["embeddings"][0]) + "\n")
            return
        self._answer("/api/generate", self._talk.wishes() | {"prompt": words})

    def talk(self) -> None:
        """Line by line, until the person leaves."""
        if self._embeds:
            raise BadUse("This model makes vectors and does not talk.", "Give it a text.")
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 - arrows and history in `input`
        loading = {"model": self._talk.model, **self._more}
        self._client.ask("POST", "/api/generate", loading)
        for line in _typed(self._talk):
            act = self._talk.take(line)
            if act.kind is Kind.LEAVE:
                return
            try:
                self._do(act)
            except PlatformRefused as error:
                notes.print(f"Error: {error.message} {error.hint}", style="red", markup=False)

    def _do(self, act: Act) -> None:
        match act.kind:
            case Kind.SAY:
                said = self._answer("/api/chat", self._talk.say(act.text))
                self._talk.answered(said)
            case Kind.TELL:
                _write(act.text + "\n")
            case Kind.SHOW:
                _write(_part(self._shown(), act.text, self._talk) + "\n")
            case Kind.LOAD:
                self._client.ask("POST", "/api/generate", {"model": act.text})
                self._talk.start_over(act.text)
                _write(f"Loaded model '{act.text}'\n")
            case Kind.SAVE:
                body = self._talk.recipe(act.text) | {"stream": False}
                self._client.ask("POST", "/api/create", body)
                _write(f"Created new model '{act.text}'\n")
            case _:
                return

    def _answer(self, path: str, body: dict[str, Any]) -> str:
        """Print an answer as it comes, and give it back; Ctrl-C ends it."""
        answer = _Printed(shows=self._shows)
        with (
            contextlib.suppress(KeyboardInterrupt),
            # Closing it ends the work there.
            contextlib.closing(self._client.lines(path, body | self._more)) as lines,
        ):
            for line in lines:
                answer.take(line)
        _write("\n\n" if sys.stdin.isatty() else "\n")
        if self._talk.verbose and answer.last.get("done"):
            notes.print(figures(answer.last), markup=False)
        return answer.said

    def _shown(self) -> dict[str, Any]:
        found: dict[str, Any] = self._client.ask("POST", "/api/show", {"model": self._talk.model})
        return found


class _Printed:
    """One answer as it is printed. said: without its thoughts; last: what came last of it."""

    def __init__(self, *, shows: bool) -> None:
        self._shows = shows
        self._thinks = False
        self.said = ""
        self.last: dict[str, Any] = {}

    def take(self, line: dict[str, Any]) -> None:
        """Print more of it."""
        message = line.get("message", line)
        thought = message.get("thinking", "") if self._shows else ""
        words = message.get("content", message.get("response", ""))
        if thought:
            _write(("" if self._thinks else "Thinking...\n") + thought)
            self._thinks = True
        if words and self._thinks:
            _write("\n...done thinking.\n\n")
            self._thinks = False
        _write(words)
        self.said += words
        self.last = line


def _typed(talk: Talk) -> Iterator[str]:
    """What a person types, line by line; Ctrl-D ends it."""
    while True:
        try:
            yield input("... " if talk.is_open else ">>> ")
        except KeyboardInterrupt:
            _write("\nUse Ctrl + d or /bye to exit.\n")
        except EOFError:
            _write("\n")
            return


def _part(shown: dict[str, Any], what: str, talk: Talk) -> str:
    if what == "info":
        lines = {**shown["details"], "capabilities": ", ".join(shown["capabilities"])}
        return "\n".join(f"{name:<20} {value}" for name, value in lines.items() if value)
    if what == "system" and talk.system:
        return talk.system
    found = str(shown.get(what, ""))
    if what == "parameters" and talk.parameters:
        own = "\n".join(f"{name:<30} {value}" for name, value in talk.parameters.items())
        found = "\n".join(part for part in (found, "Set here:", own) if part)
    return found or f"No {what} was specified for this model."


def _piped() -> str:
    text = sys.stdin.read(MAX_INPUT_CHARS + 1)
    if len(text) > MAX_INPUT_CHARS:
        raise BadUse("Standard input holds too much.", f"At most {MAX_INPUT_CHARS} characters.")
    return text.strip()


def _write(text: str) -> None:
    # A model may write what a terminal would obey.
    sys.stdout.write(_COMMANDS.sub("", text))
    sys.stdout.flush()
