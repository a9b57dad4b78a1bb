"""The standalone verifier, alone: no package of ours, none of anybody else (AUD-10)."""

import json
import shutil
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.audit import verify_proof
from governance.audit.checkpoint import Checkpoints
from governance.audit.note import Proof
from governance.audit.testing import ORIGIN, Trail

# RFC 8032, section 7.1: key, message, signature.
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
        "b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
        "1d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]


@pytest.fixture
def script(tmp_path: Path) -> Path:
    place = tmp_path / "elsewhere"
    place.mkdir()
    return Path(shutil.copy(verify_proof.__file__, place))


def run(script: Path, proof: str, key: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (script.parent / "x.tlog-proof").write_text(proof, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-I", "-S", script.name, "x.tlog-proof", "--vkey", key, *arguments],
        cwd=script.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_aud_10_a_receipt_is_checked_without_our_package(trail: Trail, script: Path) -> None:
    """Copied elsewhere, without site packages, it accepts our receipt and shows the event."""
    key = str(trail.checkpoints.verifier_key)
    done = run(script, trail.checkpoints.prove(12).text, key)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Event 12 is in the trail of 30 events" in done.stdout
    assert json.loads(done.stdout.splitlines()[1])["object"]["id"] == "document-2"


def test_aud_10_the_event_can_come_from_elsewhere(trail: Trail, script: Path) -> None:
    """A receipt without the event is checked against a line of the export; another is refused."""
    proof = trail.checkpoints.prove(12)
    assert proof.leaf is not None
    bare = Proof(proof.seq, proof.hashes, proof.note).text
    key = str(trail.checkpoints.verifier_key)
    (script.parent / "leaf").write_bytes(proof.leaf + b"\n")
    assert run(script, bare, key, "--leaf", "leaf").returncode == 0
    assert "name it with --leaf" in run(script, bare, key).stderr
    (script.parent / "leaf").write_bytes(proof.leaf.replace(b"anna", b"ben"))
    for text in (bare, proof.text):
        assert run(script, text, key, "--leaf", "leaf").returncode == 1


def test_aud_10_every_kind_of_false_receipt_is_refused(trail: Trail, script: Path) -> None:
    """Another event, place, hash, size, origin, signature or key."""
    proof = trail.checkpoints.prove(12)
    text, key = proof.text, str(trail.checkpoints.verifier_key)
    assert proof.leaf is not None
    other_leaf = b64encode(proof.leaf.replace(b"anna", b"ben")).decode()
    other_key = str(Checkpoints(trail.record, Ed25519PrivateKey.generate(), ORIGIN).verifier_key)
    false = {
        "event": text.replace(b64encode(proof.leaf).decode(), other_leaf),
        "place": text.replace("index 12", "index 13"),
        "hash": text.replace(b64encode(proof.hashes[0]).decode(), b64encode(b"\0" * 32).decode()),
        "shorter": text.replace(b64encode(proof.hashes[-1]).decode() + "\n", ""),
        "size": text.replace("\n30\n", "\n31\n"),
        "origin": text.replace(f"\n{ORIGIN}\n", "\nother.example\n"),
        "signer": text.replace(f"— {ORIGIN}", "— other.example"),
        "head": text.replace("@v1", "@v2"),
        "nothing": "",
    }
    for what, wrong in false.items():
        assert wrong != text, what
        with pytest.raises((verify_proof.Invalid, ValueError, IndexError)):
            verify_proof.check(wrong, key)
    assert run(script, false["event"], key).returncode == 1
    assert run(script, text, other_key).returncode == 1


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_the_vectors_of_rfc_8032_hold(key: str, message: str, signature: str) -> None:
    """Ed25519 by the book, and one bit off is refused."""
    public, text, signed = map(bytes.fromhex, (key, message, signature))
    verify_proof.check_signature(public, signed, text)
    with pytest.raises(verify_proof.Invalid):
        verify_proof.check_signature(public, signed, text + b"x")
    with pytest.raises(verify_proof.Invalid):
        verify_proof.check_signature(public, signed[:-1] + bytes([signed[-1] ^ 1]), text)


def test_ed25519_agrees_with_the_library() -> None:
    """Signatures of the library are accepted; with a bit changed anywhere they are not."""
    for number in range(8):
        key = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        public, text = key.public_key().public_bytes_raw(), bytes([number]) * number
        signature = key.sign(text)
        verify_proof.check_signature(public, signature, text)
        wrong = bytearray(signature)
        wrong[number * 8] ^= 1 << number
        with pytest.raises(verify_proof.Invalid):
            verify_proof.check_signature(public, bytes(wrong), text)


def test_the_verifier_stays_short_enough_to_read() -> None:
    """Whoever doubts us reads it in one sitting."""
    lines = Path(verify_proof.__file__).read_text().splitlines()
    assert len(lines) <= 150
