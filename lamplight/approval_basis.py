"""What approvals of models are decided on besides the model, as it is here now (APR-5)."""

import hashlib
import json
from dataclasses import fields
from importlib.metadata import version

from governance.basis import Basis, KnowsBasis, Trigger, breaking_part
from governance.config import GovernanceSettings
from governance.inventory import KnowsModels
from rag.config import RagSettings

# Every setting that decides which passages a model reads, and how.
RETRIEVAL = (
    "embed_dimensions",
    "search_limit",
    "search_candidates",
    "fusion_similarity_weight",
    "fusion_rrf_weight",
    "fusion_rrf_k",
    "fusion_absent_similarity",
    "prompt_passages",
    "prompt_tokens",
    "answer_tokens",
    "temperature",
    "min_support",
    "min_evidence",
)


def basis_of(known: KnowsModels, rag: RagSettings, governance: GovernanceSettings) -> KnowsBasis:
    """What reads it; the embedding model may change while we run."""
    fixed = {
        Trigger.RUNTIME: runtime_version(),
        Trigger.RETRIEVAL: retrieval_digest(rag),
        Trigger.SUITE: governance.evaluation_suite,
    }

    def read() -> Basis:
        found = known.find(rag.embed_model, embeds=True)
        here = {**fixed, Trigger.EMBEDDING: found.digest if found else ""}
        return {str(name): text for name, text in here.items() if text}

    return read


def runtime_version() -> str:
    """What of the versions of ours and of llama.cpp's binding breaks with what was before."""
    ours, binding = version("lamplight"), version("llama-cpp-python")
    return f"{breaking_part(ours)} {breaking_part(binding)}"


def retrieval_digest(rag: RagSettings) -> str:
    """SHA-256 of the settings of the search, in hex."""
    known = {one.name for one in fields(rag)}
    assert known.issuperset(RETRIEVAL)
    content = json.dumps({name: getattr(rag, name) for name in RETRIEVAL}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
