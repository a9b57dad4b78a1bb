"""What `Copy with sources` puts on the clipboard: the answer and its numbered references."""

from rag.schema import Answer
from web.cards import Card


def copy_text(question: str, answer: Answer, cards: tuple[Card, ...], address: str) -> str:
    """Plain text that can stand in an e-mail or a note; address is this server's own."""
    lines = [question, "", answer.answer.strip(), "", "Sources"]
    for card in cards:
        dates = f", in force since {card.in_force_since}" if card.in_force_since else ""
        due = f", next review {card.next_review}" if card.next_review else ""
        lines.append(
            f"[{card.number}] {card.name}, version {card.version}, {card.pages}{dates}{due}"
        )
        lines.append(f"    {address.rstrip('/')}{card.url}")
    return "\n".join(lines)
