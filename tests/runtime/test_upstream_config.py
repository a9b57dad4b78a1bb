"""Settings of upstream models: one line each, or tables; what is wrong is named."""

from pathlib import Path

import pytest

from runtime.errors import BadUpstream
from runtime.upstream_config import read_upstreams


def test_a_line_says_all_that_is_usual() -> None:
    """Name, addresses, the name there, a key, a context and what it can do."""
    [one] = read_upstreams(
        "qwen2.5:7b https://a.example/v1,https://b.example/v1 model=Qwen/Qwen2.5-7B"
        " key_file=/run/key context_tokens=32768 capabilities=completion,tools"
    )
    assert one.url == ("https://a.example/v1", "https://b.example/v1")
    assert (one.name, one.remote_model, one.key_file) == (
        "qwen2.5:7b",
        "Qwen/Qwen2.5-7B",
        Path("/run/key"),
    )
    assert (one.context_tokens, one.capabilities) == (32768, ("completion", "tools"))


def test_a_line_and_a_table_say_the_same() -> None:
    """The file's form is the same setting."""
    table = {
        "a:1": {"url": ["http://127.0.0.1:1/v1"], "check_s": 2, "model": "x"},
        "b:1": "http://localhost/v1",
    }
    line = "a:1 http://127.0.0.1:1/v1 check_s=2 model=x; b:1 http://localhost/v1"
    assert read_upstreams(table) == read_upstreams(line)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("a", "no address"),
        ("a model=x", "no address"),
        ("a ftp://here/v1", "no address"),
        ("a http://here:port/v1", "bad port"),
        ("a https://user:secret@x.example/v1", "more than a place"),
        ("a https://x.example/v1?key=1", "more than a place"),
        ("a http://x.example/v1", "without encryption"),
        ("a http://10.0.0.1/v1", "without encryption"),
        ("a https://x.example/v1 colour=red", "no field colour"),
        ("a https://x.example/v1 model", "without value"),
        ("a https://x.example/v1 check_s=soon", "bad value"),
        ("a https://x.example/v1 check_s=nan", "not above 0"),
        ("a https://x.example/v1 max_concurrent=0", "not above 0"),
        ("a https://x.example/v1 capabilities=vision", "cannot be 'vision'"),
        ("a https://x.example/v1 capabilities=embedding,completion", "both"),
        ("a https://x.example/v1 more_fields=user", "cannot be 'user'"),
        ("a https://x.example/v1 weights=abc", "SHA-256"),
        ("../a https://x.example/v1", "no name"),
        ("a https://x.example/v1; A:latest https://y.example/v1", "twice"),
    ],
)
def test_what_cannot_be_is_refused_by_name(line: str, word: str) -> None:
    """Each fault has words of its own, and no secret stands in them."""
    with pytest.raises(BadUpstream, match=word) as caught:
        read_upstreams(line)
    assert caught.value.hint
    assert "secret" not in str(caught.value)


def test_plain_http_must_be_meant() -> None:
    """Inside a closed network prompts may go in clear, if somebody says so."""
    [one] = read_upstreams("a http://vllm:8000/v1 insecure_plain_http=true")
    assert one.insecure_plain_http
