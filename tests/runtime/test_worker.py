"""Workers die alone, know nothing of ours, and are given no file that is not what it was."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.config import RuntimeSettings
from runtime.enclosure import standing_walls
from runtime.engine import Engine
from runtime.errors import (
    BadModelFile,
    LoadFailed,
    Quarantined,
    WorkerDied,
    WrongDigest,
)
from runtime.gguf import read_header
from runtime.inspect import inspect_here
from runtime.manifest import CONFIG_TYPE, MODEL_TYPE, Layer, make_manifest
from runtime.names import parse_name
from runtime.protocol import Generate
from runtime.quarantine import Quarantine
from runtime.sampling import Options
from runtime.store import InstalledModel, Store, sha256_of
from runtime.testing import write_tiny_gguf
from runtime.testing_engine import (
    FOX,
    ask,
    chat_model,
    copy_model,
    drive,
    install_runnable,
    is_gone,
    until,
    write,
)
from runtime.walls import Wall


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
