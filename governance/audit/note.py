"""Signed notes, checkpoints and proofs as text, in the formats of C2SP (c2sp.org).

Pure. A note is a text, an empty line, and one line for each signature. A checkpoint is a note whose
text names the log, its size and its root. A proof (`.tlog-proof`) carries a place in the log, the
hashes that lead from there to the root, and the checkpoint with that root.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from governance.audit.merkle import HASH_BYTES

ED25519 = b"\x01"
KEY_BYTES = 32
KEY_ID_BYTES = 4
SIGNATURE_MARK = "— "
SIGNATURES_MAX = 16
PROOF_HEAD = "c2sp.org/tlog-proof@v1"
PROOF_HASHES_MAX = 64
_NAME = re.compile(r"[^\s+\x00-\x1f]+")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


class NoteInvalid(ValueError):
    """A note, checkpoint or proof is malformed, or not signed by the key; the text says why."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and the name it signs under."""

    name: str
    key: bytes

    @property
    def id(self) -> bytes:
        """The short number by which a signature names its key, 4 bytes."""
        text = self.name.encode() + b"\n" + ED25519 + self.key
        return hashlib.sha256(text).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_encode(ED25519 + self.key)}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log promises: under this name, so many leaves have this root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{_encode(self.root)}\n"


@dataclass(frozen=True, slots=True)
class Proof:
    """That leaf `seq` is in the log, to be checked without the log.

    note: the signed checkpoint. leaf: the leaf itself, where it may be handed on.
    """

    seq: int
    hashes: tuple[bytes, ...]
    note: str
    leaf: bytes | None = None

    @property
    def text(self) -> str:
        """The content of a `.tlog-proof` file."""
        extra = [] if self.leaf is None else [f"extra {_encode(self.leaf)}"]
        lines = [PROOF_HEAD, *extra, f"index {self.seq}", *map(_encode, self.hashes)]
        return "\n".join(lines) + "\n\n" + self.note


def verifier_key(name: str, key: Ed25519PrivateKey) -> VerifierKey:
    """What others check the signatures of a key with. Raises NoteInvalid for an unusable name."""
    if not _NAME.fullmatch(name):
        raise NoteInvalid(f"{name!r} cannot name a key: it holds a space or a plus.")
    return VerifierKey(name, key.public_key().public_bytes_raw())


def parse_verifier_key(text: str) -> VerifierKey:
    """Read a key as `str(VerifierKey)` writes it. Raises NoteInvalid."""
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    data = _decode(encoded)
    if not _NAME.fullmatch(name) or data[:1] != ED25519 or len(data) != 1 + KEY_BYTES:
        raise NoteInvalid("This is no Ed25519 key of the form name+id+key.")
    found = VerifierKey(name, data[1:])
    if found.id.hex() != key_id:
        raise NoteInvalid("The id of the key does not belong to it: it was copied wrongly.")
    return found


def sign(text: str, name: str, *keys: Ed25519PrivateKey) -> str:
    """A note with the signature of each key under this name."""
    lines = []
    for key in keys:
        signature = verifier_key(name, key).id + key.sign(text.encode())
        lines.append(f"{SIGNATURE_MARK}{name} {_encode(signature)}\n")
    return text + "\n" + "".join(lines)


def open_note(note: str, key: VerifierKey) -> str:
    """The text of a note that this key signed. Raises NoteInvalid.

    Signatures of other keys say nothing and are passed over.
    """
    text, lines = _split(note)
    for line in lines:
        name, _, encoded = line.removeprefix(SIGNATURE_MARK).rpartition(" ")
        signature = _decode(encoded)
        if name == key.name and signature[:KEY_ID_BYTES] == key.id:
            _check(key, signature[KEY_ID_BYTES:], text)
            return text
    raise NoteInvalid(f"The key {key.name}+{key.id.hex()} has not signed this note.")


def read_checkpoint(note: str) -> Checkpoint:
    """What a note says, whoever signed it: check that with `open_note`. Raises NoteInvalid."""
    lines = _split(note)[0].split("\n")
    if len(lines) < 4 or not lines[0] or not _NUMBER.fullmatch(lines[1]):
        raise NoteInvalid("This note is no checkpoint.")
    root = _decode(lines[2])
    if len(root) != HASH_BYTES:
        raise NoteInvalid("The root of the checkpoint is no hash.")
    return Checkpoint(lines[0], int(lines[1]), root)


def open_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """The checkpoint that this key signed under its own name. Raises NoteInvalid."""
    open_note(note, key)
    found = read_checkpoint(note)
    if found.origin != key.name:
        raise NoteInvalid(f"This is a checkpoint of {found.origin!r}, not of {key.name!r}.")
    return found


def parse_proof(text: str) -> Proof:
    """Read a `.tlog-proof` file. Raises NoteInvalid."""
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    if lines.pop(0) != PROOF_HEAD:
        raise NoteInvalid("This is no proof of a transparency log.")
    leaf = _decode(lines.pop(0)[len("extra ") :]) if lines[:1] and _is_extra(lines[0]) else None
    word, _, seq = lines.pop(0).partition(" ") if lines else ("", "", "")
    if word != "index" or not _NUMBER.fullmatch(seq) or len(lines) > PROOF_HASHES_MAX:
        raise NoteInvalid("The proof does not say which leaf it is about.")
    return Proof(int(seq), tuple(map(_decode, lines)), note, leaf)


def _is_extra(line: str) -> bool:
    return line.startswith("extra ")


def _split(note: str) -> tuple[str, Sequence[str]]:
    """The text with its last newline, and the signature lines."""
    text, gap, below = note.rpartition("\n\n")
    lines = below.split("\n")
    if not gap or lines.pop() != "" or not 0 < len(lines) <= SIGNATURES_MAX:
        raise NoteInvalid("The note has no signatures.")
    if not all(line.startswith(SIGNATURE_MARK) for line in lines):
        raise NoteInvalid("A signature line is malformed.")
    if any(ord(sign) < ord(" ") and sign != "\n" for sign in note):
        raise NoteInvalid("The note holds control characters.")
    return text + "\n", lines


def _check(key: VerifierKey, signature: bytes, text: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.key).verify(signature, text.encode())
    except (InvalidSignature, ValueError) as error:
        raise NoteInvalid(f"The signature of {key.name} does not belong to this text.") from error


def _encode(data: bytes) -> str:
    return b64encode(data).decode()


def _decode(text: str) -> bytes:
    try:
        data = b64decode(text, validate=True)
    except (NotBase64, ValueError) as error:
        raise NoteInvalid("A line is not base64.") from error
    if _encode(data) != text:
        raise NoteInvalid("A line is base64 in a form that nobody writes.")
    return data
