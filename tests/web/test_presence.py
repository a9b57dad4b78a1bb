"""Who goes away stops the work, also where nothing is streamed."""

import time

import httpx
import pytest

from web.testing import Site


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/ask", {"data": {"question": "slow one of a form"}}),
        ("/api/v1/ask", {"json": {"question": "slow one of a program"}}),
    ],
)
def test_a_client_that_hangs_up_stops_the_model(
    site: Site, path: str, content: dict[str, dict[str, str]]
) -> None:
    """Between two events as well: the gate stays shut."""
    site.assistant.gate.clear()
    question = next(iter(content.values()))["question"]
    with pytest.raises(httpx.ReadTimeout), site.client("editor") as client:
        client.timeout = httpx.Timeout(0.5)
        client.post(path, **content)
    for _ in range(500):
        if question in site.assistant.stopped:
            break
        time.sleep(0.01)
    assert question in site.assistant.stopped
    site.assistant.gate.set()
