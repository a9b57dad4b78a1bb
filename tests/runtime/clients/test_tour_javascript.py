"""The official JavaScript clients, each in its own program, against the same servers."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import httpx

CHAT, EMBED = "smollm2:135m", "all-minilm"
FOLDER = Path(__file__).parent


def tour(script: str, *arguments: str) -> list[str]:
    """The names of the steps that a program came through."""
    node = shutil.which("node")
    assert node, "scripts/need asks for node"
    done = subprocess.run(
        [node, str(FOLDER / script), *arguments], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()


def test_ollama_s_client_comes_through(
    base_url: str, tool_model: str, moving_url: str, registry_host: str, tiny_path: Path
) -> None:
    """Every endpoint that it has but those of the cloud, and leaving in the middle."""
    content = tiny_path.read_bytes()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    brought = httpx.post(f"{moving_url}/api/blobs/{digest}", content=content)
    assert brought.status_code in (200, 201)
    moving = (moving_url, registry_host, digest)
    assert tour("tour_ollama.mjs", base_url, CHAT, EMBED, tool_model, *moving) == [
        "version", "models", "chat", "tools", "structured", "generate", "vectors", "making",
        "moving", "aborting",
    ]  # fmt: skip


def test_openai_s_client_comes_through(base_url: str, tool_model: str) -> None:
    """Models, chats, completions, vectors, responses, and its own errors."""
    assert tour("tour_openai.mjs", f"{base_url}/v1", CHAT, EMBED, tool_model) == [
        "models", "chat", "tools", "structured", "logprobs", "completions", "vectors",
        "responses", "errors", "aborting",
    ]  # fmt: skip
