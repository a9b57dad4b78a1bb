"""Settings of the model runtime; only `lamplight/settings.py` reads them from outside."""

from dataclasses import dataclass
from pathlib import Path

# OpenAI's clients cannot send nothing; these are the words that people and manuals write instead.
PLACEHOLDER_KEYS = (
    "-", "api-key", "dummy", "empty", "fake", "key", "lamplight", "lm-studio", "local", "no-key",
    "no-key-required", "none", "not-needed", "not-used", "null", "ollama", "placeholder",
    "sk-no-key-required", "test", "undefined", "unused", "x", "xxx",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuntimeSettings:
    """Where models are kept, where they come from, and how much is served at once.

    host, port: where the HTTP interfaces listen.
    models_dir: manifests and blobs, in Ollama's layout.
    shared_models_dirs: other stores, never written; a blob found there is linked, not fetched.
    package_index_url: a PEP 503 index; None means the default of the package index client.
    context_length_tokens: context of one request unless it asks for another, capped by the model.
    keep_alive_s: an idle model stays loaded this long; negative means for ever.
    threads: processor threads of one model; 0 means one per core.
    gentle_threads: threads that wait for each other sleep instead of spinning. Alone on a machine
        a model then writes a third as fast; beside busy programs it writes several times faster.
    max_sequences: requests that one model works on at the same time.
    max_queue: requests that may wait for one model; more are answered 503.
    max_loaded_models: models in memory at the same time; the longest idle one makes room.
    ask_for_key: a request without a key is refused, even from this machine.
    local_may_manage: programs of this machine may change models without a key.
    placeholder_keys: what clients send that must send some key; on this machine as good as none.
    """

    models_dir: Path
    host: str = "127.0.0.1"
    port: int = 11434
    shared_models_dirs: tuple[Path, ...] = ()
    package_index_url: str | None = None
    context_length_tokens: int = 4096
    keep_alive_s: float = 300.0
    threads: int = 0
    gentle_threads: bool = False
    max_sequences: int = 4
    max_queue: int = 64
    max_loaded_models: int = 3
    batch_tokens: int = 256  # most tokens that one decoding step works on
    max_context_length_tokens: int = 131_072  # a request cannot ask for more than this
    allowed_origins: tuple[str, ...] = ()  # pages that may call us besides local ones; * matches
    max_body_bytes: int = 32 * 1024 * 1024
    max_embed_inputs: int = 2048
    load_timeout_s: float = 300.0
    min_free_bytes: int = 256 * 1024 * 1024  # never filled by a download
    download_timeout_s: float = 60.0  # a download that stalls this long is tried again
    download_attempts: int = 5
    ask_for_key: bool = False
    local_may_manage: bool = False
    placeholder_keys: tuple[str, ...] = PLACEHOLDER_KEYS
    insecure_plain_http: bool = False  # other machines may be served without encryption
