"""Which servers get requests: the states of one, and the choice among several."""

import pytest

from runtime.upstream_health import Found, Health, Server, best

G, F, O = Found.GOOD, Found.FAILED, Found.OTHER_MODEL  # noqa: E741


@pytest.mark.parametrize(
    ("found", "health"),
    [
        ([], Health.UNSEEN),
        ([G], Health.WELL),
        ([F], Health.ILL),
        ([G, F], Health.WELL),
        ([G, F, F], Health.ILL),
        ([G, F, G, F], Health.WELL),
        ([G, F, F, G], Health.WELL),
        ([G, O], Health.STRANGER),
        ([G, O, G], Health.WELL),
        ([O, F], Health.ILL),
        ([F, O], Health.STRANGER),
    ],
)
def test_what_was_found_decides(found: list[Found], health: Health) -> None:
    """Two failures in a row end requests, one success brings them back."""
    server = Server("x")
    for one in found:
        server.note(one, allowed=2)
    assert server.health is health


def test_the_one_with_the_fewest_requests_is_chosen() -> None:
    """Least outstanding first; who is full, ill or strange gets none."""
    a, b, c = (Server(url, Health.WELL, outstanding=n) for url, n in (("a", 2), ("b", 1), ("c", 0)))
    c.health = Health.ILL
    assert best((a, b, c), limit=3) is b
    b.health = Health.STRANGER
    assert best((a, b, c), limit=3) is a
    assert best((a, b, c), limit=2) is None
