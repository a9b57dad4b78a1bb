"""Every use is measured once: reserved before a model works, recorded however it ends."""

import asyncio
import threading
from pathlib import Path

import pytest

from runtime.api.gate import Use, Visit, Visitor
from runtime.api.meter import Meter, answer_tokens_of, prompt_tokens_of
from runtime.api.refusal import LimitReached
from runtime.api.testing import ANYBODY, OpenGate
from runtime.errors import Cancelled, ServerBusy
from runtime.manifest import CONFIG_TYPE, MODEL_TYPE, make_manifest
from runtime.names import parse_name
from runtime.protocol import Embed, Generate
from runtime.sampling import Options
from runtime.store import InstalledModel, Store

VISIT = Visit(Visitor(ANYBODY), "POST /api/chat")


def test_qta_1_a_use_is_recorded_once_with_its_counts(model: InstalledModel) -> None:
    """What the model counted takes the place of what was reserved."""
    gate = OpenGate()

    async def run() -> None:
        async with Meter(gate).charged(VISIT, model, 40, 100) as tally:
            tally.prompt_tokens, tally.answer_tokens = 7, 3
            assert gate.uses == []

    asyncio.run(run())
    assert gate.uses == [Use(str(model.name), model.manifest.digest, 7, 3)]


@pytest.mark.parametrize("error", [ServerBusy("full"), asyncio.CancelledError(), OSError("text")])
def test_qta_1_a_use_that_fails_is_recorded_without_its_text(
    model: InstalledModel, error: BaseException
) -> None:
    """Nothing that was asked may be quoted by an error."""
    gate = OpenGate()

    async def run() -> None:
        async with Meter(gate).charged(VISIT, model, 40):
            raise error

    with pytest.raises(type(error)):
        asyncio.run(run())
    reasons = {"ServerBusy": "ServerBusy", "CancelledError": "Cancelled", "OSError": "Broken"}
    [use] = gate.uses
    assert (use.outcome, use.reason) == ("failed", reasons[type(error).__name__])


@pytest.mark.parametrize(
    ("error", "began", "counted"),
    [
        (asyncio.CancelledError(), True, 40),
        (GeneratorExit(), True, 40),
        (Cancelled("request canceled"), True, 40),
        (asyncio.CancelledError(), False, 0),
        (ServerBusy("full"), False, 0),
        (OSError("our own"), True, 0),
    ],
)
def test_qta_1_whoever_hangs_up_before_the_first_word_has_used_the_model(
    model: InstalledModel, error: BaseException, began: bool, counted: int
) -> None:
    """The prompt counts once a model has it; a fault of ours costs nobody anything."""
    gate = OpenGate()

    async def run() -> None:
        async with Meter(gate).charged(VISIT, model, 40, 100) as tally:
            tally.began = began
            raise error

    with pytest.raises(type(error)):
        asyncio.run(run())
    assert [(use.prompt_tokens, use.answer_tokens) for use in gate.uses] == [(counted, 0)]


def test_qta_1_a_request_that_is_cancelled_again_is_recorded_all_the_same(
    model: InstalledModel,
) -> None:
    """Whoever hangs up twice does not get out of the record."""
    gate = OpenGate()

    async def run() -> None:
        meter, began = Meter(gate), asyncio.Event()

        async def work() -> None:
            async with meter.charged(VISIT, model, 40):
                began.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await began.wait()
        while not task.done():
            task.cancel()
            await asyncio.sleep(0)
        await meter.close()

    asyncio.run(run())
    assert [use.outcome for use in gate.uses] == ["failed"]


def test_qta_1_what_is_set_aside_is_kept_while_an_answer_goes_on(model: InstalledModel) -> None:
    """A slow machine writes for longer than the lease."""

    class LeasingGate(OpenGate):
        def __init__(self) -> None:
            super().__init__()
            self.renewed = threading.Event()

        def reserve(self, _visit: Visit, _tokens: int) -> str | None:
            return "r"

        def renew(self, reservation: str) -> None:
            assert reservation == "r"
            self.renewed.set()

    gate = LeasingGate()

    async def run() -> None:
        async with Meter(gate, renew_s=0.001).charged(VISIT, model, 1):
            assert await asyncio.to_thread(gate.renewed.wait, 10)

    asyncio.run(run())


def test_qta_1_no_model_works_over_the_limit(model: InstalledModel) -> None:
    """The block is never entered."""

    class FullGate(OpenGate):
        def reserve(self, _visit: Visit, _tokens: int) -> str | None:
            raise LimitReached("used up", "Wait.", 60)

    gate = FullGate()

    async def run() -> None:
        async with Meter(gate).charged(VISIT, model, 1):
            raise AssertionError

    with pytest.raises(LimitReached) as caught:
        asyncio.run(run())
    assert caught.value.headers == {"Retry-After": "60"}
    assert gate.uses == []


def test_qta_1_prompt_and_longest_answer_are_reserved() -> None:
    """Without a limit of its own an answer is reserved for as one context."""
    job = Generate(0, Options(num_predict=20), messages=({"role": "user", "content": "a" * 30},))
    assert (prompt_tokens_of(job), answer_tokens_of(job, 4096)) == (10, 20)
    assert answer_tokens_of(Generate(0, Options(), text="a"), 4096) == 4096
    assert answer_tokens_of(Generate(0, Options(num_ctx=99), text="a"), 4096) == 99
    assert prompt_tokens_of(Embed(0, ("abc", "abcd"))) == 3


@pytest.fixture
def model(tmp_path: Path) -> InstalledModel:
    store = Store(tmp_path)
    config, file = store.add_bytes(CONFIG_TYPE, b"{}"), store.add_bytes(MODEL_TYPE, b"GGUF")
    store.write_model(parse_name("tiny"), make_manifest(config, (file,)))
    return store.read(parse_name("tiny"))
