"""Checks a .tlog-proof file of an audit trail, with nothing but this file and Python 3.9 or newer.

python verify_proof.py FILE.tlog-proof --vkey NAME+ID+KEY [--leaf FILE]
Ends with 0 where all holds, 1 where it does not, 2 where it was called wrongly.
Formats: c2sp.org/tlog-proof, tlog-checkpoint, signed-note. Arithmetic: RFC 8032 and RFC 9162.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from base64 import b64decode
from pathlib import Path

Point = tuple[int, int, int, int]  # x, y, z, t in extended coordinates

# Ed25519: the field, the curve's constant, the order of the group, a root of -1, the base point.
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
ORDER = 2**252 + 27742317777372353535851937790883648493
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


class Invalid(Exception):
    """The proof does not hold; the text says why."""


def add(a: Point, b: Point) -> Point:
    """The sum of two points in extended coordinates (RFC 8032, 5.1.4)."""
    e, f = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    g, h = 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    w, x, y, z = f - e, h - g, h + g, f + e
    return w * x % P, y * z % P, x * y % P, w * z % P


def times(number: int, point: Point) -> Point:
    """A multiple of a point."""
    total: Point = (0, 1, 1, 0)
    while number:
        total = add(total, point) if number & 1 else total
        point, number = add(point, point), number >> 1
    return total


def point(data: bytes) -> Point:
    """The point that 32 bytes stand for (RFC 8032, 5.1.3)."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        raise Invalid("A key or signature is no point of the curve.")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def check_signature(key: bytes, signature: bytes, text: bytes) -> None:
    """Check an Ed25519 signature (RFC 8032, 5.1.7)."""
    if len(signature) != 64:
        raise Invalid("A signature has 64 bytes.")
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    challenge = int.from_bytes(hashlib.sha512(r + key + text).digest(), "little") % ORDER
    left, right = times(s, BASE), add(point(r), times(challenge, point(key)))
    if s >= ORDER or any((left[i] * right[2] - right[i] * left[2]) % P for i in (0, 1)):
        raise Invalid("The signature does not belong to the checkpoint.")


def check_inclusion(index: int, size: int, leaf: bytes, proof: list[bytes], root: bytes) -> None:
    """Check that a leaf stands in a tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        raise Invalid("The event is not in the signed part of the trail.")
    last = size - 1
    for sibling in proof:
        if last == 0:
            raise Invalid("The proof is too long.")
        if index & 1 or index == last:
            leaf = hashlib.sha256(b"\x01" + sibling + leaf).digest()
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            leaf = hashlib.sha256(b"\x01" + leaf + sibling).digest()
        index, last = index >> 1, last >> 1
    if last or leaf != root:
        raise Invalid("The event is not the one that was signed.")


def open_checkpoint(note: str, vkey: str) -> tuple[int, bytes]:
    """Size and root of the checkpoint, once the key's signature is checked."""
    name, key_id, encoded = vkey.strip().split("+", 2)
    data = b64decode(encoded, validate=True)
    number = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    if data[:1] != b"\x01" or len(data) != 33 or number.hex() != key_id:
        raise Invalid("The key is not of the form name+id+key.")
    text, _, signatures = note.rpartition("\n\n")
    for line in signatures.splitlines():
        mark, signer, signed = line.split(" ", 2)
        signature = b64decode(signed, validate=True)
        if (mark, signer, signature[:4]) == ("\u2014", name, number):
            check_signature(data[1:], signature[4:], (text + "\n").encode())
            origin, size, root = text.split("\n")[:3]
            if origin != name:
                raise Invalid("The checkpoint is of another trail.")
            return int(size), b64decode(root, validate=True)
    raise Invalid("The key has not signed the checkpoint.")


def check(proof: str, vkey: str, leaf: bytes | None = None) -> tuple[int, int, bytes]:
    """Check a whole proof; returns number, size of the trail, and the event."""
    head, _, note = proof.partition("\n\n")
    lines = head.split("\n")
    if lines.pop(0) != "c2sp.org/tlog-proof@v1":
        raise Invalid("This is no proof of a transparency log.")
    if lines and lines[0].startswith("extra "):
        extra = b64decode(lines.pop(0)[len("extra ") :], validate=True)
        leaf = extra if leaf is None else leaf
    if leaf is None:
        raise Invalid("The proof does not carry the event: name it with --leaf.")
    index = int(lines.pop(0).split("index ")[1])
    size, root = open_checkpoint(note, vkey)
    hashes = [b64decode(line, validate=True) for line in lines]
    check_inclusion(index, size, hashlib.sha256(b"\x00" + leaf).digest(), hashes, root)
    return index, size, leaf


def main() -> int:
    """Check the file that was named and say what it shows."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("proof")
    options.add_argument("--vkey", required=True, help="the key of the trail, got another way")
    options.add_argument("--leaf", metavar="FILE", help="the event, exactly as it was exported")
    chosen = options.parse_args()
    try:
        proof = Path(chosen.proof).read_bytes().decode()
        leaf = Path(chosen.leaf).read_bytes().rstrip(b"\n") if chosen.leaf else None
        index, size, event = check(proof, chosen.vkey, leaf)
    except (Invalid, ValueError, IndexError, OSError) as error:
        sys.stderr.write(f"The proof does not hold. {error}\n")
        return 1
    sys.stdout.write(f"Event {index} is in the trail of {size} events:\n{event.decode()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
