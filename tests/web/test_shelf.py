"""The shelf keeps the newest items for a while."""

from web.shelf import Shelf


def test_the_oldest_item_makes_room() -> None:
    """A full shelf lets the oldest go."""
    shelf: Shelf[int] = Shelf(2, 60, lambda: 0.0)
    for number in range(3):
        shelf.put(str(number), number)
    assert [shelf.get(str(number)) for number in range(3)] == [None, 1, 2]
    assert len(shelf) == 2


def test_an_item_expires() -> None:
    """Too old is gone."""
    now = [0.0]
    shelf: Shelf[int] = Shelf(2, 60, lambda: now[0])
    shelf.put("a", 1)
    now[0] = 61.0
    assert shelf.get("a") is None


def test_an_item_put_again_is_the_newer_one() -> None:
    """The same id holds one item."""
    shelf: Shelf[int] = Shelf(2, 60, lambda: 0.0)
    shelf.put("a", 1)
    shelf.put("a", 2)
    assert (shelf.get("a"), len(shelf)) == (2, 1)
