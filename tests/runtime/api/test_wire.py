"""How values look on the wire."""

from datetime import UTC, datetime
from typing import Any

import pytest

from runtime.api.wire import duration_s, event, json_line, keep_alive_s, timestamp, without_zeros


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        (0, 0),
        (300, 300),
        (1.5, 1.5),
        (-1, -1),
        (-0.5, -1),
        ("5m", 300),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("100ms", 0.1),
        ("-1s", -1),
        ("0", 0),
    ],
)
def test_keep_alive_is_a_number_or_a_duration(value: Any, seconds: float | None) -> None:
    """Numbers are seconds, anything negative is for ever."""
    assert keep_alive_s(value) == seconds


@pytest.mark.parametrize("value", ["300", "five", "", "5 m", "m", True, [], "5x"])
def test_a_bad_keep_alive_is_refused(value: Any) -> None:
    """A string without a unit is no duration."""
    with pytest.raises(ValueError, match=r"duration|type"):
        keep_alive_s(value)


def test_a_missing_unit_is_named_as_go_does() -> None:
    """The text that users know."""
    with pytest.raises(ValueError, match='time: missing unit in duration "300"'):
        duration_s("300")


def test_r_11_times_are_in_utc_and_zeros_are_left_out() -> None:
    """RFC 3339 with Z, and Go's omitempty."""
    assert timestamp(datetime(2026, 1, 2, 3, 4, 5, 6, UTC)) == "2026-01-02T03:04:05.000006Z"
    assert without_zeros({"a": 0, "b": 1, "c": []}) == {"b": 1}


def test_r_13_a_line_is_compact_and_ends_once() -> None:
    """No blank lines, no spaces, letters as they are."""
    assert json_line({"a": "ä", "b": 1}) == '{"a":"ä","b":1}\n'.encode()
    assert event({"a": 1}) == b'data: {"a":1}\n\n'
    assert json_line({"a": "\ud800"}) == b'{"a":"?"}\n'
