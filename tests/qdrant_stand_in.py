"""Stands in for a Qdrant server: the client's own store in memory, behind the server's REST routes.

    python tests/qdrant_stand_in.py PORT

Only what `rag/index/server.py` asks for. It has one part and one copy of everything: numbers of
shards and copies are remembered and told again, as a server tells them, and change nothing.
"""

import sys
import warnings
from threading import Lock
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException
from qdrant_client import QdrantClient, models

CREATED = ("shard_number", "replication_factor", "write_consistency_factor")


def told(result: object) -> dict[str, Any]:
    """A result as a server wraps it."""
    return {"result": result, "status": "ok", "time": 0.0}


class StandIn:
    """One store; the client's is not made for several threads."""

    def __init__(self) -> None:
        self._store = QdrantClient(":memory:")
        self._made: dict[str, dict[str, Any]] = {}
        self._lock = Lock()

    def exists(self, name: str) -> dict[str, Any]:
        """Whether there is such a collection."""
        with self._lock:
            return told({"exists": self._store.collection_exists(name)})

    def describe(self, name: str) -> dict[str, Any]:
        """A collection as it was made."""
        with self._lock:
            found = self._store.get_collection(name).model_dump(mode="json", exclude_none=True)
        found["config"]["params"] |= self._made[name]
        return told(found)

    def create(self, name: str, body: models.CreateCollection) -> dict[str, Any]:
        """Make a collection; 409 where there is one."""
        with self._lock:
            if self._store.collection_exists(name):
                raise HTTPException(409, f"Collection `{name}` already exists!")
            self._store.create_collection(
                name,
                vectors_config=body.vectors,
                sparse_vectors_config=body.sparse_vectors,
            )
            self._made[name] = {key: getattr(body, key) for key in CREATED}
        return told(True)

    def upsert(self, name: str, body: models.PointsList) -> dict[str, Any]:
        """Put points in."""
        with self._lock:
            return told(self._store.upsert(name, body.points))

    def query(self, name: str, body: models.QueryRequest) -> dict[str, Any]:
        """Search."""
        with self._lock:
            found = self._store.query_points(
                name,
                query=body.query,
                using=body.using,
                prefetch=body.prefetch,
                query_filter=body.filter,
                search_params=body.params,
                limit=body.limit or 10,
                with_vectors=body.with_vector or False,
            )
        return told(found)

    def set_payload(self, name: str, body: models.SetPayload) -> dict[str, Any]:
        """Change fields of the points that a filter finds."""
        assert body.filter is not None
        with self._lock:
            return told(self._store.set_payload(name, body.payload, body.filter))

    def facet(self, name: str, body: models.FacetRequest) -> dict[str, Any]:
        """Count by a field."""
        with self._lock:
            return told(self._store.facet(name, body.key, limit=body.limit or 10, exact=True))

    def delete(self, name: str, body: models.FilterSelector) -> dict[str, Any]:
        """Take points out."""
        with self._lock:
            return told(self._store.delete(name, body))

    def count(self, name: str, body: models.CountRequest) -> dict[str, Any]:
        """Count points."""
        with self._lock:
            return told(self._store.count(name, body.filter))


def create_app() -> FastAPI:
    """The routes of a server, as far as they are needed."""
    app, store = FastAPI(), StandIn()
    one = "/collections/{name}"
    app.get("/readyz")(lambda: "ready")
    app.get(f"{one}/exists")(store.exists)
    app.get(one)(store.describe)
    app.put(one)(store.create)
    # The client's own store has no indexes of fields, and needs none.
    app.put(f"{one}/index")(lambda name: told({"operation_id": 0, "status": "completed"}))
    app.put(f"{one}/points")(store.upsert)
    app.post(f"{one}/points/query")(store.query)
    app.post(f"{one}/points/payload")(store.set_payload)
    app.post(f"{one}/points/delete")(store.delete)
    app.post(f"{one}/points/count")(store.count)
    app.post(f"{one}/facet")(store.facet)
    return app


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    uvicorn.run(create_app(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
