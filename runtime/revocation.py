"""The list of digests that may no longer be used: one more file that the catalogue signs. Pure."""

import json
from dataclasses import asdict, dataclass

from runtime.errors import CatalogueFault, PackageRefused
from runtime.manifest import DIGEST, Manifest

MAX_REVOKED = 10_000
MAX_REASON_CHARS = 500
MAX_LIST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Revoked:
    """A digest with the reason. digest: `sha256:HEX` of a manifest, or of a file of models."""

    digest: str
    reason: str

    def hits(self, manifest: Manifest) -> bool:
        """Whether a model is meant by it, or made with a file that is."""
        digests = {f"sha256:{manifest.digest}", *(layer.digest for layer in manifest.layers)}
        return self.digest in digests


def read_revoked(content: bytes) -> tuple[Revoked, ...]:
    """Read a list. Raises PackageRefused."""
    try:
        found = tuple(Revoked(str(x["digest"]), str(x["reason"])) for x in json.loads(content))
    except (ValueError, KeyError, TypeError) as error:
        raise PackageRefused(
            "the list of revoked models cannot be read", "Ask for it again."
        ) from (error)
    if len(found) > MAX_REVOKED or not all(_is_sound(one) for one in found):
        raise _refused()
    return found


def write_revoked(revoked: tuple[Revoked, ...]) -> bytes:
    """The same list in the same order gives the same bytes. Raises CatalogueFault."""
    for one in revoked:
        if not _is_sound(one):
            raise CatalogueFault(
                f"{one.digest!r} cannot be revoked like this",
                f"Write sha256: and 64 hex digits, and 1 to {MAX_REASON_CHARS} letters of why.",
            )
    ordered = sorted(set(revoked), key=lambda one: (one.digest, one.reason))
    return json.dumps([asdict(one) for one in ordered], indent=1).encode()


def _is_sound(one: Revoked) -> bool:
    return bool(DIGEST.fullmatch(one.digest)) and 0 < len(one.reason) <= MAX_REASON_CHARS


def _refused() -> PackageRefused:
    return PackageRefused("the list of revoked models is not sound", "Ask for it again.")
