"""Thoughts, words and calls in an answer that comes in pieces of any size."""

import pytest

from runtime.speech import HERMES, MISTRAL, Called, Said, Speech, Thought, calls_in, form_of

TOOLS = frozenset({"weather"})
CALL = '{"name": "weather", "arguments": {"city": "Oslo"}}'
OSLO = Called("weather", {"city": "Oslo"})


def heard(text: str, size: int, **how: object) -> list[object]:
    """The parts, with neighbours of one kind joined."""
    speech = Speech(**how)  # type: ignore[arg-type]
    parts = [p for at in range(0, len(text), size) for p in speech.feed(text[at : at + size])]
    joined: list[object] = []
    for part in [*parts, *speech.end()]:
        last = joined[-1] if joined else None
        if not isinstance(part, Called) and type(part) is type(last):
            joined[-1] = type(part)(last.text + part.text)  # type: ignore[union-attr]
        else:
            joined.append(part)
    return joined


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("text", "how", "parts"),
    [
        ("Hello <b>", {}, [Said("Hello <b>")]),
        (" Hello\n", {}, [Said(" Hello\n")]),
        ("<think>\nHm.\n</think>\n\nYes", {"thinks": True}, [Thought("Hm."), Said("Yes")]),
        ("<think>\n\n</think>\n\nYes", {"thinks": True}, [Said("Yes")]),
        ("<think>Hm", {"thinks": True}, [Thought("Hm")]),
        ("<thin ice", {"thinks": True}, [Said("<thin ice")]),
        ("<think>x</think>y", {}, [Said("<think>x</think>y")]),
        (f"<tool_call>\n{CALL}\n</tool_call>", {"tools": TOOLS}, [OSLO]),
        (
            f"Well: <tool_call>{CALL}</tool_call>\n<tool_call>{CALL}</tool_call>",
            {"tools": TOOLS},
            [Said("Well:"), OSLO, OSLO],
        ),
        (f"<tool_call>{CALL}", {"tools": TOOLS}, [OSLO]),
        (f"<tool_call>{CALL}</tool_call>", {}, [Said(f"<tool_call>{CALL}</tool_call>")]),
        ("<tool_call>no</tool_call>!", {"tools": TOOLS}, [Said("<tool_call>no</tool_call>!")]),
        (CALL, {"tools": TOOLS}, [OSLO]),
        (f"```json\n{CALL}\n```", {"tools": TOOLS}, [OSLO]),
        (f"<tools>{CALL}</tools>", {"tools": TOOLS}, [OSLO]),
        ('{"name": "other"}', {"tools": TOOLS}, [Said('{"name": "other"}')]),
        ('{"answer": 1}', {"tools": TOOLS}, [Said('{"answer": 1}')]),
        (f"[TOOL_CALLS][{CALL}, {CALL}]", {"tools": TOOLS, "form": MISTRAL}, [OSLO, OSLO]),
        (
            f"<think>I call</think>\n<tool_call>{CALL}</tool_call>",
            {"thinks": True, "tools": TOOLS},
            [Thought("I call"), OSLO],
        ),
    ],
)
def test_c_05_parts_are_told_apart_in_pieces_of_any_size(
    text: str, how: dict[str, object], parts: list[object], size: int
) -> None:
    """No mark is shown to a reader, and nothing that is none is swallowed."""
    assert heard(text, size, **how) == parts


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"{{{CALL}}}", ["weather"]),
        (f"{CALL}; {CALL}", ["weather"] * 2),
        ('{"name": "a", "parameters": "{\\"x\\": 1}"}', ["a"]),
        ('{"name": "a"}', ["a"]),
        ('{"name": 1}', []),
        ('{"name": "a", "arguments": [1]}', []),
        ("[" * 5000, []),
        ("", []),
    ],
)
def test_calls_are_read_as_models_write_them(text: str, names: list[str]) -> None:
    """Doubled braces, several in a row, arguments as a text; anything else is no call."""
    assert [call.name for call in calls_in(text)] == names


def test_the_template_says_which_marks_its_model_uses() -> None:
    """Hermes' unless it shows others."""
    assert form_of("... [TOOL_CALLS] ...") is MISTRAL
    assert form_of("... <tool_call> ...") is form_of("") is HERMES
