"""A digest becomes a file's name: 300 strings that are none never do (PRV-5, OLL-1, OLL-2)."""

import random
import re
import string
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import runtime
from runtime.api.app import create_app
from runtime.api.testing import OpenGate
from runtime.blobs import parse_digest
from runtime.config import RuntimeSettings
from runtime.errors import BadName, BadRequest, CatalogueFault
from runtime.revocation import Revoked, write_revoked
from runtime.store import Store

SOUND = "0123456789abcdef" * 4
BY_HAND = (
    *("", "sha256", "sha256:", "sha256-", SOUND, f"md5:{SOUND}", f"SHA256:{SOUND}"),
    *(f"sha256{between}{SOUND}" for between in ("", ".", "/", "\\", "::", ":-", " ", "%3A", "：")),
    *(f"sha256:{SOUND}{after}" for after in ("0", "\n", "\0", " ", "/", "/..", ".gguf", "\r\n")),
    *(f"{before}sha256:{SOUND}" for before in (" ", "\n", "../", "/", "./", "a", "\0")),
    *("sha256:../../../../etc/passwd", "sha256-../" + "../" * 20 + "etc/shadow", "../sha256"),
    *(f"sha256:{'../' * n}{SOUND[: 64 - 3 * n]}" for n in range(1, 22)),
    *(f"sha256:{SOUND[:n]}" for n in range(1, 64)),
    *(f"sha256:{SOUND[:63]}{odd}" for odd in "gGzZ/\\.%:;~é０١\u200b"),
)


def hostile() -> list[str]:
    """Those written by hand, and others with one letter changed, up to 300."""
    rng = random.Random(5)
    found = dict.fromkeys(BY_HAND)
    odd = [c for c in string.printable if c not in string.hexdigits]
    while len(found) < 300:
        text = list(f"sha256:{SOUND}")
        text[rng.randrange(7, len(text))] = rng.choice(odd)
        found["".join(text)] = None
    return list(found)


def test_prv_5_300_hostile_digests_are_refused_everywhere(tmp_path: Path) -> None:
    """By the reader of requests, by the one maker of paths, and by the list of the revoked."""
    texts, store = hostile(), Store(tmp_path / "models")
    assert len(texts) == 300
    for text in texts:
        with pytest.raises(BadRequest, match="invalid digest"):
            parse_digest(text)
        with pytest.raises(BadName, match="invalid digest"):
            store.blob_path(text)
        with pytest.raises(CatalogueFault):
            write_revoked((Revoked(text, "why"),))
    assert list(tmp_path.iterdir()) == []


def test_oll_2_one_function_makes_names_of_digests() -> None:
    """Nobody else puts the dash there: a second way is a second chance to forget the check."""
    makers = [
        path.name
        for path in Path(runtime.__file__).parent.rglob("*.py")
        if re.search(r"replace\(.:., .-.\)", path.read_text())
    ]
    assert makers == ["manifest.py"]


def test_prv_5_over_http_they_are_400(tmp_path: Path) -> None:
    """In the path of a blob, and in the files of a new model; no file is made."""
    settings = RuntimeSettings(models_dir=tmp_path / "models")
    store = Store(settings.models_dir)
    app = create_app(settings, store, OpenGate())
    with TestClient(app, base_url="http://127.0.0.1:11434") as http:
        for text in hostile():
            body = {"model": "x", "files": {"m.gguf": text}, "stream": False}
            assert http.post("/api/create", json=body).status_code == 400, text
            if text.isprintable() and text.isascii() and not set("/\\%?#. ") & set(text) and text:
                assert http.post(f"/api/blobs/{text}", content=b"x").status_code == 400, text
                assert http.head(f"/api/blobs/{text}").status_code == 400, text
    assert not list(settings.models_dir.glob("blobs/*"))
