"""A watched folder: what is new, changed, moved or gone since the last look.

A file is read only when two looks in a row saw it with the same size and time of change, so that no
half-written copy is loaded. It is known again by its content: the same bytes under another name are
the same document, moved. A file is missing when two looks in a row did not see it. If more than a
fifth is gone at one look, the folder is more likely not mounted than emptied: nothing is concluded,
and a person is asked. What could not be listed is not missing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

# More than this share of the known files gone at one look stops it.
STOP_SHARE = 0.2
# Looks in a row without a file before it counts as missing.
_MISSING_LOOKS = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a listing; path: below the folder, with slashes."""

    path: str
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a folder at one moment.

    unread: paths of files and folders that could not be looked at; what is below them is unknown.
    """

    entries: tuple[Entry, ...]
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Watched:
    """What is remembered of a file between looks.

    size_bytes, modified_ns: at the last look that saw it. digest: of its bytes when last read,
    empty before that. is_read: whether the digest is of the file as it was at the last look.
    """

    path: str
    size_bytes: int
    modified_ns: int
    digest: str = ""
    is_read: bool = False
    missing_looks: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A file that asks for something; before: where it stood, if it moved, else empty."""

    path: str
    digest: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look found. seen: to be remembered for the next look, by path.

    stopped: why nothing is concluded from it; empty if all is well. waiting: paths that may still
    be written to.
    """

    seen: Mapping[str, Watched]
    new: tuple[Found, ...] = ()
    changed: tuple[Found, ...] = ()
    moved: tuple[Found, ...] = ()
    missing: tuple[Found, ...] = ()
    waiting: tuple[str, ...] = ()
    stopped: str = ""


@dataclass(slots=True)
class _Sorted:
    """The known and listed files of one look, by what they have become."""

    seen: dict[str, Watched] = field(default_factory=dict)
    new: list[Watched] = field(default_factory=list)
    changed: list[Found] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


def to_read(listing: Listing, seen: Mapping[str, Watched]) -> tuple[Entry, ...]:
    """The files whose bytes are to be read before `look`: changed, and steady for two looks."""
    return tuple(
        entry
        for entry in listing.entries
        if (known := seen.get(entry.path)) and not known.is_read and _is_steady(entry, known)
    )


def look(
    listing: Listing,
    seen: Mapping[str, Watched],
    digests: Mapping[str, str],
    *,
    may_be_gone: bool = False,
) -> Looked:
    """Compare a listing with what was seen before.

    digests: of the files named by `to_read`, by path; one that could not be read is left out and
    asked for again. may_be_gone: a person has confirmed that so many files were removed.
    """
    present = {entry.path for entry in listing.entries}
    hidden = _Hidden(listing.unread)
    gone = [one for path, one in seen.items() if path not in present and path not in hidden]
    gone = [one for one in gone if one.digest]
    known = sum(1 for one in seen.values() if one.digest)
    if not may_be_gone and len(_really_gone(gone, listing, seen)) > STOP_SHARE * known:
        return Looked(seen=dict(seen), stopped=_question(len(gone), known))
    result = _sorted(listing, seen, digests)
    result.seen |= {
        path: one for path, one in seen.items() if path in hidden and path not in present
    }
    moved, new, gone = _moved(result.new, gone)
    missing = _count_missing(gone, result)
    return Looked(
        seen=result.seen,
        new=tuple(Found(one.path, one.digest) for one in new),
        changed=tuple(result.changed),
        moved=tuple(moved),
        missing=tuple(missing),
        waiting=tuple(sorted(result.waiting)),
    )


class _Hidden:
    """Paths that are, or are below, what could not be looked at."""

    def __init__(self, unread: Iterable[str]) -> None:
        self._unread = frozenset(unread)

    def __contains__(self, path: str) -> bool:
        parts = path.split("/")
        return any("/".join(parts[: end + 1]) in self._unread for end in range(len(parts)))


def _is_steady(entry: Entry, known: Watched) -> bool:
    return (entry.size_bytes, entry.modified_ns) == (known.size_bytes, known.modified_ns)


def _question(gone: int, known: int) -> str:
    return (
        f"{gone} of {known} files are gone at once. Check that the folder is mounted and whole; "
        "if they were removed on purpose, confirm it."
    )


def _really_gone(
    gone: Sequence[Watched], listing: Listing, seen: Mapping[str, Watched]
) -> list[Watched]:
    """Without those that may have been renamed: a file unknown till now has their size and time."""
    come: dict[tuple[int, int], int] = defaultdict(int)
    for entry in listing.entries:
        known = seen.get(entry.path)
        if known is None or not known.digest:
            come[entry.size_bytes, entry.modified_ns] += 1
    left: list[Watched] = []
    for one in gone:
        if come[one.size_bytes, one.modified_ns]:
            come[one.size_bytes, one.modified_ns] -= 1
        else:
            left.append(one)
    return left


def _sorted(listing: Listing, seen: Mapping[str, Watched], digests: Mapping[str, str]) -> _Sorted:
    result = _Sorted()
    for entry in listing.entries:
        known = seen.get(entry.path)
        now = _seen_now(entry, known, digests)
        result.seen[entry.path] = now
        if not now.is_read:
            result.waiting.append(entry.path)
        elif known is None or not known.digest:
            result.new.append(now)
        elif known.digest != now.digest:
            result.changed.append(Found(entry.path, now.digest))
    return result


def _seen_now(entry: Entry, known: Watched | None, digests: Mapping[str, str]) -> Watched:
    if known is None:
        return Watched(entry.path, entry.size_bytes, entry.modified_ns)
    if not _is_steady(entry, known):
        return Watched(entry.path, entry.size_bytes, entry.modified_ns, known.digest)
    if not known.is_read and entry.path in digests:
        return replace(known, digest=digests[entry.path], is_read=True, missing_looks=0)
    return replace(known, missing_looks=0)


def _moved(
    new: Sequence[Watched], gone: Sequence[Watched]
) -> tuple[list[Found], list[Watched], list[Watched]]:
    """New files with the bytes of one that is gone, that of the same name first."""
    left = {one.path: one for one in sorted(gone, key=lambda one: one.path)}
    moved: list[Found] = []
    rest: list[Watched] = []
    for one in new:
        same = [other for other in left.values() if other.digest == one.digest]
        same.sort(key=lambda other: _name(other.path) != _name(one.path))
        if same:
            before = left.pop(same[0].path)
            moved.append(Found(one.path, one.digest, before.path))
        else:
            rest.append(one)
    return moved, rest, list(left.values())


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _count_missing(gone: Sequence[Watched], result: _Sorted) -> list[Found]:
    """Those unseen for the second time; one that may be a file still to be read waits for that."""
    sizes = {result.seen[path].size_bytes for path in result.waiting}
    missing: list[Found] = []
    for one in gone:
        looks = one.missing_looks + 1
        if looks >= _MISSING_LOOKS and one.size_bytes not in sizes:
            missing.append(Found(one.path, one.digest))
        else:
            result.seen[one.path] = replace(one, missing_looks=looks)
    return missing
