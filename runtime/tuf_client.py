"""Reads a catalogue that TUF signs, from a folder alone, and remembers what was seen of it.

With `runtime/tuf_author.py` the only file that imports `tuf`. What is remembered refuses an older
catalogue later (rollback); a catalogue that nobody has renewed is refused by its dates (freeze).
It is written only when the whole package has been found sound.

    root.json        the root that a person has installed
    publishers/      public keys of those who sign models, by the SHA-256 of the file
    seen/            the newest signed files, and every root since
    revoked.json     the newest list of revoked digests
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuf.api.exceptions import DownloadError, DownloadHTTPError, RepositoryError
from tuf.api.metadata import Metadata, Root, TargetFile, Targets
from tuf.ngclient import Updater, UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from runtime.errors import CatalogueFault, PackageRefused
from runtime.package import DO_NOT_USE, MAX_METADATA_BYTES, METADATA, REVOKED, STAGING, TARGETS
from runtime.store import write_whole

CHUNK_BYTES = 1024 * 1024
ROOT, PUBLISHERS, SEEN = "root.json", "publishers", "seen"
NEVER_FETCHED = "targets-are-copied-by-us:"
SEEN_FILES = ("targets.json", "snapshot.json", "timestamp.json")


class FolderFetcher(FetcherInterface):
    """Gives the files of one folder where TUF asks for addresses; it follows no link."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _fetch(self, url: str) -> Iterator[bytes]:
        name = url.rpartition("/")[2]
        try:
            yield from blocks(self._folder / name)
        except FileNotFoundError as error:
            raise DownloadHTTPError(f"{name} is missing", 404) from error


def blocks(path: Path) -> Iterator[bytes]:
    """The content of a file that is no link. Raises OSError."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        while block := file.read(CHUNK_BYTES):
            yield block


class Trust:
    """What a person has installed of a catalogue's keys, and what was seen since."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def is_there(self) -> bool:
        """Whether a root was installed."""
        return (self.folder / ROOT).is_file()

    def install(self, root: Path, publishers: list[Path]) -> str:
        """Trust this root from now on; its SHA-256. Raises CatalogueFault.

        Another root does not take the place of the first: a root is renewed by its own signatures.
        """
        content = _bounded(root)
        _check_root(content)
        known = self.folder / ROOT
        if known.exists() and known.read_bytes() != content:
            raise CatalogueFault(
                "another root is trusted here already",
                f"If that is meant, remove {self.folder} first. A root that was renewed needs"
                " nothing: it comes with the catalogue, signed by the keys of the old one.",
            )
        for publisher in publishers:
            self._add_publisher(publisher)
        known.parent.mkdir(parents=True, exist_ok=True)
        write_whole(known, content)
        return hashlib.sha256(content).hexdigest()

    def publisher(self, key_id: str) -> Path:
        """The public key of a publisher. Raises PackageRefused."""
        if len(key_id) == 64 and key_id.isalnum():
            path = self.folder / PUBLISHERS / f"{key_id}.pem"
            if path.is_file():
                return path
        raise PackageRefused(
            "the model is of a publisher who is not trusted here",
            "If it is the right one: lamplight catalogue trust ROOT.json --publisher KEY.pub",
        )

    def revoked(self) -> bytes:
        """The newest list of revoked digests."""
        path = self.folder / REVOKED
        return path.read_bytes() if path.is_file() else b"[]"

    def _add_publisher(self, key: Path) -> None:
        content = _bounded(key)
        if not content.startswith(b"-----BEGIN PUBLIC KEY-----"):
            raise CatalogueFault(f"{key} is no public key", "Name the file that ends in .pub.")
        folder = self.folder / PUBLISHERS
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / f"{hashlib.sha256(content).hexdigest()}.pem", content)


class SignedCatalogue:
    """A catalogue on a medium whose signatures, versions and dates have been found in order."""

    def __init__(self, medium: Path, targets: dict[str, TargetFile], work: Path) -> None:
        self._medium = medium
        self._targets = targets
        self._work = work

    def below(self, place: str) -> dict[str, TargetFile]:
        """What is signed below a folder, by the path within it."""
        start = f"{place}/"
        return {p[len(start) :]: x for p, x in self._targets.items() if p.startswith(start)}

    def bytes_of(self, path: str, most: int) -> bytes | None:
        """A small file; None if none is signed. Raises PackageRefused."""
        target = self._targets.get(path)
        if target is None:
            return None
        if target.length > most:
            raise PackageRefused(f"{path} is longer than {most} bytes", DO_NOT_USE)
        copy = self._work / "small"
        self.copy(path, copy)
        return copy.read_bytes()

    def told_of(self, path: str) -> dict[str, object]:
        """What the catalogue tells of a file besides length and digest."""
        found = self._targets[path].unrecognized_fields.get("custom")
        return dict(found) if isinstance(found, dict) else {}

    def copy(self, path: str, to: Path) -> None:
        """Copy a file, no more of it than was signed, and check the copy. Raises PackageRefused.

        The copy, because a medium may read differently the second time.
        """
        target = self._targets[path]
        to.parent.mkdir(parents=True, exist_ok=True)
        try:
            with to.open("w+b") as file:
                for block in blocks(self._medium / TARGETS / path):
                    if file.tell() + len(block) > target.length:
                        raise PackageRefused(f"{path} is longer than what was signed", DO_NOT_USE)
                    file.write(block)
                file.seek(0)
                target.verify_length_and_hashes(file)
        except FileNotFoundError as error:
            raise PackageRefused(f"{path} is missing", "Copy the whole medium again.") from error
        except RepositoryError as error:
            raise PackageRefused(f"{path} is not what was signed", DO_NOT_USE) from error

    def remember(self, trust: Trust, revoked: bytes) -> None:
        """Keep what was seen, so that nothing older is accepted. The newest file goes last."""
        seen = trust.folder / SEEN
        (seen / "root_history").mkdir(parents=True, exist_ok=True)
        for root in sorted((self._work / "root_history").glob("*.root.json")):
            write_whole(seen / "root_history" / root.name, root.read_bytes())
        write_whole(trust.folder / REVOKED, revoked)
        for name in SEEN_FILES:
            write_whole(seen / name, (self._work / name).read_bytes())


@contextmanager
def opened(medium: Path, trust: Trust) -> Iterator[SignedCatalogue]:
    """Check a medium's metadata against what is trusted and was seen. Raises PackageRefused."""
    if not trust.is_there:
        raise PackageRefused(
            "no catalogue is trusted here yet",
            "Get its root by another way than this medium, then run:"
            " lamplight catalogue trust ROOT.json",
        )
    with tempfile.TemporaryDirectory(dir=trust.folder, prefix=STAGING) as name:
        work = Path(name)
        seen = trust.folder / SEEN
        if seen.is_dir():
            shutil.copytree(seen, work, dirs_exist_ok=True)
        updater = Updater(
            metadata_dir=name,
            metadata_base_url=f"{METADATA}/",
            target_base_url=NEVER_FETCHED,
            fetcher=FolderFetcher(medium / METADATA),
            config=UpdaterConfig(
                targets_max_length=MAX_METADATA_BYTES, prefix_targets_with_hash=False
            ),
            bootstrap=(trust.folder / ROOT).read_bytes(),
        )
        try:
            updater.refresh()
        except (RepositoryError, DownloadError, OSError, ValueError) as error:
            raise PackageRefused(f"the catalogue is refused: {error}", DO_NOT_USE) from error
        signed = Metadata[Targets].from_file(str(work / "targets.json")).signed
        if signed.delegations is not None:
            raise PackageRefused("the catalogue delegates to others", DO_NOT_USE)
        yield SignedCatalogue(medium, signed.targets, work)


def _bounded(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_METADATA_BYTES:
            raise CatalogueFault(f"{path} is too long", "Name the right file.")
        return path.read_bytes()
    except OSError as error:
        raise CatalogueFault(f"{path} cannot be read", "Check the path.") from error


def _check_root(content: bytes) -> None:
    """That it is a root signed by its own keys. Raises CatalogueFault."""
    try:
        root = Metadata[Root].from_bytes(content)
        root.signed.verify_delegate(Root.type, root.signed_bytes, root.signatures)
    except Exception as error:  # whatever it is, it is no root of ours
        raise CatalogueFault(
            f"this is no root that enough of its keys have signed: {error}",
            "Name the newest N.root.json of the catalogue.",
        ) from error
