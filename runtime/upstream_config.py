"""Which models other servers answer for: read from one line of text, or from a table. Pure.

The line is `NAME URL[,URL] [field=value ...]`, and `;` stands between two models:

    qwen2.5:7b https://gpu.example/v1 model=Qwen/Qwen2.5-7B-Instruct context_tokens=32768

In the file the same is a table `[runtime.upstreams."qwen2.5:7b"]` with `url` and those fields.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, get_args, get_type_hints
from urllib.parse import urlsplit

from runtime.errors import BadName, BadUpstream
from runtime.names import parse_name

KNOWN_CAPABILITIES = ("completion", "tools", "thinking", "embedding")
SCHEMA_FORMS = ("json_schema", "json_object")
# What we may send beyond OpenAI's own fields, and which option it is.
MORE_FIELDS: Mapping[str, str] = {
    "top_k": "top_k",
    "min_p": "min_p",
    "typical_p": "typical_p",
    "repeat_penalty": "repeat_penalty",  # llama.cpp
    "repetition_penalty": "repeat_penalty",  # vLLM
}
_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{64}")
_HOW = "Write NAME URL[,URL] [field=value ...]; see docs/operations.md."


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """A model that other servers answer for.

    name: by which our clients ask for it. url: of each server, up to and with `/v1`.
    model: its name there; None means ours. root: what the server must say that it was made of
    (vLLM's `root`), where that is pinned. weights: SHA-256 of its files, as whoever set it up
    declares it. context_tokens: of one request there. key_file: holds the key that we show.
    ca_file: certificates by which a server is known, in place of the system's.
    schema_form: how a JSON schema is asked for: OpenAI's way, or llama-cpp-python's.
    more_fields: options beyond OpenAI's that may be sent.
    max_concurrent: requests at each server at a time; max_queue: that may wait for one.
    check_s: how often servers are looked at; failures: so many in a row and one gets no requests.
    read_timeout_s: between two parts of an answer; answer_timeout_s: for all of it.
    insecure_plain_http: prompts may go to another machine without encryption.
    """

    name: str
    url: tuple[str, ...]
    model: str | None = None
    root: str = ""
    weights: str = ""
    context_tokens: int = 4096
    capabilities: tuple[str, ...] = ("completion",)
    key_file: Path | None = None
    ca_file: Path | None = None
    schema_form: str = "json_schema"
    more_fields: tuple[str, ...] = ()
    max_concurrent: int = 16
    max_queue: int = 64
    check_s: float = 5.0
    failures: int = 2
    connect_timeout_s: float = 3.0
    read_timeout_s: float = 120.0
    answer_timeout_s: float = 900.0
    max_answer_bytes: int = 128 * 1024**2
    insecure_plain_http: bool = False

    @property
    def remote_model(self) -> str:
        """What the model is called there."""
        return self.model or self.name


def read_upstreams(given: object) -> tuple[UpstreamSettings, ...]:
    """All upstream models of a setting: a line of text, or tables by name. Raises BadUpstream."""
    if isinstance(given, str):
        tables = [_from_line(line) for line in given.split(";") if line.strip()]
    elif isinstance(given, Mapping):
        tables = [_from_table(name, table) for name, table in given.items()]
    elif isinstance(given, tuple):
        return given  # read before
    else:
        raise BadUpstream("runtime.upstreams is neither text nor tables", _HOW)
    found = tuple(_read(name, table) for name, table in tables)
    names = [parse_name(one.name).folded() for one in found]
    if len(set(names)) < len(names):
        raise BadUpstream("runtime.upstreams names one model twice", _HOW)
    return found


def _from_line(line: str) -> tuple[str, dict[str, Any]]:
    name, *rest = line.split()
    if not rest or "=" in rest[0].partition("?")[0]:
        raise BadUpstream(f"the upstream '{name}' has no address", _HOW)
    words = [word.partition("=") for word in rest[1:]]
    bad = [word for word, equals, _ in words if not equals]
    if bad:
        raise BadUpstream(f"the upstream '{name}' has a field without value: {bad[0]}", _HOW)
    return name, {"url": rest[0]} | {field: value for field, _, value in words}


def _from_table(name: str, table: object) -> tuple[str, dict[str, Any]]:
    if not isinstance(table, Mapping):
        table = {"url": table}
    return name, dict(table)


def _read(name: str, table: Mapping[str, Any]) -> UpstreamSettings:
    hints = get_type_hints(UpstreamSettings)
    known = {one.name for one in fields(UpstreamSettings)} - {"name"}
    unknown = sorted(set(table) - known)
    if unknown:
        raise BadUpstream(
            f"the upstream '{name}' has no field {unknown[0]}",
            f"Fields: {', '.join(sorted(known))}.",
        )
    try:
        values = {field: _value(value, hints[field]) for field, value in table.items()}
    except (ValueError, TypeError) as error:
        raise BadUpstream(f"the upstream '{name}' has a bad value: {error}", _HOW) from error
    if not values.get("url"):
        raise BadUpstream(f"the upstream '{name}' has no address", _HOW)
    settings = UpstreamSettings(name=name, **values)
    _check(settings)
    return settings


def _value(given: Any, wanted: Any) -> Any:
    """A value in the type of its field. Raises ValueError, TypeError."""
    options = [one for one in get_args(wanted) if one not in (type(None), Ellipsis)]
    if getattr(wanted, "__origin__", None) is tuple:
        items = given.split(",") if isinstance(given, str) else given
        if not all(isinstance(item, str) for item in items):
            raise ValueError(f"{given!r} is no list of texts")
        return tuple(item.strip() for item in items if item.strip())
    kind = options[0] if options else wanted
    if kind is bool:
        return _flag(given)
    if isinstance(given, bool):
        raise ValueError(given)
    if kind is Path:
        return Path(given).expanduser().absolute()
    return kind(given)


def _flag(given: Any) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if str(given).lower() not in words:
        raise ValueError(f"{given!r} is neither true nor false")
    return words[str(given).lower()]


def _check(one: UpstreamSettings) -> None:
    """Raises BadUpstream."""
    try:
        parse_name(one.name)
    except BadName as error:
        raise BadUpstream(f"'{one.name}' is no name of a model", error.hint) from error
    for url in one.url:
        _check_url(one, url)
    _check_words(one, "capabilities", one.capabilities, KNOWN_CAPABILITIES)
    _check_words(one, "schema_form", (one.schema_form,), SCHEMA_FORMS)
    _check_words(one, "more_fields", one.more_fields, tuple(MORE_FIELDS))
    if "embedding" in one.capabilities and len(one.capabilities) > 1:
        raise BadUpstream(f"the upstream '{one.name}' cannot both embed and write", _HOW)
    if not one.capabilities:
        raise BadUpstream(f"the upstream '{one.name}' can do nothing", _HOW)
    if one.weights and not _DIGEST.fullmatch(one.weights):
        raise BadUpstream(f"weights of '{one.name}' is no SHA-256", "Write 64 hex digits.")
    limits = (one.context_tokens, one.max_concurrent, one.failures, one.max_answer_bytes)
    times = (one.check_s, one.connect_timeout_s, one.read_timeout_s, one.answer_timeout_s)
    if not all(0 < limit < float("inf") for limit in (*limits, *times)) or one.max_queue < 0:
        raise BadUpstream(f"a limit of the upstream '{one.name}' is not above 0", _HOW)


def _check_url(one: UpstreamSettings, url: str) -> None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise BadUpstream(
            f"the upstream '{one.name}' has an address with a bad port", _HOW
        ) from error
    shown = f"{parts.scheme}://{parts.hostname}"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadUpstream(f"the upstream '{one.name}' has no address of the form http(s)://…", _HOW)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise BadUpstream(
            f"the address {shown} of the upstream '{one.name}' holds more than a place",
            "A key goes into a file: key_file=PATH.",
        )
    if parts.scheme == "http" and not is_here(parts.hostname) and not one.insecure_plain_http:
        raise BadUpstream(
            f"the upstream '{one.name}' at {shown} would get prompts without encryption",
            "Use https, or set insecure_plain_http=true where something else encrypts.",
        )


def _check_words(
    one: UpstreamSettings, field: str, given: Iterable[str], known: tuple[str, ...]
) -> None:
    bad = [word for word in given if word not in known]
    if bad:
        raise BadUpstream(
            f"{field} of the upstream '{one.name}' cannot be {bad[0]!r}",
            f"It can be: {', '.join(known)}.",
        )


def is_here(host: str) -> bool:
    """Whether an address is this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
