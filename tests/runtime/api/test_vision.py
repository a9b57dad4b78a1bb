"""Images over HTTP, through a generated projector: what it sees means nothing, yet it sees."""

import base64
import hashlib
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGUFWriter
from starlette.testclient import TestClient

from runtime.api.app import create_app
from runtime.api.testing import OpenGate
from runtime.config import RuntimeSettings
from runtime.manifest import MODEL_TYPE, PROJECTOR_TYPE
from runtime.store import Store
from runtime.testing_engine import install_runnable
from runtime.testing_generated import IMAGE_TOKENS, install, write_projector_gguf
from runtime.testing_gguf import write_runnable_gguf

SEES, BLIND = "sees:generated", "qwen2:latest"
NARROW_TOKENS = 64  # of a step
OPTIONS = {"temperature": 0, "num_predict": 3}


def png(red: int, *, width: int = 8, height: int = 8, claims: tuple[int, int] | None = None) -> str:
    """A picture of one colour in base64; claims: what its header says of its size."""
    rows = (b"\0" + bytes((red, 255 - red, 7)) * width) * height

    def part(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", *(claims or (width, height)), 8, 2, 0, 0, 0)
    whole = part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + whole).decode()


class Attentive(GGUFWriter):
    """Writes a model that minds what stood where: its usual weights hardly do."""

    def add_tensor(self, name: str, tensor: Any, *rest: Any, **more: Any) -> None:
        strength = 16 if ".attn_" in name and "norm" not in name else 1
        super().add_tensor(name, tensor * np.float32(strength), *rest, **more)


@dataclass
class Place:
    """A runtime of one test's own."""

    http: TestClient

    def ask(self, text: str, *images: str, model: str = SEES) -> Any:
        """The first tokens that follow a raw prompt."""
        body = {"model": model, "prompt": text, "raw": True, "stream": False, "logprobs": True}
        more = {"images": list(images)} if images else {}
        return self.http.post("/api/generate", json=body | more | {"options": OPTIONS})

    def chances(self, text: str, *images: str) -> list[float]:
        answer = self.ask(text, *images)
        assert answer.status_code == 200, answer.text
        return [one["logprob"] for one in answer.json()["logprobs"]]

    def chat(self, content: Any, model: str = SEES) -> Any:
        body = {"model": model, "messages": [{"role": "user", "content": content}]}
        return self.http.post("/v1/chat/completions", json=body | {"max_tokens": 2})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("vision")
    store = install_runnable(made, "qwen2")
    write_runnable_gguf(made / "base", writer_type=Attentive)
    write_projector_gguf(made / "eyes")
    install(store, SEES, {MODEL_TYPE: made / "base", PROJECTOR_TYPE: made / "eyes"})
    return made


@contextmanager
def opened(folder: Path, batch_tokens: int) -> Iterator[Place]:
    settings = RuntimeSettings(
        models_dir=folder, gentle_threads=True, max_sequences=3, max_images=3,
        max_image_bytes=4000, max_image_pixels=10_000, batch_tokens=batch_tokens,
    )  # fmt: skip
    app = create_app(settings, Store(folder), OpenGate())
    with TestClient(app, base_url="http://127.0.0.1") as http:
        yield Place(http)


@pytest.fixture(scope="module")
def place(folder: Path) -> Iterator[Place]:
    with opened(folder, NARROW_TOKENS) as made:
        yield made


def test_an_answer_depends_on_what_is_seen(place: Place) -> None:
    """The same words after two pictures, and after none; the same picture says the same."""
    red, green, none = (place.chances("the ward", *x) for x in ((png(255),), (png(0),), ()))
    assert red[0] != pytest.approx(green[0], abs=1e-3)
    assert red[0] != pytest.approx(none[0], abs=1e-3)
    assert place.chances("the ward", png(255)) == pytest.approx(red, abs=1e-3)


def test_a_picture_counts_with_its_rows(place: Place) -> None:
    """As tokens of the prompt; two of them count twice."""
    counts = [
        place.ask("the ward", *images).json()["prompt_eval_count"]
        for images in ((), (png(1),), (png(1), png(2)))
    ]
    assert [count - counts[0] for count in counts] == [0, IMAGE_TOKENS, 2 * IMAGE_TOKENS]


def test_two_pictures_are_told_apart_by_their_order(place: Place) -> None:
    """And one that was seen before, beside others, changes nothing."""
    first = place.chances("the ward", png(255), png(0))
    other = place.chances("the ward", png(0), png(255))
    assert first[0] != pytest.approx(other[0], abs=1e-3)
    assert place.chances("the ward", png(255), png(0)) == pytest.approx(first, abs=1e-3)


def test_a_shared_beginning_is_shared_only_with_the_same_picture(place: Place) -> None:
    """What another prompt left in memory is never taken for this one's picture."""
    long = "the ward he " * 6
    fresh = place.chances(f"{long}a", png(100))
    for red in (101, 102, 103):
        place.ask(f"{long}a", png(red))
    assert place.chances(f"{long}a", png(100)) == pytest.approx(fresh, abs=1e-3)
    assert place.chances(f"{long}a", png(101))[0] != pytest.approx(fresh[0], abs=1e-4)


def test_pictures_of_requests_at_the_same_time_are_not_mixed_up(place: Place) -> None:
    """Each answer is the one that its picture gets alone, beside others without any."""
    asked: list[tuple[str, tuple[str, ...]]] = [
        (f"the ward {word}", (png(red),)) for word in "ard" for red in (20, 220)
    ]
    asked += [("ward ward the ward", ()), ("the ward a", (png(20), png(220)))]
    alone = [place.chances(text, *images) for text, images in asked]
    with ThreadPoolExecutor(len(asked)) as together:
        found = list(together.map(lambda one: place.chances(one[0], *one[1]), asked))
    for one, expected in zip(found, alone, strict=True):
        assert one[0] == pytest.approx(expected[0], abs=1e-3)


def test_a_step_may_end_in_the_midst_of_a_picture(folder: Path, place: Place) -> None:
    """The picture stands where the first step ends, in one place after the other."""
    with opened(folder, 4 * NARROW_TOKENS) as wide:
        for length in range(NARROW_TOKENS - 8, NARROW_TOKENS):
            first = {"role": "user", "content": "a" * length}
            second = {"role": "user", "content": "the ward", "images": [png(77)]}
            body = {"model": SEES, "messages": [first, second], "stream": False, "logprobs": True}
            found = [
                one.http.post("/api/chat", json=body | {"options": OPTIONS}).json()["logprobs"]
                for one in (place, wide)
            ]
            split, whole = ([one["logprob"] for one in x] for x in found)
            assert split[0] == pytest.approx(whole[0], abs=1e-3)


def test_messages_bring_pictures_in_both_dialects(place: Place) -> None:
    """Ollama's `images`, and OpenAI's parts with a data URL."""
    said = {"role": "user", "content": "the ward", "images": [png(9)]}
    body = {"model": SEES, "messages": [said], "stream": False, "options": OPTIONS}
    native = place.http.post("/api/chat", json=body)
    url = f"data:image/png;base64,{png(9)}"
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "the ward"}]
    openai = place.chat(parts)
    assert (native.status_code, openai.status_code) == (200, 200), openai.text
    plain = place.chat("the ward").json()["usage"]["prompt_tokens"]
    assert native.json()["prompt_eval_count"] == plain + IMAGE_TOKENS
    assert openai.json()["usage"]["prompt_tokens"] == plain + IMAGE_TOKENS


def test_a_model_is_made_with_its_projector(place: Place, tmp_path: Path) -> None:
    """Of two files in any order; a projector alone is no model."""
    contents = {"eyes.gguf": write_projector_gguf(tmp_path / "e")}
    contents["base.gguf"] = write_runnable_gguf(tmp_path / "b")
    files = {name: f"sha256:{hashlib.sha256(c).hexdigest()}" for name, c in contents.items()}
    for name, content in contents.items():
        place.http.post(f"/api/blobs/{files[name]}", content=content)
    body = {"model": "made", "files": files, "stream": False}
    assert place.http.post("/api/create", json=body).json() == {"status": "success"}
    assert place.ask("the ward", png(1), model="made").status_code == 200
    alone = body | {"files": {"eyes.gguf": files["eyes.gguf"]}}
    refused = place.http.post("/api/create", json=alone)
    assert (refused.status_code, "with its projector" in refused.text) == (400, True)


def test_the_younger_dialects_bring_pictures_too(place: Place) -> None:
    """As data URL in `/v1/responses`, as base64 in `/v1/messages`; a blind model says so."""
    url = f"data:image/png;base64,{png(9)}"
    parts = [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": url}]
    source = {"type": "base64", "media_type": "image/png", "data": png(9)}
    blocks = [{"type": "text", "text": "a"}, {"type": "image", "source": source}]

    def counts(name: str, parts: Any, blocks: Any) -> list[Any]:
        said = [{"role": "user", "content": parts}]
        first = {"model": name, "input": said, "max_output_tokens": 1}
        second = {"model": name, "messages": [{"role": "user", "content": blocks}], "max_tokens": 1}
        answers = [
            place.http.post("/v1/responses", json=first),
            place.http.post("/v1/messages", json=second),
        ]
        return [x.json()["usage"]["input_tokens"] if x.is_success else x.text for x in answers]

    plain, seen = counts(SEES, "a", "a"), counts(SEES, parts, blocks)
    assert [x - y for x, y in zip(seen, plain, strict=True)] == [IMAGE_TOKENS] * 2
    assert all("does not support vision" in x for x in counts(BLIND, parts, blocks))


def test_v_1_the_model_says_that_it_sees(place: Place) -> None:
    """A capability of its own; the Modelfile names the projector."""
    shown = place.http.post("/api/show", json={"model": SEES}).json()
    assert "vision" in shown["capabilities"]
    assert sum(line.startswith("FROM ") for line in shown["modelfile"].splitlines()) == 2
    blind = place.http.post("/api/show", json={"model": BLIND}).json()
    assert "vision" not in blind["capabilities"]


def test_a_model_without_a_projector_refuses_images(place: Place) -> None:
    """In Ollama's words, in every dialect."""
    url = f"data:image/png;base64,{png(1)}"
    answers = [
        place.ask("a", png(1), model=BLIND),
        place.chat([{"type": "image_url", "image_url": url}], model=BLIND),
    ]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert all("does not support vision" in answer.text for answer in answers)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (["!"], "illegal base64 data"),
        ([base64.b64encode(b"GIF89a....").decode()], "of a kind that is not read here"),
        ([png(1)] * 4, "more than 3 images"),
        ([png(1, claims=(101, 100))], "has more than 10000 pixels"),
        ([base64.b64encode(b"\x89PNG" + b"\0" * 4000).decode()], "more than 4000 bytes"),
        ([png(1)[:60] + "AAAA"], "the image cannot be read"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(place: Place, images: list[str], message: str) -> None:
    """With a reason, and the next request is served."""
    answer = place.ask("the ward", *images)
    assert answer.status_code == 400, answer.text
    assert message in answer.json()["error"]
    assert place.ask("the ward", png(5)).status_code == 200


def test_no_picture_is_fetched_from_elsewhere(place: Place) -> None:
    """A remote address is refused by name."""
    answer = place.chat([{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}])
    assert answer.status_code == 400
    assert "image URLs are not currently supported" in answer.text
