"""What is kept of questions, and how much may be asked, in words that a department uses."""

from collections.abc import Mapping

from governance.limits import Limit, Period
from governance.retention_rules import RetentionMode

MODE_NAMES: Mapping[RetentionMode, str] = {
    RetentionMode.NONE: "Nothing",
    RetentionMode.METADATA: "No text",
    RetentionMode.MASKED: "Text with names and numbers masked",
    RetentionMode.FULL: "The whole text",
}
MODE_MEANINGS: Mapping[RetentionMode, str] = {
    RetentionMode.NONE: "Only that somebody asked, not even how long the question was.",
    RetentionMode.METADATA: "Who asked when, which policies were used and whether an answer was "
    "found. Not what was asked.",
    RetentionMode.MASKED: "Question and answer, encrypted. Known patterns of names and numbers "
    "are blacked out, but not every one is found.",
    RetentionMode.FULL: "Question and answer, encrypted. Auditors can read them.",
}


def mode_words(mode: RetentionMode | str) -> str:
    """What is kept, in few words."""
    return MODE_NAMES[RetentionMode(mode)]


def cover_words(limit: Limit, names: Mapping[str, str]) -> str:
    """Whom a limit holds for; names: of people."""
    if limit.person_id is not None:
        return names.get(limit.person_id, "one person")
    return "each person" if limit.each_person else "everybody together"


def period_words(period: Period | str) -> str:
    """`a day` or `a month`."""
    return f"a {Period(period).value}"
