"""What a person types while they talk with a model, and what that means. Pure.

A line is said to the model, unless it begins with a slash. Three quotes begin a text of several
lines, which three quotes end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from runtime.errors import BadRequest
from runtime.sampling import Options, read_options

QUOTES = '"""'
HELP = """\
/set parameter NAME VALUE   an option of the model, as temperature 0
/set system TEXT            what the model is told first; \"\"\" for several lines
/set format json, noformat  answers in JSON, or in words
/set think, nothink         whether a model that can shall think
/set verbose, quiet         figures after each answer
/show info|license|modelfile|parameters|system|template
/load MODEL                 talk with another model, from the beginning
/save MODEL                 keep this conversation as a model
/clear                      forget what was said
/bye                        leave
\"\"\"                         begin and end a text of several lines
Ctrl-C ends an answer."""
SHOWN = ("info", "license", "modelfile", "parameters", "system", "template")
THINK = {"think": True, "nothink": False}


class Kind(StrEnum):
    """What a line asks for."""

    NOTHING = "nothing"
    MORE = "more"  # the text goes on in the next line
    SAY = "say"  # to the model
    TELL = "tell"  # to the person
    SHOW = "show"
    LOAD = "load"
    SAVE = "save"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Act:
    """What to do for a line. text: what is said, told, shown, or a model's name."""

    kind: Kind
    text: str = ""


@dataclass(slots=True)
class Talk:
    """One conversation and its wishes."""

    model: str
    form: str = ""
    think: bool | str | None = None
    verbose: bool = False
    system: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    messages: list[dict[str, str]] = field(default_factory=list)
    _open: list[str] | None = None
    _is_system: bool = False

    @property
    def is_open(self) -> bool:
        """Whether a text of several lines goes on."""
        return self._open is not None

    def take(self, line: str) -> Act:
        """What a line means; one inside of three quotes means nothing yet."""
        if self._open is not None:
            return self._go_on(line)
        words = line.strip()
        if words.startswith(QUOTES):
            return self._begin(words[len(QUOTES) :], is_system=False)
        if words.startswith("/"):
            return self._command(words)
        return Act(Kind.SAY, words) if words else Act(Kind.NOTHING)

    def say(self, text: str) -> dict[str, Any]:
        """The request for an answer to a text."""
        self.messages.append({"role": "user", "content": text})
        first = [{"role": "system", "content": self.system}] if self.system else []
        return self.wishes() | {"messages": [*first, *self.messages]}

    def answered(self, text: str) -> None:
        """What the model said, even if it was stopped."""
        if text:
            self.messages.append({"role": "assistant", "content": text})

    def wishes(self) -> dict[str, Any]:
        """What every request of this conversation says."""
        said: dict[str, Any] = {"model": self.model}
        if self.form:
            said["format"] = self.form
        if self.parameters:
            said["options"] = self.parameters
        if self.think is not None:
            said["think"] = self.think
        return said

    def start_over(self, model: str) -> None:
        """Talk with another model."""
        self.model, self.system = model, ""
        self.messages.clear()
        self.parameters.clear()

    def recipe(self, name: str) -> dict[str, Any]:
        """The request to keep this conversation as a model."""
        said: dict[str, Any] = {"model": name, "from": self.model, "messages": self.messages}
        if self.system:
            said["system"] = self.system
        if self.parameters:
            said["parameters"] = self.parameters
        return said

    # --- Texts of several lines ------------------------------------------------------------

    def _begin(self, text: str, *, is_system: bool) -> Act:
        self._open, self._is_system = [], is_system
        return self._go_on(text)

    def _go_on(self, line: str) -> Act:
        assert self._open is not None
        text, _, _ = line.rstrip().rpartition(QUOTES)
        if not line.rstrip().endswith(QUOTES):
            self._open.append(line)
            return Act(Kind.MORE)
        whole = "\n".join([*self._open, text])
        self._open = None
        if self._is_system:
            return self._set_system(whole)
        return Act(Kind.SAY, whole) if whole.strip() else Act(Kind.NOTHING)

    # --- Commands --------------------------------------------------------------------------

    def _command(self, line: str) -> Act:
        name, *words = line.split()
        match name, words:
            case (("/bye" | "/exit"), []):
                return Act(Kind.LEAVE)
            case (("/?" | "/help"), _):
                return Act(Kind.TELL, HELP)
            case "/clear", []:
                self.messages.clear()
                return Act(Kind.TELL, "Cleared session context")
            case "/show", [what] if what in SHOWN:
                return Act(Kind.SHOW, what)
            case (("/load" | "/save"), [model]):
                return Act(Kind.LOAD if name == "/load" else Kind.SAVE, model)
            case "/set", ["system", *_]:
                text = line.split(None, 2)[2] if len(words) > 1 else ""
                if text.startswith(QUOTES):
                    return self._begin(text[len(QUOTES) :], is_system=True)
                return self._set_system(text)
            case "/set", ["parameter", parameter, *values] if values:
                return self._set_parameter(parameter, values)
            case "/set", [*wish]:
                return self._set(wish)
        return _unknown(line)

    def _set(self, wish: Sequence[str]) -> Act:
        match wish:
            case ["format", "json"]:
                self.form = "json"
                return Act(Kind.TELL, "Set format to 'json' mode.")
            case ["noformat"]:
                self.form = ""
                return Act(Kind.TELL, "Disabled format.")
            case [("verbose" | "quiet") as word]:
                self.verbose = word == "verbose"
                return Act(Kind.TELL, f"Set '{word}' mode.")
            case [("think" | "nothink") as word]:
                self.think = THINK[word]
                return Act(Kind.TELL, f"Set '{word}' mode.")
        return _unknown(f"/set {' '.join(wish)}")

    def _set_system(self, text: str) -> Act:
        self.system = text.strip()
        return Act(Kind.TELL, "Set system message.")

    def _set_parameter(self, name: str, values: Sequence[str]) -> Act:
        try:
            value = parameter(name, values)
        except BadRequest as error:
            return Act(Kind.TELL, f"Couldn't set parameter: {error.message}")
        self.parameters[name] = value
        return Act(Kind.TELL, f"Set parameter '{name}' to '{', '.join(values)}'")


def parameter(name: str, values: Sequence[str]) -> Any:
    """An option's value from words. Raises BadRequest."""
    start = getattr(Options(), name, None)
    if start is None:
        raise BadRequest(f"unknown parameter '{name}'")
    if isinstance(start, tuple):
        return list(values)
    try:
        value = type(start)(values[0])
    except ValueError as error:
        raise BadRequest(f"invalid value '{values[0]}' for parameter '{name}'") from error
    read_options({name: value})
    return value


def figures(last: dict[str, Any]) -> str:
    """The figures of an answer, as Ollama's command prints them."""
    counts = {
        "prompt eval": ("prompt_eval_count", "prompt_eval_duration"),
        "eval": ("eval_count", "eval_duration"),
    }
    lines = [
        f"{'total duration:':<22}{last.get('total_duration', 0) / 1e9:.3f}s",
        f"{'load duration:':<22}{last.get('load_duration', 0) / 1e9:.3f}s",
    ]
    for what, (count, duration) in counts.items():
        tokens, seconds = last.get(count, 0), last.get(duration, 0) / 1e9
        rate = tokens / seconds if seconds else 0.0
        lines += [
            f"{what + ' count:':<22}{tokens} token(s)",
            f"{what + ' duration:':<22}{seconds:.3f}s",
            f"{what + ' rate:':<22}{rate:.2f} tokens/s",
        ]
    return "\n".join(lines)


def _unknown(line: str) -> Act:
    return Act(Kind.TELL, f"Unknown command '{line}'. Type /? for help")
