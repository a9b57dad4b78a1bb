"""A question in the words that policies use: the department's abbreviations, written out. Pure."""

from collections.abc import Iterator, Mapping

from rag.words import tokens

MAX_FORMS = 3  # of one abbreviation: more would drown the question
MAX_ADDED = 8
Forms = Mapping[str, tuple[str, ...]]


def written_out(question: str, forms: Forms) -> str:
    """Return the question with the other forms of its abbreviations at its end.

    forms: what each short form stands for; a long form leads to its short one as well.
    """
    asked = f" {' '.join(tokens(question))} "
    added: list[str] = []
    for form, others in _both_ways(forms):
        if _holds(asked, form):
            added += [one for one in others[:MAX_FORMS] if not _holds(asked, one)]
    new = list(dict.fromkeys(added))[:MAX_ADDED]
    return f"{question} ({', '.join(new)})" if new else question


def _both_ways(forms: Forms) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from forms.items()
    for short, longs in forms.items():
        for long in longs:
            yield long, (short,)


def _holds(asked: str, form: str) -> bool:
    words = " ".join(tokens(form))
    return bool(words) and f" {words} " in asked
