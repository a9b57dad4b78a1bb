"""What kind of answer a question asks for: a phrase, a sentence, or steps. Pure."""

import re

_YES_OR_NO = re.compile(
    r"\b(?:can|could|may|might|must|should|shall|will|would|do|does|did|is|are|was|were|am|has|have|"
    r"had|need)\b",
    re.I,
)
_ASKS = re.compile(r"\b(?:what|which|who|whom|whose|when|where|why|how)\b", re.I)


def wants_sentence(question: str) -> bool:
    """Tell whether a few words would not answer: a bare Yes says too little about a rule."""
    return _ASKS.search(question) is None or _YES_OR_NO.match(question) is not None
