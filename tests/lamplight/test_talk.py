"""What is typed while one talks with a model, and what it means."""

from typing import Any

import pytest

from lamplight.talk import HELP, Act, Kind, Talk, figures


def talked(*lines: str) -> tuple[Talk, Act]:
    talk = Talk("m")
    acts = [talk.take(line) for line in lines]
    return talk, acts[-1]


@pytest.mark.parametrize(
    ("lines", "kind", "text"),
    [
        (["  Hello there "], Kind.SAY, "Hello there"),
        ([""], Kind.NOTHING, ""),
        (['"""one'], Kind.MORE, ""),
        (['"""one', "  two", '"""'], Kind.SAY, "one\n  two\n"),
        (['"""one', 'two"""'], Kind.SAY, "one\ntwo"),
        (['"""one line"""'], Kind.SAY, "one line"),
        (['"""', '"""'], Kind.NOTHING, ""),
        (['"""', "/bye", '"""'], Kind.SAY, "\n/bye\n"),
        (["/bye"], Kind.LEAVE, ""),
        (["/exit"], Kind.LEAVE, ""),
        (["/?"], Kind.TELL, HELP),
        (["/show template"], Kind.SHOW, "template"),
        (["/load other:1b"], Kind.LOAD, "other:1b"),
        (["/save mine"], Kind.SAVE, "mine"),
        (["/show nothing"], Kind.TELL, "Unknown command '/show nothing'. Type /? for help"),
        (["/set"], Kind.TELL, "Unknown command '/set '. Type /? for help"),
        (["/what"], Kind.TELL, "Unknown command '/what'. Type /? for help"),
        (
            ["/set parameter temperature warm"],
            Kind.TELL,
            "Couldn't set parameter: invalid value 'warm' for parameter 'temperature'",
        ),
        (
            ["/set parameter nobody 1"],
            Kind.TELL,
            "Couldn't set parameter: unknown parameter 'nobody'",
        ),
    ],
)
def test_a_line_means_something(lines: list[str], kind: Kind, text: str) -> None:
    """A text for the model, or a command."""
    assert talked(*lines)[1] == Act(kind, text)


def test_wishes_go_with_every_request() -> None:
    """System text, options, format and thinking; later ones take the place of earlier ones."""
    talk, _ = talked(
        "/set system You are brief.",
        "/set parameter temperature 0.5",
        "/set parameter temperature 0",
        "/set parameter num_predict 5",
        "/set parameter stop a b",
        "/set format json",
        "/set nothink",
        "/set verbose",
    )
    assert talk.verbose
    body = talk.say("Hi")
    assert body == {
        "model": "m",
        "format": "json",
        "options": {"temperature": 0.0, "num_predict": 5, "stop": ["a", "b"]},
        "think": False,
        "messages": [
            {"role": "system", "content": "You are brief."},
            {"role": "user", "content": "Hi"},
        ],
    }
    talk.take("/set noformat")
    assert "format" not in talk.wishes()


def test_a_conversation_grows_and_is_forgotten() -> None:
    """What was said goes along, until /clear; the system text stays."""
    talk, _ = talked('/set system """Be', 'kind."""')
    talk.say("Hi")
    talk.answered("Hello")
    roles = [message["role"] for message in talk.say("Bye")["messages"]]
    assert (roles, talk.system) == (["system", "user", "assistant", "user"], "Be\nkind.")
    assert talk.take("/clear").kind is Kind.TELL
    assert len(talk.say("Again")["messages"]) == 2
    talk.start_over("other")
    assert talk.say("Hi") == {"model": "other", "messages": [{"role": "user", "content": "Hi"}]}


def test_a_conversation_can_be_kept_as_a_model() -> None:
    """Its texts and options become those of the model."""
    talk, _ = talked("/set system Be kind.", "/set parameter temperature 0")
    talk.say("Hi")
    talk.answered("Hello")
    assert talk.recipe("mine") == {
        "model": "mine",
        "from": "m",
        "system": "Be kind.",
        "parameters": {"temperature": 0.0},
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
        ],
    }


def test_figures_have_rates() -> None:
    """Tokens by seconds, and none where nothing was measured."""
    last: dict[str, Any] = {"eval_count": 10, "eval_duration": 2_000_000_000}
    assert "eval rate:            5.00 tokens/s" in figures(last)
    assert "prompt eval rate:     0.00 tokens/s" in figures({})
