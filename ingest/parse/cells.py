"""Cells of a sheet as a person reads them: 12.5 %, 2026-03-04, 14:30."""

import re
from datetime import date, datetime, time, timedelta

from ingest.clean import clean_line

_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_DECIMALS = re.compile(r"[0#]\.(0+)")


def cell_text(value: object, number_format: str) -> str:
    """The text of a cell's value under its number format; empty for an empty cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        at_midnight = value.time() == time()
        return (
            value.date().isoformat() if at_midnight else _minutes(value.isoformat(" ", "seconds"))
        )
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return _minutes(value.isoformat("seconds"))
    if isinstance(value, timedelta):
        return _minutes(_duration(value))
    if isinstance(value, (int, float)):
        return _number(value, _QUOTED.sub("", number_format).split(";")[0])
    return clean_line(str(value))


def _minutes(text: str) -> str:
    return text.removesuffix(":00") if text.count(":") > 1 else text


def _duration(value: timedelta) -> str:
    seconds = abs(round(value.total_seconds()))
    sign = "-" if value < timedelta() else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _number(value: float, number_format: str) -> str:
    decimals = _DECIMALS.search(number_format)
    percent = "%" in number_format
    # Binary fractions: 0.07 times 100 is 7.000000000000001 before it is cut to 12 digits.
    shown = float(f"{value * 100:.12g}") if percent else value
    if decimals:
        text = f"{shown:.{len(decimals.group(1))}f}"
    else:
        text = str(shown) if isinstance(shown, int) else f"{shown:.12g}"
    return f"{text} %" if percent else text
