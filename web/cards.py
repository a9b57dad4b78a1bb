"""Source cards: what stands behind each marker of an answer, in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from rag.schema import Answer, Citation, Passage
from web.wording import date_words, name_words, pages_words


@dataclass(frozen=True, slots=True)
class Card:
    """One source: number is the marker, quotes are the words that support the answer."""

    number: int
    name: str
    version: int
    department: str
    section: str
    pages: str
    in_force_since: str
    next_review: str
    overdue: bool
    url: str
    quotes: tuple[str, ...] = ()
    excerpt: str = ""
    document_id: str = ""

    @property
    def label(self) -> str:
        """What a screen reader calls the source: `Source 1: PH-014 Vials, page 3`."""
        return f"Source {self.number}: {self.name}, {self.pages}"


def cards_of_passages(passages: Sequence[Passage], today: date) -> tuple[Card, ...]:
    """One card per passage; marker n stands for the n-th."""
    return tuple(_card_of(passage, n, today) for n, passage in enumerate(passages, 1))


def cards_of_answer(answer: Answer, today: date) -> tuple[Card, ...]:
    """One card per marker that the answer uses, in order, with all quotes of that marker."""
    found: dict[int, Card] = {}
    for citation in answer.citations:
        card = found.get(citation.marker) or _card_of(citation, citation.marker, today)
        if citation.quote and citation.quote not in card.quotes:
            card = replace(card, quotes=(*card.quotes, citation.quote))
        found[citation.marker] = card
    return tuple(found[number] for number in sorted(found))


def cards_beside(answer: Answer, today: date) -> tuple[Card, ...]:
    """The passages that were read and not cited, with the numbers that they had."""
    cited = {citation.passage_id for citation in answer.citations}
    everything = cards_of_passages(answer.passages, today)
    return tuple(
        card
        for card, passage in zip(everything, answer.passages, strict=True)
        if passage.passage_id not in cited
    )


def by_number(cards: Iterable[Card]) -> Mapping[int, Card]:
    """The cards by the marker that names them."""
    return {card.number: card for card in cards}


def policies_used(answer: Answer) -> int:
    """How many different policies the answer cites."""
    return len({citation.document_id for citation in answer.citations})


def oldest_review(answer: Answer) -> str:
    """The earliest review date among the cited policies, in words; empty where none has one."""
    dates = [citation.review_due for citation in answer.citations if citation.review_due]
    return date_words(min(dates)) if dates else ""


def _card_of(source: Passage | Citation, number: int, today: date) -> Card:
    due = source.review_due
    return Card(
        number=number,
        name=name_words(source.policy_number, source.title),
        version=source.version,
        department=source.department,
        section=source.section,
        pages=pages_words(source.page_from, source.page_to),
        in_force_since=date_words(source.effective_from),
        next_review=date_words(due),
        overdue=bool(due) and date.fromisoformat(str(due)[:10]) < today,
        url=source.url,
        excerpt=source.text if isinstance(source, Passage) else "",
        document_id=source.document_id,
    )
