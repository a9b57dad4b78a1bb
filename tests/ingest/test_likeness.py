from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.config import IngestSettings
from ingest.likeness import NEAR, bands, exact_likeness, likeness, signature
from ingest.parse import pdf

SAMPLES = Path(__file__).parents[2] / "samples"
TEXTS = st.lists(st.text("abc \n", max_size=60), max_size=8)


def policy(seed: int, sentences: int = 80) -> list[str]:
    """Sentences of which no five words stand in another policy."""
    return [f"Rule {seed}x{n} of ward w{seed}y{n} at hour h{seed}z{n}." for n in range(sentences)]


def sample(name: str) -> list[str]:
    document = pdf.parse((SAMPLES / name).read_bytes(), IngestSettings())
    return [block.text for block in document.blocks]


def test_a_copy_with_another_dose_and_date_is_near() -> None:
    """Two changed words leave a policy recognisable, and a band in common to find it by."""
    old = [*policy(7), "Give 5 mg at once.", "Effective 1 March 2026."]
    new = [*policy(7), "Give 10 mg at once.", "Effective 1 March 2028."]
    assert likeness(signature(old), signature(new)) >= NEAR
    assert exact_likeness(old, new) >= NEAR
    assert any(a == b for a, b in zip(bands(signature(old)), bands(signature(new)), strict=True))


def test_unrelated_policies_are_not_near() -> None:
    """Other words are another document: nothing in common, no band shared."""
    one, other = signature(policy(3)), signature(policy(11))
    assert likeness(one, other) < 0.1
    assert not any(a == b for a, b in zip(bands(one), bands(other), strict=True))


def test_the_sample_that_was_superseded_is_known_by_its_successor() -> None:
    """The version before shares far more with a policy than any other policy does."""
    current = sample("ph-005-medication-storage.pdf")
    before = sample("superseded/ph-005-medication-storage-v5.pdf")
    other = sample("ic-001-hand-hygiene.pdf")
    assert likeness(signature(current), signature(before)) > 0.3
    assert likeness(signature(current), signature(other)) < 0.1


def test_a_dated_copy_of_a_sample_is_near() -> None:
    """A real policy with its date and one temperature changed is a near copy."""
    text = sample("ph-005-medication-storage.pdf")
    copy = [
        part.replace("6 April 2026", "7 May 2028").replace("60 days", "90 days") for part in text
    ]
    assert copy != text
    assert likeness(signature(text), signature(copy)) >= NEAR


@given(TEXTS, TEXTS)
def test_the_estimate_is_true_at_both_ends(one: list[str], other: list[str]) -> None:
    """The same words are wholly alike, none in common not at all; blanks and case do not count."""
    same = exact_likeness(one, other)
    estimate = likeness(signature(one), signature(other))
    if same in (0.0, 1.0):
        assert estimate == same
    assert signature(one) == signature([text.upper().replace(" ", "  ") for text in one])


def test_the_estimate_is_near_the_exact_share() -> None:
    """Half the sentences in common: estimate and count agree within a tenth."""
    one, other = policy(1) + policy(2), policy(2) + policy(5)
    assert likeness(signature(one), signature(other)) == pytest.approx(
        exact_likeness(one, other), abs=0.1
    )


def test_a_document_without_words_is_like_no_other() -> None:
    """Nothing read is no reason to call two documents copies."""
    assert signature([]) == signature(["", " - "]) == b""
    assert bands(b"") == ()
    assert likeness(b"", b"") == exact_likeness([], []) == 0.0


def test_a_signature_is_the_same_on_every_machine() -> None:
    """Signatures are kept for years: their bytes and bands must never change."""
    kept = signature(["Clean your hands before you touch a patient and after."])
    assert len(kept) == 512
    assert kept[:8].hex() == "6947a702fca4e617"
    assert all(0 <= band < 2**63 for band in bands(kept))
    assert len(bands(kept)) == 32
