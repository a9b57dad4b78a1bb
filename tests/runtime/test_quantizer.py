"""The process that writes weights in fewer bits stands behind walls, too."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.config import RuntimeSettings
from runtime.enclosure import standing_walls
from runtime.errors import BadModelFile
from runtime.quantize import Quantizer
from runtime.store import Store
from runtime.testing_gguf import write_runnable_gguf
from runtime.walls import Wall

STANDING = standing_walls()
TRIES = """
import json, os, socket, sys
from pathlib import Path
from runtime.walls import Limits, raise_walls

source, folder, secret = (Path(one) for one in sys.argv[1:])
raise_walls(Limits(256, file_bytes=1 << 20), [source], [folder])
outcome = {}
for name, attempt in {
    "source": source.read_bytes,
    "target": lambda: (folder / "made").write_bytes(b"x"),
    "reading it back": lambda: (folder / "made").read_bytes(),
    "too much": lambda: (folder / "made").write_bytes(bytes(2 << 20)),
    "over the source": lambda: source.write_bytes(b"x"),
    "beside the source": lambda: source.with_name("made").write_bytes(b"x"),
    "secret": secret.read_bytes,
    "socket": socket.socket,
}.items():
    try:
        attempt()
        outcome[name] = "done"
    except OSError as error:
        outcome[name] = type(error).__name__
os.write(1, json.dumps(outcome).encode())
"""


def test_it_reads_one_file_and_writes_one_folder(tmp_path: Path) -> None:
    """What a stranger's weights may do to it ends there."""
    for name in ("models", "made", "keys"):
        (tmp_path / name).mkdir()
    source, secret = tmp_path / "models/weights", tmp_path / "keys/key"
    source.write_text("weights")
    secret.write_text("secret")
    done = subprocess.run(
        [sys.executable, "-I", "-c", TRIES, source, tmp_path / "made", secret],
        capture_output=True,
        check=True,
        env={},
    )
    found = json.loads(done.stdout)
    assert [found[one] for one in ("source", "target", "reading it back")] == ["done"] * 3
    assert found["too much"] == "OSError"
    if Wall.FILES in STANDING:
        closed = ("over the source", "beside the source", "secret")
        assert [found[one] for one in closed] == ["PermissionError"] * 3
    if Wall.CALLS in STANDING:
        assert found["socket"] == "PermissionError"


def test_it_still_quantizes_behind_them(tmp_path: Path) -> None:
    """And says so when llama.cpp cannot read the weights."""
    source = tmp_path / "source.gguf"
    write_runnable_gguf(source)
    settings = RuntimeSettings(models_dir=tmp_path / "models")
    quantizer = Quantizer(settings, Store(settings.models_dir))
    with quantizer.made(source, "F16", "sha256:0", lambda _: None) as made:
        assert made.read_bytes()[:4] == b"GGUF"
    source.write_bytes(b"GGUF no more")
    with (
        pytest.raises(BadModelFile, match="could not quantize"),
        quantizer.made(source, "F16", "sha256:0", lambda _: None),
    ):
        pass
