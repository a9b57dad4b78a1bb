"""The table of retention: which change one person alone may make."""

from hypothesis import given
from hypothesis import strategies as st

from governance.retention_rules import (
    RetentionMode,
    RetentionRule,
    keeps_more,
    needs_second_person,
)


@given(
    st.sampled_from(list(RetentionMode)),
    st.integers(1, 365),
    st.sampled_from(list(RetentionMode)),
    st.integers(1, 365),
)
def test_ret_3_one_person_alone_never_shortens_and_never_keeps_more(
    mode: RetentionMode, days: int, new_mode: RetentionMode, new_days: int
) -> None:
    """Of all changes, a single person makes only those that lose nothing and collect nothing."""
    rule = RetentionRule("d", mode, days)
    alone = not needs_second_person(rule, new_mode, new_days)
    assert alone == (new_days >= days and not keeps_more(rule, new_mode))
    if alone:
        assert new_mode.keeps_text <= mode.keeps_text
