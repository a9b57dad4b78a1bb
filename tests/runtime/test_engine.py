"""Models in processes of their own: they share work, and leave when idle or when room is needed."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from runtime.config import RuntimeSettings
from runtime.engine import Engine
from runtime.errors import (
    ServerBusy,
    TooLarge,
)
from runtime.names import parse_name
from runtime.protocol import Delta, Embed, Generate
from runtime.sampling import Options
from runtime.store import Store
from runtime.testing_engine import (
    FOX,
    ask,
    chat_model,
    copy_model,
    drive,
    install_runnable,
    is_gone,
    until,
)

REFERENCE = Path(__file__).parent.parent / "data/runtime/minilm_vectors.json"


def test_several_answers_at_once_are_the_same_as_one_by_one(settings: RuntimeSettings) -> None:
    """Who else is asking does not change an answer, and shared beginnings are reused."""
    questions = [f"{FOX}{end}" for end in ("Who jumps?", "Where is the dog?", "What colour?")]

    async def story(engine: Engine, store: Store) -> None:
        model = chat_model(store)
        async with engine.use(model, 0, None) as entry:
            together = await asyncio.gather(*(ask(engine, entry, q) for q in questions))
            alone = [await ask(engine, entry, q) for q in questions]
        # Rounding depends on the batch, so only the beginning is sure to be the same.
        assert [text[:8] for text, _ in together] == [text[:8] for text, _ in alone]
        assert sum(done.cached_tokens > 100 for _, done in together) >= 2
        assert all(done.cached_tokens > 100 for _, done in alone)

    drive(settings, story)


@pytest.mark.parametrize("cached_contexts", [0, 8])
def test_a_beginning_that_was_given_up_is_brought_back(
    settings: RuntimeSettings, cached_contexts: int
) -> None:
    """Others filled the memory since; with a cache it need not be read again."""
    topics = [f"Ward {number}. {FOX * 2}Who jumps?" for number in range(6)]

    async def story(engine: Engine, store: Store) -> None:
        async with engine.use(chat_model(store), 0, None) as entry:
            told = [await ask(engine, entry, topic) for topic in topics]
            again, done = await ask(engine, entry, topics[0])
        tokens = [one.prompt_tokens for _, one in told]
        assert sum(tokens) > settings.context_length_tokens, "not all of them fit"
        assert (done.cached_tokens > tokens[0] - 32) is (cached_contexts > 0)
        assert again[:8] == told[0][0][:8]

    drive(replace(settings, memory_contexts=1, cached_contexts=cached_contexts), story)


def test_a_step_has_room_for_a_token_of_each_slot(settings: RuntimeSettings) -> None:
    """However small a setting makes it: llama.cpp would abort."""

    async def story(engine: Engine, store: Store) -> None:
        async with engine.use(chat_model(store), 0, None) as entry:
            _, done = await ask(engine, entry, "Who jumps?", num_predict=4)
        assert done.answer_tokens == 4

    drive(replace(settings, batch_tokens=8), story)


def test_a_full_context_shifts_and_goes_on(settings: RuntimeSettings) -> None:
    """An answer longer than the context is written to its limit; without shifting it stops."""

    async def story(engine: Engine, store: Store) -> None:
        model = chat_model(store)
        async with engine.use(model, 0, None) as entry:
            text, done = await ask(
                engine, entry, "Count.", num_ctx=48, num_predict=60, repeat_penalty=1.3
            )
            _, short = await ask(
                engine, entry, "Count.", shift=False, num_ctx=48, num_predict=60, repeat_penalty=1.3
            )
        assert text
        assert done.reason in ("length", "stop")
        assert short.prompt_tokens + short.answer_tokens <= 48

    drive(settings, story)


def test_leaving_early_frees_the_slot(settings: RuntimeSettings) -> None:
    """R-16: an answer nobody listens to any more does not hold up the next."""

    async def story(engine: Engine, store: Store) -> None:
        model = chat_model(store)
        async with engine.use(model, 0, None) as entry:
            options = Options(num_predict=100_000, temperature=1.0)
            for _ in range(2):
                job = Generate(engine.number(), options, ({"role": "user", "content": "Go."},))
                messages = engine.generate(entry, job)
                assert isinstance(await anext(messages), Delta)
                await messages.aclose()
            assert (await ask(engine, entry, "Hi"))[1].answer_tokens

    drive(replace(settings, max_sequences=1), story)


def test_a_full_queue_is_busy(settings: RuntimeSettings) -> None:
    """More requests than may wait are refused at once, with Ollama's words."""

    async def story(engine: Engine, store: Store) -> None:
        model = chat_model(store)
        async with engine.use(model, 0, None), engine.use(model, 0, None):
            with pytest.raises(ServerBusy, match=r"try again\.  maximum pending"):
                async with engine.use(model, 0, None):
                    pass
        async with engine.use(model, 0, None) as entry:
            assert entry.active == 1

    drive(replace(settings, max_sequences=1, max_queue=1), story)


def test_keep_alive_decides_how_long_a_model_stays(settings: RuntimeSettings) -> None:
    """0 unloads after the request, a time after that time, a negative one never."""

    async def story(engine: Engine, store: Store) -> None:
        model = chat_model(store)
        async with engine.use(model, 0, 0) as entry:
            assert engine.loaded() == [entry]
        assert engine.loaded() == []
        async with engine.use(model, 0, -1) as entry:
            pass
        assert engine.expires_in_s(entry) is None
        async with engine.use(model, 0, 0.05) as entry:
            pass
        await until(lambda: not engine.loaded())
        await until(lambda: is_gone(entry.process.pid))

    drive(settings, story)


def test_a_larger_context_loads_the_model_again(settings: RuntimeSettings) -> None:
    """A larger num_ctx needs another process; a smaller one does not."""

    async def story(engine: Engine, store: Store) -> None:
        model = chat_model(store)
        async with engine.use(model, 0, None) as first:
            pass
        async with engine.use(model, 256, None) as second:
            assert second is first
            async with engine.use(model, 2048, None) as third:
                assert third is not first
                assert third.context_tokens == 2048
                assert (await ask(engine, first, "Hi"))[0], "the old one serves its last request"
        assert engine.loaded() == [third]

    drive(settings, story)


def test_the_longest_idle_model_makes_room(settings: RuntimeSettings) -> None:
    """No more models stay in memory than the settings allow."""

    async def story(engine: Engine, store: Store) -> None:
        async with engine.use(chat_model(store), 0, None):
            pass
        async with engine.use(store.read(parse_name("all-minilm")), 0, None) as entry:
            assert engine.loaded() == [entry]

    drive(replace(settings, max_loaded_models=1), story)


def test_vectors_agree_with_sentence_transformers(settings: RuntimeSettings) -> None:
    """E-01, E-08: our converted model gives the vectors of the original, in order."""
    expected = json.loads(REFERENCE.read_text())["vectors"]

    async def story(engine: Engine, store: Store) -> None:
        model = store.read(parse_name("all-minilm"))
        texts = tuple(item["text"] for item in expected)
        async with engine.use(model, 0, None) as entry:
            answer = await engine.embed(entry, Embed(engine.number(), texts))
        for item, content in zip(expected, answer.vectors, strict=True):
            vector = np.frombuffer(content, "<f4")
            assert abs(float(np.linalg.norm(vector)) - 1) < 1e-5
            assert float(vector @ np.array(item["vector"])) >= 0.9999

    drive(settings, story)


def test_flt_7_what_never_fits_is_refused_by_name_before_it_is_loaded(
    settings: RuntimeSettings, tmp_path: Path
) -> None:
    """Nothing else is unloaded for it; a smaller context may fit."""
    install_runnable(tmp_path, "llama", "qwen2")

    async def story(engine: Engine, store: Store) -> None:
        model = store.read(parse_name("llama"))
        async with engine.use(store.read(parse_name("qwen2")), 0, None) as other:
            pass
        engine.budget_bytes = other.need_bytes // 2
        with pytest.raises(TooLarge, match=r"model 'llama.*' needs about") as caught:
            async with engine.use(model, 0, None):
                pass
        assert "LAMPLIGHT_RUNTIME_MEMORY_BYTES" in caught.value.hint
        assert engine.loaded() == [other]
        engine.budget_bytes = other.need_bytes
        async with engine.use(model, 4, None) as entry:
            assert engine.loaded() == [entry], "the other one made room"

    drive(replace(settings, models_dir=tmp_path), story)


def test_the_longest_idle_model_makes_room_in_memory(
    settings: RuntimeSettings, tmp_path: Path
) -> None:
    """Two fit and stay; for a third the one that was not used for longest goes."""
    install_runnable(tmp_path, "llama", "qwen2")

    async def story(engine: Engine, store: Store) -> None:
        llama, qwen = (store.read(parse_name(name)) for name in ("llama", "qwen2"))
        small = chat_model(store)
        async with engine.use(small, 0, 0) as third:
            pass
        async with engine.use(llama, 0, None) as first:
            pass
        async with engine.use(qwen, 0, None) as second:
            assert engine.loaded() == [first, second]
        async with engine.use(llama, 0, None):
            pass
        engine.budget_bytes = sum(entry.need_bytes for entry in (first, second, third)) - 1
        async with engine.use(small, 0, None) as third:
            assert engine.loaded() == [first, third]

    own = replace(settings, models_dir=tmp_path)
    for kind in ("blobs", "manifests"):
        copy_model(settings.models_dir / kind, tmp_path / kind)
    drive(replace(own, memory_bytes=2 * 1024**3), story)
