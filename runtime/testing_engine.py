"""For tests: an engine for the length of a story, and models of a few kilobytes for it."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from runtime.config import RuntimeSettings
from runtime.engine import Engine, Loaded
from runtime.manifest import CONFIG_TYPE, MODEL_TYPE, Layer, make_manifest
from runtime.names import parse_name
from runtime.protocol import Delta, Done, Generate
from runtime.sampling import Options, read_options
from runtime.store import InstalledModel, Store, sha256_of
from runtime.testing_gguf import write_runnable_gguf

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


def copy_model(source: Path, target: Path) -> None:
    """Link every file of a folder that the other does not have."""
    for path in source.rglob("*"):
        place = target / path.relative_to(source)
        if path.is_file() and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, place)
