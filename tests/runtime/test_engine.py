"""Models in processes of their own: they share work, die alone, and leave when idle."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from runtime.config import RuntimeSettings
from runtime.enclosure import standing_walls
from runtime.engine import Engine, Loaded
from runtime.errors import (
    BadModelFile,
    LoadFailed,
    Quarantined,
    ServerBusy,
    TooLarge,
    WorkerDied,
    WrongDigest,
)
from runtime.gguf import read_header
from runtime.inspect import inspect_here
from runtime.manifest import CONFIG_TYPE, MODEL_TYPE, Layer, make_manifest
from runtime.names import parse_name
from runtime.protocol import Delta, Done, Embed, Generate
from runtime.quarantine import Quarantine
from runtime.sampling import Options, read_options
from runtime.store import InstalledModel, Store, sha256_of
from runtime.testing import write_tiny_gguf
from runtime.testing_gguf import write_runnable_gguf
from runtime.walls import Wall

REFERENCE = Path(__file__).parent.parent / "data/runtime/minilm_vectors.json"
FOX = "The quick brown fox jumps over the lazy dog near the river bank. " * 12


def drive(
    settings: RuntimeSettings,
    story: Callable[[Engine, Store], Awaitable[None]],
) -> None:
    """Run a story with an engine, and close it whatever happens."""

    async def run() -> None:
        store = Store(settings.models_dir)
        engine = Engine(settings, store)
        try:
            await story(engine, store)
        finally:
            await engine.close()

    asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens in another process."""
    while not condition():  # noqa: ASYNC110 - no event of ours tells of it
        await asyncio.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Whether no process has this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def ask(
    engine: Engine, entry: Loaded, text: str, shift: bool = True, **options: object
) -> tuple[str, Done]:
    parts: list[str] = []
    chosen = read_options({"temperature": 0.0, "num_predict": 8} | options)
    job = Generate(engine.number(), chosen, ({"role": "user", "content": text},), shift=shift)
    async for message in engine.generate(entry, job):
        if isinstance(message, Delta):
            parts.append(message.text)
        else:
            return "".join(parts), message
    raise AssertionError("an answer has an end")


def chat_model(store: Store) -> InstalledModel:
    return store.read(parse_name("smollm2:135m"))


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


def test_a_worker_that_dies_takes_only_its_requests_with_it(settings: RuntimeSettings) -> None:
    """Its request gets an error that says so; the next one is answered by a new process."""

    async def story(engine: Engine, store: Store) -> None:
        model = chat_model(store)
        with pytest.raises(WorkerDied) as caught:
            async with engine.use(model, 0, None) as entry:
                first = entry.process.pid
                options = Options(num_predict=500)
                job = Generate(engine.number(), options, ({"role": "user", "content": FOX},))
                async for _ in engine.generate(entry, job):
                    os.kill(first, signal.SIGKILL)
        assert "Try again" in caught.value.hint
        async with engine.use(model, 0, None) as entry:
            assert entry.process.pid != first
            assert (await ask(engine, entry, "Hi"))[0]

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


def install(folder: Path, *, intact: bool) -> Store:
    """A store with a model that cannot run."""
    store = Store(folder)
    write_tiny_gguf(folder / "tiny.gguf")
    digest = sha256_of(folder / "tiny.gguf")
    store.add_file(folder / "tiny.gguf", digest)
    if not intact:
        with store.blob_path(digest).open("ab") as file:
            file.write(b"!")
    config = store.add_bytes(CONFIG_TYPE, b"{}")
    store.write_model(parse_name("tiny"), make_manifest(config, (Layer(MODEL_TYPE, digest, 1),)))
    return store


@pytest.mark.parametrize(
    ("intact", "kind", "hint"),
    [(True, LoadFailed, "pull the model again"), (False, WrongDigest, "lamplight pull tiny")],
)
def test_a_model_that_cannot_be_loaded_says_why(
    settings: RuntimeSettings, tmp_path: Path, intact: bool, kind: type[Exception], hint: str
) -> None:
    """A file without a usable model, and one that has changed, are told apart."""

    async def story(engine: Engine, store: Store) -> None:
        with pytest.raises(kind) as caught:
            async with engine.use(store.read(parse_name("tiny")), 0, None):
                pass
        assert hint in caught.value.hint  # type: ignore[attr-defined]
        assert engine.loaded() == []

    install(tmp_path, intact=intact)
    drive(replace(settings, models_dir=tmp_path), story)


def test_a_worker_knows_nothing_of_ours(
    settings: RuntimeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither our environment nor any connection but the one to us."""
    monkeypatch.setenv("LAMPLIGHT_SECRET", "x")
    our_network = Path("/proc/self/ns/net").readlink()

    async def story(engine: Engine, store: Store) -> None:
        async with engine.use(chat_model(store), 0, None) as entry:
            process = Path(f"/proc/{entry.process.pid}")
            assert b"LAMPLIGHT" not in (process / "environ").read_bytes()
            links = [str(fd.readlink()) for fd in (process / "fd").iterdir()]
            assert sum(link.startswith("socket:") for link in links) == 1
            status = (process / "status").read_text()
            standing = standing_walls()
            assert (Wall.CALLS in standing) == ("Seccomp:\t2" in status)
            assert (Wall.CALLS in standing) <= ("NoNewPrivs:\t1" in status)
            own_network = (process / "ns/net").readlink() != our_network
            assert (Wall.NETWORK in standing) == own_network

    drive(settings, story)


def test_a_worker_ends_with_its_front(settings: RuntimeSettings) -> None:
    """When the serving process is killed, no model stays behind in memory."""
    program = f"""
import asyncio
from pathlib import Path
from runtime.config import RuntimeSettings
from runtime.engine import Engine
from runtime.names import parse_name
from runtime.store import Store

async def main():
    store = Store(Path({str(settings.models_dir)!r}))
    engine = Engine(RuntimeSettings(store.models_dir), store)
    async with engine.use(store.read(parse_name("all-minilm")), 0, None) as entry:
        print(entry.process.pid, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as front:
        assert front.stdout
        pid = int(front.stdout.readline())
        front.kill()
    asyncio.run(until(lambda: is_gone(pid)))
    assert is_gone(pid)


def install_runnable(folder: Path, *names: str) -> Store:
    """A store with chat models of a few kilobytes; each architecture is a model of its own."""
    store = Store(folder)
    for name in names:
        write_runnable_gguf(folder / name, name)
        size, digest = (folder / name).stat().st_size, sha256_of(folder / name)
        store.add_file(folder / name, digest)
        config = store.add_bytes(CONFIG_TYPE, b"{}")
        layers = (Layer(MODEL_TYPE, digest, size),)
        store.write_model(parse_name(name), make_manifest(config, layers))
    return store


async def write(engine: Engine, entry: Loaded) -> Done:
    """A few tokens of an answer, whatever they say."""
    job = Generate(engine.number(), Options(num_predict=4), text="The ward")
    async for message in engine.generate(entry, job):
        if isinstance(message, Done):
            return message
    raise AssertionError("an answer has an end")


def test_flt_6_prv_4_a_damaged_file_is_refused_before_llama_cpp(
    settings: RuntimeSettings, tmp_path: Path
) -> None:
    """Cut at 20 places, or with one of 50 bits of its header turned over, while others serve on."""
    store = install_runnable(tmp_path, "llama", "qwen2")
    model = store.read(parse_name("llama"))
    good = model.path.read_bytes()
    header_bytes = read_header(good, len(good)).end
    chosen = random.Random(6)
    cuts = [good[: len(good) * n // 20] for n in range(20)]
    flips = []
    for bit in chosen.sample(range(header_bytes * 8), 50):
        flipped = bytearray(good)
        flipped[bit // 8] ^= 1 << bit % 8
        flips.append(bytes(flipped))
    for content in cuts[1:]:
        (tmp_path / "cut").write_bytes(content)
        with pytest.raises(BadModelFile):
            inspect_here(tmp_path / "cut")

    async def story(engine: Engine, store: Store) -> None:
        async with engine.use(store.read(parse_name("qwen2")), 0, None) as other:
            for content in [*cuts, *flips]:
                model.path.write_bytes(content)
                with pytest.raises((BadModelFile, WrongDigest)):
                    async with engine.use(model, 0, None):
                        pass
                assert engine.loaded() == [other]
            assert await write(engine, other)
        model.path.write_bytes(good)
        async with engine.use(model, 0, None) as entry:
            assert await write(engine, entry)

    drive(replace(settings, models_dir=tmp_path), story)


def test_prv_4_a_file_that_changed_since_is_refused(
    settings: RuntimeSettings, tmp_path: Path
) -> None:
    """Also if its size and its times are put back."""
    model = install_runnable(tmp_path, "llama").read(parse_name("llama"))

    async def story(engine: Engine, store: Store) -> None:
        async with engine.use(model, 0, 0):
            pass
        before = model.path.stat()
        content = bytearray(model.path.read_bytes())
        content[-1] ^= 1
        model.path.write_bytes(content)
        os.utime(model.path, ns=(before.st_atime_ns, before.st_mtime_ns))
        with pytest.raises(WrongDigest):
            async with engine.use(model, 0, None):
                pass

    drive(replace(settings, models_dir=tmp_path), story)


def test_oll_7_three_deaths_quarantine_a_model(settings: RuntimeSettings, tmp_path: Path) -> None:
    """Its requests get an error, other models serve on, and a restart changes nothing."""
    model = install_runnable(tmp_path, "llama", "qwen2").read(parse_name("llama"))
    told: list[InstalledModel] = []

    async def die(engine: Engine) -> None:
        with pytest.raises(WorkerDied):
            async with engine.use(model, 0, None) as entry:
                os.kill(entry.process.pid, signal.SIGKILL)
                await write(engine, entry)
        await until(lambda: entry.process.is_dead)

    async def first(engine: Engine, store: Store) -> None:
        engine._on_quarantine = told.append
        for _ in range(3):
            assert told == []
            await die(engine)
        assert told == [model]
        await second(engine, store)

    async def second(engine: Engine, store: Store) -> None:
        with pytest.raises(Quarantined, match="quarantined") as caught:
            async with engine.use(model, 0, None):
                pass
        assert "lamplight release llama" in caught.value.hint
        async with engine.use(store.read(parse_name("qwen2")), 0, None) as entry:
            assert await write(engine, entry)

    async def released(engine: Engine, store: Store) -> None:
        assert Quarantine.of(own).release(model.manifest.model.digest)
        async with engine.use(model, 0, None) as entry:
            assert await write(engine, entry)

    own = replace(settings, models_dir=tmp_path, quarantine_path=None)
    for story in (first, second, released):
        drive(own, story)


def test_a_tiny_context_harms_nobody(settings: RuntimeSettings, tmp_path: Path) -> None:
    """A request for four tokens of context is served, or refused, and no process dies of it."""
    install_runnable(tmp_path, "llama")
    own = replace(settings, models_dir=tmp_path, deaths_allowed=1, quarantine_path=None)

    async def tiny(engine: Engine, store: Store) -> None:
        for name in ("llama", "all-minilm"):
            async with engine.use(store.read(parse_name(name)), 4, 0) as entry:
                assert entry.context_tokens == 4
                assert not entry.process.is_dead

    for kind in ("blobs", "manifests"):
        copy_model(settings.models_dir / kind, tmp_path / kind)
    drive(own, tiny)
    assert not (tmp_path / "quarantine.json").exists()


def test_models_that_are_unloaded_have_not_died(settings: RuntimeSettings, tmp_path: Path) -> None:
    """Nor does one that cannot be loaded count as dead."""
    model = install_runnable(tmp_path, "llama").read(parse_name("llama"))

    async def story(engine: Engine, store: Store) -> None:
        for _ in range(2):
            async with engine.use(model, 0, 0):
                pass

    own = replace(settings, models_dir=tmp_path, deaths_allowed=1, quarantine_path=None)
    drive(own, story)
    assert not (tmp_path / "quarantine.json").exists()


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


def copy_model(source: Path, target: Path) -> None:
    """Link every file of a folder that the other does not have."""
    for path in source.rglob("*"):
        place = target / path.relative_to(source)
        if path.is_file() and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, place)
