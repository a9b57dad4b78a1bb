"""The columns of a policy list: which of them mean what, by the names that people give them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest.errors import UnsupportedType
from ingest.field_names import FieldName, field_of, folded_label

# A title row and a date of export may stand above the names of the columns.
HEADER_WITHIN = 20
_FILE = frozenset(("file", "file name", "filename", "document file", "path", "attachment"))
# What a column of a list may be called, which on a page of a policy would mean something else.
_COLUMNS = {
    "number": FieldName.POLICY_NUMBER,
    "no": FieldName.POLICY_NUMBER,
    "id": FieldName.POLICY_NUMBER,
    "ref": FieldName.POLICY_NUMBER,
    "reference": FieldName.POLICY_NUMBER,
    "policy": FieldName.TITLE,
    "name": FieldName.TITLE,
    "document": FieldName.TITLE,
    "review date": FieldName.REVIEW_DUE,
    "review": FieldName.REVIEW_DUE,
    "due date": FieldName.REVIEW_DUE,
}
# Who approved is no date, though a page may say both in one line.
_NO_COLUMNS = frozenset(("approved by", "ratified by"))


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field stands; unread: columns that mean nothing here."""

    file: int | None
    fields: Mapping[FieldName, int]
    unread: tuple[str, ...] = ()


def is_column(name: str) -> bool:
    """Whether a column of this name is read."""
    return folded_label(name) in _FILE or _field_of(name) is not None


def _field_of(name: str) -> FieldName | None:
    folded = folded_label(name)
    return None if folded in _NO_COLUMNS else _COLUMNS.get(folded) or field_of(folded)


def find_columns(
    rows: Sequence[tuple[int, Sequence[object]]], file_name: str
) -> tuple[int, Columns]:
    """The line that names the columns, and they: the first that knows a policy and one thing of it.

    Raises UnsupportedType if no line does, or if two columns mean the same.
    """
    for line, cells in rows[:HEADER_WITHIN]:
        columns = _columns([str(cell or "") for cell in cells], file_name)
        keyed = columns.file is not None or FieldName.POLICY_NUMBER in columns.fields
        if keyed and len(columns.fields) + (columns.file is not None) >= 2:
            return line, columns
    raise UnsupportedType(
        f"{file_name}: no line names the columns.",
        "The first line should say: file or policy number, title, effective date, review due.",
    )


def _columns(names: Sequence[str], file_name: str) -> Columns:
    file: int | None = None
    fields: dict[FieldName, int] = {}
    unread: list[str] = []
    for index, name in enumerate(names):
        known = _field_of(name)
        if folded_label(name) in _FILE and file is None:
            file = index
        elif known is not None and known not in fields:
            fields[known] = index
        elif known is not None:
            raise UnsupportedType(
                f'{file_name}: the columns "{names[fields[known]]}" and "{name}" mean the same.',
                "Keep the one that counts and remove the other.",
            )
        elif name:
            unread.append(name)
    return Columns(file, fields, tuple(unread))
