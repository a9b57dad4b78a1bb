"""The publisher's signature of a model's folder (OpenSSF model signing), with keys and offline.

The only file that imports `model_signing`. It is imported where a package is signed or taken in,
because it brings a client of Sigstore with it; nothing of that is called, and no network is used.
The hashing is always set: a guessed one lets files with certain names through unsigned.
"""

import base64
import json
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from model_signing import hashing, signing, verifying

from runtime.errors import CatalogueFault, PackageRefused

MAX_SIGNATURE_BYTES = 16 * 1024 * 1024
MAX_WHY_CHARS = 200
DO_NOT_USE = "Do not use this model, and tell its publisher."


def sign_folder(folder: Path, signature: Path, key: Path, password: bytes | None) -> None:
    """Sign every file of a folder with a P-256, P-384 or P-521 key. Raises CatalogueFault."""
    # The library's hint says text; only bytes work.
    secret: str | None = password  # type: ignore[assignment]
    try:
        signer = signing.Config().use_elliptic_key_signer(private_key=key, password=secret)
        signer.set_hashing_config(_hashing()).sign(folder, signature)
    except (ValueError, TypeError, AttributeError, OSError) as error:
        raise CatalogueFault(
            f"the publisher's key cannot sign: {error}",
            "Name a key made by: lamplight catalogue key --publisher FILE",
        ) from error


def verify_folder(folder: Path, signature: Path, public_key: Path) -> None:
    """Check that exactly the files of a folder were signed. Raises PackageRefused."""
    try:
        if signature.stat().st_size > MAX_SIGNATURE_BYTES:
            raise ValueError("it is too long")
        _check_nothing_is_left_out(signature)
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=public_key)
        verifier.set_hashing_config(_hashing()).verify(folder, signature)
    except InvalidSignature as error:
        raise PackageRefused(
            "the model's signature is not that of its publisher", DO_NOT_USE
        ) from error
    except Exception as error:  # the library raises nearly every kind for a damaged bundle
        why = str(error)[:MAX_WHY_CHARS]
        raise PackageRefused(f"the model's signature does not fit: {why}", DO_NOT_USE) from error


def _hashing() -> hashing.Config:
    return (
        hashing.Config()
        .use_file_serialization(hashing_algorithm="sha256", allow_symlinks=False)
        .set_ignored_paths(paths=[], ignore_git_paths=False)
    )


def _check_nothing_is_left_out(signature: Path) -> None:
    """A signature may name files that it does not cover; ours never does. Raises ValueError."""
    envelope = json.loads(signature.read_bytes())["dsseEnvelope"]
    statement = json.loads(base64.b64decode(envelope["payload"], validate=True))
    if statement["predicate"]["serialization"].get("ignore_paths"):
        raise ValueError("it leaves files out")
