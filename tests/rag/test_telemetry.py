"""Haystack reports pipeline runs to the outside unless told not to, before it is imported."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import socket
def refuse(*arguments, **named):
    raise SystemExit(f"network: {arguments}")
socket.getaddrinfo = refuse
socket.socket.connect = refuse
import rag.pipelines
from haystack import Pipeline, component
import haystack.telemetry._telemetry as telemetry
assert telemetry.telemetry is None, "telemetry is on"
@component
class Step:
    @component.output_types(out=int)
    def run(self, given: int) -> dict[str, int]:
        return {"out": given}
pipeline = Pipeline()
pipeline.add_component("step", Step())
assert pipeline.run({"step": {"given": 1}}) == {"step": {"out": 1}}
import os
assert not os.listdir(os.environ["HOME"]), os.listdir(os.environ["HOME"])
"""


def test_a_pipeline_run_calls_nobody(tmp_path: Path) -> None:
    """In a fresh process telemetry is off, nothing is resolved or connected, HOME stays empty."""
    environment = {"HOME": str(tmp_path), "PATH": "", "PYTHONPATH": ":".join(sys.path)}
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
