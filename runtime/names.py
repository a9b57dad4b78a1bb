"""Names of models: `[host/][namespace/]model[:tag]`, as Ollama reads and shows them."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from runtime.errors import BadName

DEFAULT_HOST = "registry.ollama.ai"
DEFAULT_NAMESPACE = "library"
DEFAULT_TAG = "latest"

# Lengths and alphabets: reference/ollama.md, section 2.2.
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}")
_NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}")
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")


@dataclass(frozen=True, slots=True)
class ModelName:
    """One model, completely named."""

    model: str
    tag: str = DEFAULT_TAG
    namespace: str = DEFAULT_NAMESPACE
    host: str = DEFAULT_HOST

    def __str__(self) -> str:
        """The short form: defaults are left out, the tag never is."""
        if self.host != DEFAULT_HOST:
            return self.full
        if self.namespace != DEFAULT_NAMESPACE:
            return f"{self.namespace}/{self.model}:{self.tag}"
        return f"{self.model}:{self.tag}"

    @property
    def full(self) -> str:
        """The form with nothing left out."""
        return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"

    @property
    def path(self) -> PurePosixPath:
        """Where its manifest lies below `manifests/`."""
        return PurePosixPath(self.host, self.namespace, self.model, self.tag)

    def folded(self) -> str:
        """The form to compare by: names differ by more than case."""
        return self.full.casefold()


def parse_name(text: str) -> ModelName:
    """Read a name and fill in the defaults. Raises BadName."""
    rest = text.split("://", 1)[-1]
    head, slash, last = rest.rpartition("/")
    model, _, tag = last.partition(":")
    host, _, namespace = head.rpartition("/")
    name = ModelName(
        model=model,
        tag=tag if ":" in last else DEFAULT_TAG,
        namespace=namespace if slash else DEFAULT_NAMESPACE,
        host=host or DEFAULT_HOST,
    )
    if not _is_valid(name):
        raise BadName("invalid model name", "Write NAME or NAME:TAG, as in smollm2:135m.")
    return name


def _is_valid(name: ModelName) -> bool:
    return bool(
        _HOST.fullmatch(name.host)
        and _NAMESPACE.fullmatch(name.namespace)
        and _PART.fullmatch(name.model)
        and _PART.fullmatch(name.tag)
    )
