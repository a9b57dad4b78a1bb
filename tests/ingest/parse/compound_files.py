"""Writes compound files (MS-CFB, version 3), which no library of ours can write."""

import struct
from collections.abc import Mapping

SECTOR, MINI, CUTOFF = 512, 64, 4096
FREE, END, FAT, NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
STORAGE, STREAM, ROOT = 1, 2, 5
# A folder is a mapping of names to contents or further folders.
Folder = Mapping[str, "bytes | Folder"]


def compound_file(root: Folder) -> bytes:
    """The bytes of a file with these streams and storages."""
    return _Writer().write(root)


class _Writer:
    def __init__(self) -> None:
        self.sectors: list[bytes] = []
        self.fat: list[int] = []
        self.mini = b""
        self.mini_fat: list[int] = []
        self.entries: list[list[object]] = []

    def write(self, root: Folder) -> bytes:
        self._entry("Root Entry", ROOT)
        self.entries[0][4] = self._folder(root)
        self.entries[0][5], self.entries[0][6] = self._chain(self.mini), len(self.mini)
        mini_start = self._chain(struct.pack(f"<{len(self.mini_fat)}I", *self.mini_fat), b"\xff")
        mini_count = -(-len(self.mini_fat) * 4 // SECTOR)
        directory = self._chain(b"".join(map(_packed, self.entries)))
        fat_count = 1
        while fat_count * SECTOR // 4 < len(self.fat) + fat_count:
            fat_count += 1
        places = list(range(len(self.fat), len(self.fat) + fat_count))
        table = [*self.fat, *[FAT] * fat_count]
        table += [FREE] * (fat_count * SECTOR // 4 - len(table))
        header = struct.pack(
            "<8s16xHHHHH6xIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6,
            0, fat_count, directory, 0, CUTOFF,
            mini_start if mini_count else END, mini_count, END, 0,
        )  # fmt: skip
        header += struct.pack("<109I", *places, *[FREE] * (109 - fat_count))
        return header + b"".join(self.sectors) + struct.pack(f"<{len(table)}I", *table)

    def _entry(self, name: str, kind: int) -> int:
        # name, kind, left, right, child, start, size
        self.entries.append([name, kind, NONE, NONE, NONE, 0, 0])
        return len(self.entries) - 1

    def _folder(self, folder: Folder) -> int:
        """Entries of a folder, each to the right of the one before; gives the first."""
        before = first = NONE
        for name, content in sorted(folder.items()):
            here = self._entry(name, STREAM if isinstance(content, bytes) else STORAGE)
            if before == NONE:
                first = here
            else:
                self.entries[before][3] = here
            before = here
            if isinstance(content, bytes):
                self.entries[here][5] = self._stream(content)
                self.entries[here][6] = len(content)
            else:
                self.entries[here][4] = self._folder(content)
        return first

    def _stream(self, content: bytes) -> int:
        if len(content) >= CUTOFF:
            return self._chain(content)
        if not content:
            return END
        start, count = len(self.mini_fat), -(-len(content) // MINI)
        self.mini += content.ljust(count * MINI, b"\0")
        self.mini_fat += [*range(start + 1, start + count), END]
        return start

    def _chain(self, content: bytes, filling: bytes = b"\0") -> int:
        if not content:
            return END
        start, count = len(self.fat), -(-len(content) // SECTOR)
        padded = content.ljust(count * SECTOR, filling)
        self.sectors += [padded[n * SECTOR : (n + 1) * SECTOR] for n in range(count)]
        self.fat += [*range(start + 1, start + count), END]
        return start


def _packed(entry: list[object]) -> bytes:
    name, kind, left, right, child, start, size = entry
    text = (str(name) + "\0").encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16xI16xIQ", text, len(text), kind, 1, left, right, child, 0, start, size
    )
