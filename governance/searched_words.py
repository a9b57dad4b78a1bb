"""What is searched of a passage: the title of its policy, the headings above it, and its text."""

from collections.abc import Sequence

# Between the headings of a path.
SEPARATOR = " > "


def searched_words(title: str | None, path: Sequence[str], text: str) -> str:
    """Title and path in one line, without naming the title twice, and the text below."""
    folded = {part.casefold() for part in path[:1]}
    named = [title] if title and title.casefold() not in folded else []
    return "\n".join(part for part in (SEPARATOR.join([*named, *path]), text) if part)
