"""What a model can be asked for, in Ollama's words. Pure: it looks at the file and its template.

embedding    it makes vectors, and cannot write
completion   it writes
tools        its template takes a list of tools
insert       its vocabulary has the marks for filling in between two texts
thinking     its template knows of thoughts
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runtime.inspect import ModelFile

EMBEDDING, COMPLETION, TOOLS = "embedding", "completion", "tools"
INSERT, THINKING = "insert", "thinking"

_TOOLS = re.compile(r"\{[{%][^}]*\btools\b")
_THINKING = re.compile(r"</?think>|enable_thinking|reasoning_content|reasoning_effort")
_GO = re.compile(r"\{\{-?\s*(?:(?:if|range|with|else if)\b[^}]*\s)?[.$][A-Za-z]*")


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
        return (EMBEDDING,)
    found = {
        COMPLETION: True,
        TOOLS: bool(_TOOLS.search(template)),
        INSERT: marks is not None,
        THINKING: bool(_THINKING.search(template)),
    }
    return tuple(name for name, can in found.items() if can)


def is_go_template(template: str) -> bool:
    """Whether a template is written in Go's language, which we do not speak."""
    return bool(_GO.search(template))


def _without(marks: InsertMarks, text: str) -> str:
    for mark in (marks.before, marks.after, marks.middle):
        text = text.replace(mark.strip("▁"), f"{mark[:2]} {mark[2:]}")
    return text
