"""What a model can be asked for, in Ollama's words. Pure: it looks at the file and its template.

embedding    it makes vectors, and cannot write
rerank       it scores texts against a question, and neither writes nor makes vectors
completion   it writes
tools        its template takes a list of tools
insert       its vocabulary has the marks for filling in between two texts, or its template does it
thinking     its template knows of thoughts
vision       a projector stands beside it
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from runtime.errors import BadTemplate
from runtime.go_chat import GoChat
from runtime.inspect import ModelFile

EMBEDDING, COMPLETION, TOOLS = "embedding", "completion", "tools"
INSERT, THINKING = "insert", "thinking"
VISION = "vision"
RERANK = "rerank"  # a word of ours: Ollama has none for it

_TOOLS = re.compile(r"\{[{%][^}]*\btools\b")
_THINKING = re.compile(r"</?think>|enable_thinking|reasoning_content|reasoning_effort")
_GO = re.compile(
    r"\{\{-?\s*(?:[.$(]|/\*|(?:if|else|end|range|with|define|template|block|break|continue|and|or|not"
    r"|eq|ne|len|index|slice|printf?|json|currentDate)\b(?!\())"
)
# Every chat template of the other language has one of these.
_JINJA = re.compile(r"\{[%#]")


@dataclass(frozen=True, slots=True)
class InsertMarks:
    """What stands before the beginning, before the end and before the middle of a text."""

    before: str
    after: str
    middle: str


INSERT_MARKS = (
    InsertMarks("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),  # Qwen, CodeGemma
    InsertMarks("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),  # StarCoder, Granite
    InsertMarks("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),  # DeepSeek
    InsertMarks("▁<PRE>", "▁<SUF>", "▁<MID>"),  # Code Llama
)


def insert_marks(vocabulary: Sequence[str]) -> InsertMarks | None:
    """The marks that are words of a vocabulary."""
    words = set(vocabulary)
    return next((m for m in INSERT_MARKS if {m.before, m.after, m.middle} <= words), None)


def inserted(marks: InsertMarks, before: str, after: str) -> str:
    """The prompt that asks for what stands between two texts, which cannot hold marks."""
    first, second = (_without(marks, text) for text in (before, after))
    form = f"{marks.before}{first}{marks.after}{second}{marks.middle}"
    return form.replace("▁<", " <")


def capabilities_of(
    file: ModelFile, template: str, marks: InsertMarks | None = None
) -> tuple[str, ...]:
    """What a model can do with this template."""
    if file.embeds:
        return (RERANK,) if file.reranks else (EMBEDDING,)
    tools, inserts, thinks = _of_template(template)
    found = {
        COMPLETION: True,
        TOOLS: tools,
        INSERT: marks is not None or inserts,
        THINKING: thinks,
    }
    return tuple(name for name, can in found.items() if can)


def is_go_template(template: str) -> bool:
    """Whether a template is written in Go's language, as those packed for Ollama are."""
    return bool(_GO.search(template)) and not _JINJA.search(template)


def inserts(template: str) -> bool:
    """Whether a template itself puts what follows the answer into the prompt."""
    return _of_template(template)[1]


@lru_cache(maxsize=64)  # they are the same for every request of a model
def _of_template(template: str) -> tuple[bool, bool, bool]:
    """Whether a template takes tools, inserts, and knows of thoughts."""
    thinks = bool(_THINKING.search(template))
    if not is_go_template(template):
        return bool(_TOOLS.search(template)), False, thinks
    try:
        go = GoChat(template)
    except BadTemplate:
        return False, False, thinks
    return "tools" in go.names, go.inserts, thinks or "thinking" in go.names


def _without(marks: InsertMarks, text: str) -> str:
    for mark in (marks.before, marks.after, marks.middle):
        text = text.replace(mark.strip("▁"), f"{mark[:2]} {mark[2:]}")
    return text
