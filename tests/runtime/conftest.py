"""Real models, a real server, and a small package index for the tests of the runtime."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import ollama
import openai
import pytest
from safetensors.numpy import save_file
from starlette.applications import Starlette

from runtime.api.app import create_app
from runtime.api.testing import OpenGate
from runtime.catalog import builtin_catalog
from runtime.config import RuntimeSettings
from runtime.pull import Puller
from runtime.store import Store
from runtime.testing import PackageServer
from runtime.testing_server import serving

BERT_WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ward", "##s"]
CHAT = "smollm2:135m"
EMBED = "all-minilm"
TOOLS = "qwen2.5-coder:0.5b"


@pytest.fixture(scope="session")
def fetched_dir() -> Path:
    """A store with the two small models, fetched once per machine by our own code."""
    given = os.environ.get("LAMPLIGHT_TEST_MODELS") or "~/.cache/lamplight/models"
    folder = Path(given).expanduser()
    settings = RuntimeSettings(models_dir=folder)
    puller = Puller(settings, Store(folder), builtin_catalog())
    for name in (CHAT, EMBED):
        if not puller.is_installed(name):
            puller.pull(name, lambda _: None)
    return folder


@pytest.fixture(scope="session")
def models_dir(fetched_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the tests' own with links to the same two models: nothing done here lasts."""
    folder = tmp_path_factory.mktemp("models")
    puller = Puller(
        RuntimeSettings(models_dir=folder), Store(folder, (fetched_dir,)), builtin_catalog()
    )
    for name in (CHAT, EMBED):
        puller.pull(name, lambda _: None)
    return folder


@pytest.fixture(scope="session")
def tool_model(fetched_dir: Path, models_dir: Path) -> str:
    """The name of a small model that calls tools and fills in, linked into the tests' store."""
    settings = RuntimeSettings(models_dir=fetched_dir)
    if not Puller(settings, Store(fetched_dir), builtin_catalog()).is_installed(TOOLS):
        Puller(settings, Store(fetched_dir), builtin_catalog()).pull(TOOLS, lambda _: None)
    store = Store(models_dir, (fetched_dir,))
    Puller(RuntimeSettings(models_dir=models_dir), store, builtin_catalog()).pull(
        TOOLS, lambda _: None
    )
    return TOOLS


@pytest.fixture(scope="session")
def quarantine_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the deaths of models' processes are noted."""
    return tmp_path_factory.mktemp("quarantine") / "notes.json"


@pytest.fixture(autouse=True)
def forgotten_deaths(quarantine_path: Path) -> Iterator[None]:
    """Processes that a test has killed do not add up to a quarantine in a later test."""
    yield
    quarantine_path.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def settings(models_dir: Path, quarantine_path: Path) -> RuntimeSettings:
    """Settings for tests: small contexts, and threads that share the machine."""
    return RuntimeSettings(
        models_dir=models_dir,
        context_length_tokens=1024,
        max_sequences=4,
        gentle_threads=True,
        quarantine_path=quarantine_path,
    )


@pytest.fixture(scope="session")
def app(settings: RuntimeSettings) -> Starlette:
    """The application behind the server."""
    return create_app(settings, Store(settings.models_dir), OpenGate())


@pytest.fixture(scope="session")
def base_url(app: Starlette) -> Iterator[str]:
    """A real server on a free port."""
    with serving(app) as url:
        yield url


@pytest.fixture(scope="session")
def http(base_url: str) -> Iterator[httpx.Client]:
    """A plain client of the server."""
    with httpx.Client(base_url=base_url, timeout=120) as client:
        yield client


@pytest.fixture(scope="session")
def ollama_client(base_url: str) -> Iterator[ollama.Client]:
    """Ollama's own client."""
    client = ollama.Client(host=base_url, timeout=120)
    yield client
    client._client.close()


@pytest.fixture(scope="session")
def openai_client(base_url: str) -> Iterator[openai.OpenAI]:
    """OpenAI's own client."""
    with openai.OpenAI(base_url=f"{base_url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def package_server() -> Iterator[PackageServer]:
    """A package index whose answers can be made to fail."""
    with PackageServer() as server:
        yield server


@pytest.fixture
def bert_folder(tmp_path: Path) -> Path:
    """A BERT of one layer and seven words, with weights from a fixed seed."""
    folder = tmp_path / "bert"
    (folder / "1_Pooling").mkdir(parents=True)
    config = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": 4,
        "intermediate_size": 8,
        "num_attention_heads": 2,
        "num_hidden_layers": 1,
        "max_position_embeddings": 16,
        "layer_norm_eps": 1e-12,
        "type_vocab_size": 2,
        "vocab_size": len(BERT_WORDS),
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 12}')
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    (folder / "1_Pooling/config.json").write_text('{"pooling_mode_mean_tokens": true}')
    (folder / "vocab.txt").write_text("\n".join(BERT_WORDS) + "\n")
    save_file(_bert_weights(), folder / "model.safetensors")
    return folder


def _bert_weights() -> dict[str, Any]:
    random = np.random.default_rng(1)
    shapes = {
        "embeddings.word_embeddings.weight": (len(BERT_WORDS), 4),
        "embeddings.position_embeddings.weight": (16, 4),
        "embeddings.token_type_embeddings.weight": (2, 4),
        "embeddings.LayerNorm.weight": (4,),
        "encoder.layer.0.attention.self.query.weight": (4, 4),
        "encoder.layer.0.attention.self.query.bias": (4,),
        "pooler.dense.weight": (4, 4),
    }
    return {name: random.random(shape, dtype=np.float32) for name, shape in shapes.items()}
