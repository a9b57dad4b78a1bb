"""Everything about search and answers that can be set, each with its unit and its default."""

from dataclasses import dataclass, field
from pathlib import Path

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RagSettings:
    """Where the models and the index are, and the limits that every question is held to."""

    index_dir: Path  # the Qdrant Edge shard; this process is its only owner
    chat_url: str = "http://127.0.0.1:11434/v1"  # any OpenAI-compatible server
    embed_url: str = "http://127.0.0.1:11434/v1"
    chat_model: str = "qwen2.5-coder:1.5b"
    embed_model: str = "all-minilm"
    embed_dimensions: int = 384  # numbers per vector; fixed when the index is made
    # Bearer tokens for servers that are not ours: of both, and of the chat server alone.
    api_key: str = field(default="", repr=False)
    chat_key: str = field(default="", repr=False)
    runtime_url: str = ""  # our own runtime: it alone gets the key of this start
    runtime_key_path: Path | None = None  # where that key lies, readable by us alone

    qdrant_url: str | None = None  # None: the embedded shard in index_dir
    qdrant_api_key: str = field(default="", repr=False)
    qdrant_collection: str = "passages"
    qdrant_timeout_s: int = 10
    # Of the collection, when it is made; later only by the server's own tools.
    qdrant_shards: int = 1  # parts that its passages are spread over
    qdrant_replicas: int = 1  # copies of each part, on as many servers
    qdrant_write_consistency: int = 1  # copies that must have a write before it counts
    # A part of the embedded index above this size gets a graph at the next start; a smaller one is
    # looked through, which is exact. 384 numbers take 1.5 KiB: 20 MiB are about 13,000 passages.
    index_scan_kib: int = 20 * 1024
    index_reserve_bytes: int = 256 * MIB  # kept free on the disk: a full one kills the process

    question_max_chars: int = 2000
    search_limit: int = 8  # passages shown beside an answer
    search_max: int = 100  # passages one request may ask for
    search_candidates: int = 50  # passages each of the two searches hands to the fusion
    # One score from both searches: BM25 + 20 cosine + 5 RRF. On qa-dev with the policies as
    # distractors (5,412 rough passages) mrr@10 is .920 with it, .890 by BM25 alone, .865 by RRF
    # with k 60; 15 to 25 and 0 to 10 differ by less than .006.
    fusion_similarity_weight: float = 20.0  # of the cosine, where BM25 weighs 1
    fusion_rrf_weight: float = 5.0  # of the reciprocal ranks
    fusion_rrf_k: int = 2  # reciprocal-rank constant: small lets the first ranks decide
    fusion_absent_similarity: float = 0.3  # cosine taken for a hit of the words alone

    prompt_passages: int = 4  # passages the model reads at most
    # Tokens of passage text; two cores read 80 a second with the 1.5B. On qa-dev the words that
    # answer are among them for 91 % of the questions at 250, 93 % at 300, 94 % at 500.
    prompt_tokens: int = 300
    answer_tokens: int = 192  # a longer answer is cut off, at a sentence
    temperature: float = 0.0
    seed: int = 7  # the same question on the same passages gets the same answer

    # Share of a sentence's words, by rarity, that its quote must hold. On qa-dev sentences of the
    # 1.5B: at .7 more true answers are lost (3 of 23) than false ones stopped.
    min_support: float = 0.6
    # Probability that the passages answer (rag/abstain.py) below which the model is not asked.
    min_evidence: float = 0.25
    # ... and below which, after it was asked, nothing is answered.
    min_confidence: float = 0.7

    emergency_number: str = ""  # as staff dial it; shown where a question is an emergency

    connect_timeout_s: float = 2.0
    embed_timeout_s: float = 120.0  # one batch of passages; two cores embed about 8 a second
    question_timeout_s: float = 5.0  # for one question's vector; then keywords search alone
    token_timeout_s: float = 120.0  # between two tokens, the reading of the prompt included
    answer_timeout_s: float = 300.0  # for a whole answer
