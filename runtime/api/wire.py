"""How values look on the wire: JSON lines, server-sent events, times and durations."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

NDJSON = "application/x-ndjson"
EVENT_STREAM = "text/event-stream"
DONE_EVENT = b"data: [DONE]\n\n"
# What Go's longest duration comes to; clients read it as "for ever".
FOREVER = timedelta(days=292 * 365)

_UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+")
_DURATION_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


def json_bytes(value: Any) -> bytes:
    """Compact JSON in UTF-8; half a surrogate pair, which UTF-8 cannot hold, becomes `?`."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", errors="replace")


def json_line(value: Any) -> bytes:
    """One line of a native stream."""
    return json_bytes(value) + b"\n"


def event(value: Any) -> bytes:
    """One event of an OpenAI stream."""
    return b"data: " + json_bytes(value) + b"\n\n"


def named_event(name: str, value: Any) -> bytes:
    """One event with a name of its own."""
    return b"event: " + name.encode() + b"\n" + event(value)


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, as Go writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def now() -> str:
    """The time of an answer."""
    return timestamp(datetime.now(UTC))


def without_zeros(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that Go's `omitempty` would write."""
    return {name: value for name, value in fields.items() if value}


def keep_alive_s(value: Any) -> float | None:
    """Seconds that a model stays loaded: None if not said, -1 for ever. Raises ValueError."""
    if value is None:
        return None
    if isinstance(value, str):
        seconds = duration_s(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    else:
        raise ValueError(f"invalid type for keep_alive: {value!r}")
    return seconds if seconds >= 0 else -1.0


def duration_s(text: str) -> float:
    """A Go duration such as `1h30m` in seconds. Raises ValueError."""
    if text in ("0", "+0", "-0"):
        return 0.0
    if not _DURATION.fullmatch(text):
        if re.fullmatch(r"[+-]?\d+\.?\d*", text):
            raise ValueError(f'time: missing unit in duration "{text}"')
        raise ValueError(f'time: invalid duration "{text}"')
    parts = _DURATION_PART.findall(text)
    seconds = sum(float(number) * _UNITS_S[unit] for number, unit in parts)
    return -seconds if text.startswith("-") else seconds
