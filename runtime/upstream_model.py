"""A model of another server, seen as one that is installed. Pure.

Its manifest is a statement of who answers under its name: the addresses, the model's name there,
and what was pinned or declared of its weights. Their SHA-256 is the model's digest. Approvals hold
for that digest, so another server, another model or other declared weights need another approval.
What the servers run cannot be checked from here beyond what they list: such an approval says whom
we trust with which name, not which bytes.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from runtime.manifest import CONFIG_TYPE, Layer, Manifest
from runtime.names import parse_name
from runtime.store import InstalledModel
from runtime.upstream_config import UpstreamSettings

IDENTITY = "lamplight.upstream.v1"


@dataclass(frozen=True, slots=True)
class UpstreamModel(InstalledModel):
    """A model that other servers answer for; it has no file here."""

    upstream: UpstreamSettings = field(kw_only=True)


def upstream_model(settings: UpstreamSettings, modified_at: datetime) -> UpstreamModel:
    """The model of a setting."""
    config = {
        "remote_host": remote_host(settings.url[0]),
        "remote_model": settings.remote_model,
        "model_format": "",
        "capabilities": list(settings.capabilities),
        "context_length": settings.context_tokens,
    }
    name, raw = parse_name(settings.name), identity(settings)
    layer = Layer(CONFIG_TYPE, f"sha256:{hashlib.sha256(raw).hexdigest()}", 0)
    return UpstreamModel(
        name=name,
        manifest=Manifest(layer, (), raw),
        path=Path("/nonexistent") / settings.name,
        modified_at=modified_at,
        config=config,
        upstream=settings,
    )


def identity(settings: UpstreamSettings) -> bytes:
    """What an approval is given for, as canonical JSON."""
    said = {
        "kind": IDENTITY,
        "model": settings.remote_model,
        "root": settings.root,
        "urls": sorted({url.rstrip("/") for url in settings.url}),
        "weights": settings.weights.removeprefix("sha256:"),
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def remote_host(url: str) -> str:
    """The server's place without its path."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
