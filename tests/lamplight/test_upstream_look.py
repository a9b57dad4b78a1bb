"""`lamplight doctor` says how the servers are that answer for models."""

from dataclasses import replace
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lamplight.upstream_look import in_words, look_at_upstreams
from runtime.config import RuntimeSettings
from runtime.testing_upstream import free_port, served
from runtime.upstream_config import read_upstreams


async def models(_request: Request) -> Response:
    """A server with one model."""
    return JSONResponse({"data": [{"id": "there"}]})


def test_each_server_is_looked_at_once(tmp_path: Path) -> None:
    """One that lists the model is well, one that does not is a stranger, one away is ill."""
    settings = RuntimeSettings(models_dir=tmp_path)
    assert look_at_upstreams(settings) == []
    with served(Starlette(routes=[Route("/v1/models", models)])) as url:
        away = f"http://127.0.0.1:{free_port()}/v1"
        upstreams = read_upstreams(f"a {url}/v1,{away} model=there; b {url}/v1 model=other")
        found = look_at_upstreams(replace(settings, upstreams=upstreams))
    health = [[server["health"] for server in one["servers"]] for one in found]
    assert health == [["well", "ill"], ["stranger"]]
    assert [one["ready"] for one in found] == [True, False]
    assert in_words(found)[2].endswith("stranger")
