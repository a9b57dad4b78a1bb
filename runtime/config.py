"""Settings of the model runtime; only `lamplight/settings.py` reads them from outside."""

from dataclasses import dataclass
from pathlib import Path

from runtime.upstream_config import UpstreamSettings

# OpenAI's clients cannot send nothing; these are the words that people and manuals write instead.
PLACEHOLDER_KEYS = (
    "-", "api-key", "dummy", "empty", "fake", "key", "lamplight", "lm-studio", "local", "no-key",
    "no-key-required", "none", "not-needed", "not-used", "null", "ollama", "placeholder",
    "sk-no-key-required", "test", "undefined", "unused", "x", "xxx",
)  # fmt: skip
ALLOWED_LICENCES = (
    "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-4.0", "CC0-1.0", "MIT",
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
    gpu_layers: how many layers a graphics card computes, where llama.cpp was built for one; -1 for
        all that a model has, 0 for none.
    measure_forms: `lamplight up` measures once, before it starts, whether a chat model would be
        faster in another form; it only says so.
    gentle_threads: threads that wait for each other sleep instead of spinning. Alone on a machine
        a model then writes a third as fast; beside busy programs it writes several times faster.
    max_sequences: requests that one model works on at the same time.
    memory_contexts: full contexts that one model's key-value memory holds; requests share it, and
        one that may not fit waits. A token takes 12 KiB with the 0.5B model, 28 KiB with the 1.5B.
    cached_contexts: how many contexts of earlier prompts and answers one model keeps in ordinary
        memory, so that the next question on the same passages starts there; 0 for none.
    draft_tokens: most tokens that are guessed from the prompt and checked in one step; 0 for none.
    memory_bytes: what all loaded models may take, weighed before each load; 0 means most of what is
        free when the runtime starts. The longest idle model makes room.
    deaths_allowed, deaths_window_s: so many deaths of a model's process within this time, and the
        model is set aside until somebody releases it.
    quarantine_path: where that is noted; None means beside the models.
    max_images, max_image_bytes, max_image_pixels: pictures that one request may bring, and how
        large each may be before and after it is unpacked.
    max_rerank_documents, max_rerank_bytes: texts that one request may have scored, and how much the
        longest of them and the question may hold; what does not fit the context is cut.
    max_queue: requests that may wait for one model; more are answered 503.
    max_loaded_models: models in memory at the same time; the longest idle one makes room.
    allowed_registries: hosts, with their port if any, from which models may be pulled and to which
        they may be pushed; none at first. `registry.ollama.ai` is meant by names without a host.
    registry_accounts_path: our accounts at registries, in the form of Docker's `config.json` and
        for its owner alone; `lamplight login` writes it.
    catalogue_dir: the trusted root and publishers' keys of the catalogue that packages come from,
        and what was last seen of it; None means beside the models.
    allowed_licences: what a package's model may be licensed under, as SPDX names it, in any case.
    max_package_files, max_text_blob_bytes: files of one medium, and how long a part may be that
        llama.cpp does not read (config, template, bill of materials).
    upstreams: models that other servers answer for; see runtime/upstream_config.py.
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
    gpu_layers: int = -1
    measure_forms: bool = True
    gentle_threads: bool = False
    max_sequences: int = 10
    memory_contexts: int = 4
    cached_contexts: int = 8
    draft_tokens: int = 15
    max_queue: int = 64
    max_loaded_models: int = 3
    memory_bytes: int = 0
    deaths_allowed: int = 3
    deaths_window_s: float = 600.0
    quarantine_path: Path | None = None
    batch_tokens: int = 256  # most tokens that one decoding step works on
    max_context_length_tokens: int = 131_072  # a request cannot ask for more than this
    allowed_origins: tuple[str, ...] = ()  # pages that may call us besides local ones; * matches
    max_body_bytes: int = 32 * 1024 * 1024
    max_embed_inputs: int = 2048
    max_images: int = 8
    max_image_bytes: int = 16 * 1024 * 1024
    max_image_pixels: int = 25_000_000
    max_rerank_documents: int = 1024
    max_rerank_bytes: int = 256 * 1024
    load_timeout_s: float = 300.0
    min_free_bytes: int = 256 * 1024 * 1024  # never filled by a download
    download_timeout_s: float = 60.0  # a download that stalls this long is tried again
    download_attempts: int = 5
    allowed_registries: tuple[str, ...] = ()
    registry_accounts_path: Path | None = None
    catalogue_dir: Path | None = None
    allowed_licences: tuple[str, ...] = ALLOWED_LICENCES
    max_package_files: int = 10_000
    max_text_blob_bytes: int = 4 * 1024 * 1024
    max_blob_bytes: int = 512 * 1024**3  # a file that is uploaded, or fetched from a registry
    upstreams: tuple[UpstreamSettings, ...] = ()
    ask_for_key: bool = False
    local_may_manage: bool = False
    placeholder_keys: tuple[str, ...] = PLACEHOLDER_KEYS
    insecure_plain_http: bool = False  # other machines may be served without encryption
