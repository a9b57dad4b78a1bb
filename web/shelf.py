"""A bounded shelf in memory: what a reload or the back button may still ask for."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Shelf(Generic[Item]):
    """Keeps the newest items by id, up to a count and an age; a restart empties it."""

    def __init__(self, max_items: int, max_age_s: float, now: Callable[[], float]) -> None:
        self._items: OrderedDict[str, tuple[float, Item]] = OrderedDict()
        self._max_items = max_items
        self._max_age_s = max_age_s
        self._now = now
        self._lock = Lock()

    def put(self, item_id: str, item: Item) -> None:
        """Keep this item; the oldest one makes room."""
        with self._lock:
            self._items.pop(item_id, None)
            self._items[item_id] = (self._now(), item)
            while len(self._items) > self._max_items:
                self._items.popitem(last=False)

    def get(self, item_id: str) -> Item | None:
        """The item, unless it is gone or too old."""
        with self._lock:
            kept = self._items.get(item_id)
            if kept is None:
                return None
            since, item = kept
            if self._now() - since > self._max_age_s:
                del self._items[item_id]
                return None
            return item

    def __len__(self) -> int:
        return len(self._items)
