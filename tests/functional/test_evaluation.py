"""A run over gold questions on the real platform, with a real model."""

import json
import time
from pathlib import Path

from lamplight.testing import POLL_S, lamplight

QUESTIONS = Path(__file__).parents[2] / "samples" / "questions.jsonl"
PATIENCE_S = 240


def test_gold_questions_of_the_samples_are_asked_and_scored() -> None:
    """Taken in as they stand in the file, asked in the background, ended with figures."""
    lines = [json.loads(line) for line in QUESTIONS.read_text().splitlines() if line.strip()]
    asked = [line for line in lines if line["answerable"]][:2]
    with lamplight() as running, running.client() as client:
        told = client.post("/api/v1/gold-questions", json={"questions": asked})
        assert told.status_code == 201, told.text
        run = client.post("/api/v1/evaluations", json={}).json()
        end = time.monotonic() + PATIENCE_S
        while run["state"] in ("queued", "running"):
            assert time.monotonic() < end, run
            time.sleep(POLL_S)
            run = client.get(f"/api/v1/evaluations/{run['id']}").json()
    assert run["state"] == "done", run
    assert run["figures"]["retrieval"]["recall@10"] == 1.0
    assert run["figures"]["safety"]["failed_rate"] == 0.0
    assert all(item["status"] in ("answered", "not_found") for item in run["items"])
