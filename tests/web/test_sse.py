"""Server-sent events on the wire."""

from web.sse import event_bytes


def test_every_line_of_the_data_is_marked() -> None:
    """A line break inside an event never ends it."""
    assert event_bytes("a\nb", "x") == b"event: x\ndata: a\ndata: b\n\n"


def test_an_empty_event_still_has_data() -> None:
    """htmx dispatches an event only if it has a data line or a name."""
    assert event_bytes("", "done") == b"event: done\ndata: \n\n"
