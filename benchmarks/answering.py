"""Time to the first source, to the first released sentence and to the end, and tokens per second.

python -m benchmarks.answering [--model NAME] [--questions N]
"""

import argparse
import json
import time
from pathlib import Path

import httpx

from benchmarks.figures import spread
from benchmarks.machine import describe
from lamplight.testing import Running, lamplight, run

SAMPLES = Path(__file__).parent.parent / "samples"


def main() -> None:
    """Load the samples, ask their questions one after the other, print one JSON object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", default="qwen2.5-coder:1.5b")
    options.add_argument("--questions", type=int, default=20)
    chosen = options.parse_args()
    lines = (SAMPLES / "questions.jsonl").read_text().splitlines()
    questions = [json.loads(line)["question"] for line in lines][: chosen.questions]
    with lamplight("--no-samples", chat_model=chosen.model) as running:
        run("ingest", "--publish", str(SAMPLES), "--department", "demo", data_dir=running.data_dir)
        with running.client() as client:
            ask(client, "Is everything warm?")
            asked = [ask(client, question) for question in questions]
        speed = tokens_per_second(running, chosen.model)
    answered = [one for one in asked if "first_text" in one]
    print(
        json.dumps(
            {
                "machine": describe(),
                "model": chosen.model,
                "questions": len(asked),
                "answered": len(answered),
                "first_source_ms": spread([one["sources"] for one in asked]),
                "first_text_ms": spread([one["first_text"] for one in answered]),
                "model_first_token_ms": spread(
                    [one["model_first_token"] for one in asked if "model_first_token" in one]
                ),
                "whole_answer_ms": spread([one["end"] for one in asked]),
                **speed,
            },
            indent=2,
        )
    )


def ask(client: httpx.Client, question: str) -> dict[str, float]:
    """When each kind of event came, in milliseconds after the question was sent."""
    times: dict[str, float] = {}
    began = time.perf_counter()
    body = {"question": question, "department": "demo"}
    headers = {"Accept": "text/event-stream"}
    event = ""
    with client.stream("POST", "/api/v1/ask", json=body, headers=headers) as stream:
        stream.raise_for_status()
        for line in stream.iter_lines():
            now_ms = (time.perf_counter() - began) * 1000
            if line.startswith("event:"):
                event = line.removeprefix("event:").strip()
                name = {"passages": "sources", "token": "first_text", "answer": "end"}.get(event)
                if name:
                    times.setdefault(name, now_ms)
            elif line.startswith("data:") and event == "answer":
                timings = json.loads(line.removeprefix("data:"))["timings_ms"]
                if timings.get("first_token"):
                    times["model_first_token"] = timings["first_token"]
    return times


def tokens_per_second(running: Running, model: str) -> dict[str, float]:
    """Speed of the runtime alone, by its own counters: reading a prompt, writing an answer."""
    prompt = "Policy text follows. " + "Clean your hands before and after each patient. " * 60
    body = {
        "model": model,
        "prompt": prompt,
        "raw": True,
        "stream": False,
        "options": {"num_predict": 64, "temperature": 0},
    }
    reads, writes = [], []
    with httpx.Client(base_url=running.runtime_url, timeout=600, trust_env=False) as client:
        for number in range(3):
            # A first line of its own keeps the prefix cache from answering for us.
            told = client.post("/api/generate", json={**body, "prompt": f"{number}. {prompt}"})
            counts = told.raise_for_status().json()
            reads.append(counts["prompt_eval_count"] / counts["prompt_eval_duration"] * 1e9)
            writes.append(counts["eval_count"] / counts["eval_duration"] * 1e9)
    return {
        "prompt_tokens_per_s": spread(reads)["p50"],
        "answer_tokens_per_s": spread(writes)["p50"],
    }


if __name__ == "__main__":
    main()
