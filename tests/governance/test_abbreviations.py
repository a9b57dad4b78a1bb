"""Abbreviations: added, refused, imported, removed, remembered."""

import pytest

from governance.abbreviations import (
    KEPT_S,
    MAX_PER_DEPARTMENT,
    AbbreviationStore,
    fold,
    pairs_in,
)
from governance.errors import InvalidAbbreviation, NotFound
from governance.events import SYSTEM
from governance.policies import Department, PolicyStore
from governance.record.database import Record
from governance.testing_retention import ANNA, NOW, actions


@pytest.fixture
def store(record: Record) -> AbbreviationStore:
    return AbbreviationStore(record)


def test_a_short_form_has_its_long_forms_in_its_department_only(
    store: AbbreviationStore, demo: Department, policies: PolicyStore, record: Record
) -> None:
    """Several of them, as they were written, at once after each change."""
    policies.create_department(SYSTEM, "other")
    assert dict(store.of("demo")) == {}
    store.add(ANNA, demo.id, "MS", "multiple sclerosis", NOW)
    store.add(ANNA, demo.id, " ms ", "morphine   sulphate", NOW)
    assert dict(store.of("demo")) == {"ms": ("morphine sulphate", "multiple sclerosis")}
    assert dict(store.of("other")) == dict(store.of("nowhere")) == {}
    store.remove(ANNA, demo.id, store.listed(demo.id)[0].id)
    assert dict(store.of("demo")) == {"MS": ("multiple sclerosis",)}
    with pytest.raises(NotFound):
        store.remove(ANNA, demo.id, "no-such-pair")
    assert actions(record, "abbreviation.") == [
        *["abbreviation.added"] * 2,
        "abbreviation.removed",
    ]


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("", "intravenous"),
        ("IV", " "),
        ("I.V.", "iv"),
        ("x" * 81, "intravenous"),
        ("IV", "x" * 81),
        ("i.v.", "Intravenous"),
    ],
    ids=["no short", "no long", "the same", "long short", "long long", "there already"],
)
def test_what_is_no_new_pair_is_refused(
    store: AbbreviationStore, demo: Department, short: str, long: str
) -> None:
    """And the list stays as it was."""
    store.add(ANNA, demo.id, "IV", "intravenous", NOW)
    with pytest.raises(InvalidAbbreviation):
        store.add(ANNA, demo.id, short, long, NOW)
    assert len(store.listed(demo.id)) == 1


def test_another_process_is_seen_after_a_few_seconds(record: Record, demo: Department) -> None:
    """Until then the record is not asked again."""
    now = [0.0]
    ours, theirs = AbbreviationStore(record, lambda: now[0]), AbbreviationStore(record)
    assert dict(ours.of("demo")) == {}
    theirs.add(ANNA, demo.id, "IV", "intravenous", NOW)
    assert dict(ours.of("demo")) == {}
    now[0] += KEPT_S
    assert dict(ours.of("demo")) == {"IV": ("intravenous",)}


def test_a_file_is_imported_whole_or_not_at_all(store: AbbreviationStore, demo: Department) -> None:
    """Pairs that are there are passed over; a bad row is named and nothing is added."""
    store.add(ANNA, demo.id, "IV", "intravenous", NOW)
    good = "\ufeffShort form,Long form\niv,Intravenous\nPRN,as needed\n\nprn,as needed\n"
    assert store.import_csv(ANNA, demo.id, good.encode(), NOW) == 1
    assert store.import_csv(ANNA, demo.id, good.encode(), NOW) == 0
    with pytest.raises(InvalidAbbreviation, match="Row 2 has 3 columns"):
        store.import_csv(ANNA, demo.id, b"NPO,nothing by mouth\na,b,c\n", NOW)
    too_many = "\n".join(f"A{n},word {n}" for n in range(MAX_PER_DEPARTMENT))
    with pytest.raises(InvalidAbbreviation, match="500"):
        store.import_csv(ANNA, demo.id, too_many.encode(), NOW)
    assert len(store.listed(demo.id)) == 2


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"short,long\n", b"x" * 200_001])
def test_what_is_no_list_is_refused(content: bytes) -> None:
    """Empty, not UTF-8, without pairs, or too large."""
    with pytest.raises(InvalidAbbreviation):
        pairs_in(content)


def test_a_spreadsheet_with_semicolons_is_read() -> None:
    """As they are written where a comma stands in numbers."""
    assert pairs_in(b"IV;intravenous\nPRN;as needed, at most daily\n") == (
        ("IV", "intravenous"),
        ("PRN", "as needed, at most daily"),
    )


def test_forms_are_folded() -> None:
    """Case, dots and marks make no difference."""
    assert fold("I.V.") == fold("iv") == "iv"
    assert fold("Follow-up") == "follow up"
