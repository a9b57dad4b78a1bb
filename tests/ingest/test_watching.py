import hashlib
from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ingest.watching import STOP_SHARE, Entry, Listing, Looked, Watched, look, to_read

Files = dict[str, bytes]


def listing(files: Files, *unread: str, clock: int = 1) -> Listing:
    entries = (Entry(path, len(content), clock) for path, content in sorted(files.items()))
    return Listing(tuple(entries), unread)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def step(
    files: Files,
    seen: Mapping[str, Watched],
    *unread: str,
    clock: int = 1,
    may_be_gone: bool = False,
) -> Looked:
    """One look, with the bytes read that it asks for."""
    now = listing(files, *unread, clock=clock)
    digests = {entry.path: digest(files[entry.path]) for entry in to_read(now, seen)}
    return look(now, seen, digests, may_be_gone=may_be_gone)


def settled(files: Files) -> Mapping[str, Watched]:
    """What is remembered once every file has been read."""
    return step(files, step(files, {}).seen).seen


TEN = {f"ward/policy-{n}.pdf": f"text {n}".encode() * (n + 1) for n in range(10)}


def test_a_new_file_is_read_at_its_second_look() -> None:
    """At the first look it may still be copied; at the second it is new; then it is known."""
    first = step(TEN, {})
    second = step(TEN, first.seen)
    assert first.new == ()
    assert set(first.waiting) == set(TEN)
    assert {one.path: one.digest for one in second.new} == {p: digest(c) for p, c in TEN.items()}
    assert step(TEN, second.seen) == Looked(seen=second.seen)


def test_a_file_still_being_written_waits() -> None:
    """As long as its size changes from look to look nothing is read."""
    seen: Mapping[str, Watched] = {}
    for size in range(1, 5):
        looked = step({"a.pdf": b"x" * size}, seen)
        assert (looked.waiting, looked.new) == (("a.pdf",), ())
        seen = looked.seen
    assert [one.path for one in step({"a.pdf": b"x" * 4}, seen).new] == ["a.pdf"]


def test_a_changed_file_is_told_with_its_new_digest() -> None:
    """Other bytes under a known path, once steady."""
    changed = TEN | {"ward/policy-3.pdf": b"other words"}
    waiting = step(changed, settled(TEN))
    (found,) = step(changed, waiting.seen).changed
    assert waiting.changed == ()
    assert (found.path, found.digest) == ("ward/policy-3.pdf", digest(b"other words"))


def test_a_file_that_was_only_touched_has_not_changed() -> None:
    """A new time of change with the same bytes is nothing to anybody."""
    seen = step(TEN, settled(TEN), clock=2).seen
    looked = step(TEN, seen, clock=2)
    assert (looked.changed, looked.new, looked.waiting) == ((), (), ())


def test_a_renamed_file_is_the_same_document() -> None:
    """Neither missing nor new, however many are renamed at once."""
    renamed = {f"hospital/{path}": content for path, content in TEN.items()}
    first = step(renamed, settled(TEN))
    second = step(renamed, first.seen)
    assert (first.stopped, first.missing, second.missing, second.new) == ("", (), (), ())
    assert {(one.before, one.path) for one in second.moved} == {(p, f"hospital/{p}") for p in TEN}
    assert set(second.seen) == set(renamed)


def test_a_file_is_missing_when_two_looks_did_not_see_it() -> None:
    """Once may be chance: somebody saves it anew. It is told once."""
    rest = {path: content for path, content in TEN.items() if path != "ward/policy-4.pdf"}
    first = step(rest, settled(TEN))
    second = step(rest, first.seen)
    assert (first.missing, first.stopped) == ((), "")
    assert [one.path for one in second.missing] == ["ward/policy-4.pdf"]
    assert step(rest, second.seen) == Looked(seen=second.seen)


def test_a_file_that_came_back_was_never_missing() -> None:
    """Looks without it are counted in a row."""
    rest = {path: content for path, content in TEN.items() if path != "ward/policy-4.pdf"}
    seen = step(TEN, step(rest, settled(TEN)).seen).seen
    assert step(rest, seen).missing == ()


def test_an_emptied_folder_asks_and_forgets_nothing() -> None:
    """A mount that is gone looks like this: however often it is looked at, nothing is missing."""
    seen = settled(TEN)
    for _ in range(3):
        looked = step({}, seen)
        assert looked.missing == ()
        assert "10 of 10 files are gone" in looked.stopped
        assert looked.seen == seen


def test_a_person_can_say_that_the_files_are_gone_on_purpose() -> None:
    """Confirmed, even all files may be missing, after two looks like any other."""
    first = step({}, settled(TEN), may_be_gone=True)
    second = step({}, first.seen, may_be_gone=True)
    assert {one.path for one in second.missing} == set(TEN)


def test_what_could_not_be_listed_is_not_missing() -> None:
    """A folder below that refuses to open hides its files; it does not delete them."""
    both = TEN | {"other/a.pdf": b"a"}
    seen = settled(both)
    for _ in range(3):
        looked = step({"other/a.pdf": b"a"}, seen, "ward")
        assert (looked.missing, looked.stopped) == ((), "")
        seen = looked.seen
    assert {path for path in seen if path.startswith("ward/")} == set(TEN)
    assert step(both, seen) == Looked(seen=seen)


def test_a_file_that_cannot_be_read_is_asked_for_again() -> None:
    """Without its digest it keeps waiting."""
    files = {"a.pdf": b"a"}
    seen = step(files, {}).seen
    for _ in range(2):
        looked = look(listing(files), seen, {})
        assert (looked.waiting, looked.new) == (("a.pdf",), ())
        seen = looked.seen
        assert [entry.path for entry in to_read(listing(files), seen)] == ["a.pdf"]


FOLDER = st.dictionaries(
    st.sampled_from([f"{name}.md" for name in "abcdefgh"]),
    st.sampled_from([b"1", b"2", b"33", b"44"]),
    max_size=8,
)


@given(st.lists(st.tuples(FOLDER, st.booleans()), max_size=8))
def test_what_is_told_adds_up_to_what_is_there(history: list[tuple[Files, bool]]) -> None:
    """After any history and two quiet looks, what was told is the folder: none lost, none twice."""
    told: dict[str, str] = {}
    seen: Mapping[str, Watched] = {}
    last: Files = history[-1][0] if history else {}
    quiet = [(last, True)] * 3
    for clock, (files, sure) in enumerate([*history, *quiet]):
        looked = step(files, seen, clock=min(clock, len(history)), may_be_gone=sure)
        if looked.stopped:
            assert looked == Looked(seen=dict(seen), stopped=looked.stopped)
            continue
        for one in looked.moved:
            assert told.pop(one.before) == one.digest
        for one in looked.missing:
            assert one.path not in files
            assert told.pop(one.path) == one.digest
        for one in (*looked.new, *looked.moved):
            assert one.path not in told
            told[one.path] = one.digest
        for one in looked.changed:
            assert told[one.path] != one.digest
            told[one.path] = one.digest
        seen = looked.seen
    assert told == {path: digest(content) for path, content in last.items()}


@given(st.integers(1, 40), st.integers(0, 40))
def test_more_than_a_fifth_gone_is_never_believed(known: int, gone: int) -> None:
    """Up to a fifth goes through, more stops, whatever the size of the folder."""
    files = {f"{n}.md": str(n).encode() for n in range(known)}
    left = dict(list(files.items())[min(gone, known) :])
    looked = step(left, settled(files))
    assert bool(looked.stopped) == (min(gone, known) > STOP_SHARE * known)


def test_a_look_leaves_what_it_was_given_alone() -> None:
    """The memory of the last look is not edited: it may have to be looked at again."""
    seen = dict(settled(TEN))
    before = {path: replace(one) for path, one in seen.items()}
    step(dict(list(TEN.items())[1:]) | {"new.md": b"n"}, seen)
    assert seen == before
