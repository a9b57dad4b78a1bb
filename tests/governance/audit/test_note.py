"""Notes and proofs are those of C2SP, byte for byte."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.audit.note import (
    Checkpoint,
    NoteInvalid,
    Proof,
    open_checkpoint,
    open_note,
    parse_proof,
    parse_verifier_key,
    read_checkpoint,
    sign,
    verifier_key,
)

# A published example of Go's sumdb/note: the key and a note that it signed.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpR"
    "Zb6KE6RyyBwJnAM=\n"
)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NAME = "hospital.example/trail"
SAID = Checkpoint(NAME, 7, b"\7" * 32)


def test_aud_10_a_note_that_go_signed_is_read() -> None:
    """The key and note of Go's own documentation verify here."""
    key = parse_verifier_key(GO_KEY)
    assert str(key) == GO_KEY
    assert open_note(GO_NOTE, key).startswith("If you think cryptography")


def test_aud_10_a_changed_note_is_refused() -> None:
    """One letter is enough."""
    with pytest.raises(NoteInvalid, match="does not belong"):
        open_note(GO_NOTE.replace("answer", "Answer"), parse_verifier_key(GO_KEY))


def test_a_checkpoint_comes_back_as_it_was_signed() -> None:
    """Origin, size and root, and the key that others check them with."""
    note = sign(SAID.text, NAME, KEY)
    key = parse_verifier_key(str(verifier_key(NAME, KEY)))
    assert open_checkpoint(note, key) == SAID == read_checkpoint(note)


def test_signatures_of_unknown_keys_are_passed_over() -> None:
    """A witness may sign as well; it vouches for nothing by itself."""
    other = Ed25519PrivateKey.generate()
    note = sign(SAID.text, NAME, other, KEY)
    assert open_checkpoint(note, verifier_key(NAME, KEY)) == SAID
    with pytest.raises(NoteInvalid, match="has not signed"):
        open_note(sign(SAID.text, NAME, other), verifier_key(NAME, KEY))


def test_a_checkpoint_of_another_log_is_refused() -> None:
    """A key signs for its own log alone."""
    note = sign(Checkpoint("other.example", 7, b"\7" * 32).text, NAME, KEY)
    with pytest.raises(NoteInvalid, match=r"of 'other\.example'"):
        open_checkpoint(note, verifier_key(NAME, KEY))


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— name\n",
        "text\n\n— name !!!!\n",
        "text\n\nname x08go/ZJ\n",
        "te\0xt\n\n— name x08go/ZJ\n",
        "text\n\n" + "— name x08go/ZJ\n" * 17,
        "text\n\n— name x08go/ZJ",
    ],
)
def test_a_malformed_note_is_refused(note: str) -> None:
    """Nothing is guessed about a note."""
    with pytest.raises(NoteInvalid):
        open_note(note, verifier_key(NAME, KEY))


@pytest.mark.parametrize("text", ["log\n", "log\n07\nAAAA\n", "log\n7\nAAAA\n", "log\n-1\nAAAA\n"])
def test_a_note_that_is_no_checkpoint_is_refused(text: str) -> None:
    """Size and root have one form each."""
    with pytest.raises(NoteInvalid):
        read_checkpoint(sign(text, NAME, KEY))


@pytest.mark.parametrize("text", ["", "a+b", "a+00000000+AAAA", GO_KEY.replace("c74f", "c74e")])
def test_a_malformed_key_is_refused(text: str) -> None:
    """A key that was copied wrongly is noticed."""
    with pytest.raises(NoteInvalid):
        parse_verifier_key(text)


@pytest.mark.parametrize("leaf", [None, b'{"a":1}'])
def test_a_proof_comes_back_as_it_was_written(leaf: bytes | None) -> None:
    """With the event in it or without."""
    proof = Proof(5, (b"\1" * 32, b"\2" * 32), sign(SAID.text, NAME, KEY), leaf)
    assert parse_proof(proof.text) == proof


@pytest.mark.parametrize(
    "text", ["", "c2sp.org/tlog-proof@v1\n\n", "c2sp.org/tlog-proof@v1\nindex 05\n\n"]
)
def test_a_malformed_proof_is_refused(text: str) -> None:
    """Nothing is guessed about a proof."""
    with pytest.raises(NoteInvalid):
        parse_proof(text)
