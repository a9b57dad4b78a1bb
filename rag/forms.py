"""What kind of answer a question asks for: a few words, or a sentence. Pure."""

import re

_QUESTION_WORD = re.compile(r"\b(?:what|which|who|whom|whose|when|where|why|how)\b", re.I)
# "May I ...", "Do visitors ...": a bare Yes says too little about a rule.
_YES_OR_NO = re.compile(
    r"(?:can|could|may|might|must|should|shall|will|would|do|does|did|is|are|was|were|am|has|have|"
    r"had|need)\b",
    re.I,
)
_ABOUT_DOING = re.compile(
    r"\b(?:i|my|me|we|our|us)\b|"
    r"\bhow (?:do|does|can|could|should|to|is|are|will|would)\b|"
    r"\bwhat(?:'s| is| are)? (?:if|happens?|to do|do)\b|"
    r"\bwhy\b|\b(?:explain|describe|tell me|steps|process|procedure|requirements?|difference|"
    r"definition|mean|means)\b",
    re.I,
)


def wants_sentence(question: str) -> bool:
    """Tell whether a few words would not answer it: a rule, a procedure, a reason, a yes or no."""
    if _QUESTION_WORD.search(question) is None or _YES_OR_NO.match(question) is not None:
        return True
    return _ABOUT_DOING.search(question) is not None
