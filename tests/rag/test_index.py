"""One promise, two adapters: the shard inside the process and the server's collection.

The server is the client's own store in memory, once directly and once by its REST routes.
"""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from qdrant_client import QdrantClient

from rag.config import RagSettings
from rag.errors import DiskFull, IndexInUse, IndexUnreachable, IndexUnreadable
from rag.index import CLOSED, OPEN, IndexPoint, LiveSpan, PassageIndex, cosine, open_index
from rag.index.edge import EdgeIndex
from rag.index.server import ServerIndex
from rag.testing_qdrant import qdrant_stand_in

NOW = 1_800_000_000.0
NORTH, EAST, BOTH = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.7, 0.7, 0.0]


def settings_at(path: Path) -> RagSettings:
    return RagSettings(index_dir=path / "index", embed_dimensions=3, index_reserve_bytes=0)


def on_server(settings: RagSettings, url: str, **changes: Any) -> RagSettings:
    """The same on a server, in a collection of its own."""
    return replace(settings, qdrant_url=url, qdrant_collection=uuid4().hex, **changes)


def point(number: int, text: str, vector: list[float], **changes: str) -> IndexPoint:
    given = {"document_id": "doc", "version_id": "v1", "department": "demo"} | changes
    return IndexPoint(passage_id=name(number), text=text, vector=vector, span=OPEN, **given)


def name(number: int) -> str:
    return str(UUID(int=number))


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    with qdrant_stand_in() as url:
        yield url


@pytest.fixture(params=["edge", "server", "rest"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PassageIndex]:
    settings = settings_at(tmp_path)
    opened: PassageIndex
    if request.param == "edge":
        opened = EdgeIndex(settings)
    elif request.param == "server":
        opened = ServerIndex(QdrantClient(":memory:"), settings)
    else:
        opened = open_index(on_server(settings, request.getfixturevalue("server_url")))
    yield opened
    opened.close()


def ids(
    index: PassageIndex, department: str, text: str, vector: list[float] | None, limit: int
) -> list[str]:
    return [hit.passage_id for hit in index.search(department, text, vector, limit, NOW)]


def test_both_kinds_of_nearness_find_a_passage(index: PassageIndex) -> None:
    """A passage is found by its words and by its meaning, and knows its cosine."""
    index.upsert([point(1, "wash your hands", NORTH), point(2, "visiting hours", EAST)])
    hits = index.search("demo", "visiting times", NORTH, 5, NOW)
    assert {hit.passage_id for hit in hits} == {name(1), name(2)}
    assert {hit.passage_id: hit.similarity for hit in hits} == pytest.approx(
        {name(1): 1.0, name(2): 0.0}
    )


def test_what_both_searches_find_comes_first(index: PassageIndex) -> None:
    """Agreement of words and meaning outranks either alone."""
    index.upsert(
        [
            point(1, "sharps bins", NORTH),
            point(2, "hand hygiene before contact", NORTH),
            point(3, "hand hygiene audit", EAST),
        ]
    )
    assert ids(index, "demo", "hand hygiene", NORTH, 3)[0] == name(2)


def test_without_a_vector_words_alone_are_searched(index: PassageIndex) -> None:
    """With the model runtime down, the search still answers."""
    index.upsert([point(1, "wash your hands", NORTH), point(2, "visiting hours", EAST)])
    hits = index.search("demo", "visiting hour", None, 5, NOW)
    assert [(hit.passage_id, hit.similarity) for hit in hits] == [(name(2), None)]


def test_another_department_is_never_seen(index: PassageIndex) -> None:
    """Neither its words nor its vectors reach across the wall, with or without a vector."""
    index.upsert(
        [
            point(1, "secret dose", NORTH, department="pharmacy"),
            point(2, "dose chart", EAST),
        ]
    )
    for vector in (NORTH, None):
        assert ids(index, "demo", "secret dose", vector, 10) == [name(2)]
    assert ids(index, "nobody", "secret dose", NORTH, 10) == []


@pytest.mark.parametrize("vector", [NORTH, None])
def test_what_others_load_moves_nothing(index: PassageIndex, vector: list[float] | None) -> None:
    """Order and scores depend on one's own department alone, rare words included."""
    own = ["dose chart", "chart of wards", "hand hygiene"]
    index.upsert([point(n, text, EAST) for n, text in enumerate(own, 1)])
    before = index.search("demo", "dose chart", vector, 5, NOW)
    index.upsert(
        [point(n, "dose dose", NORTH, department="pharmacy") for n in range(10, 40)]
        + [replace(point(n, "dose", NORTH), span=CLOSED) for n in range(40, 60)]
    )
    after = index.search("demo", "dose chart", vector, 5, NOW)
    assert [one.passage_id for one in after] == [one.passage_id for one in before]
    assert [one.score for one in after] == pytest.approx([one.score for one in before])


def test_the_same_id_replaces(index: PassageIndex) -> None:
    """Loading a passage again does not make a second one."""
    index.upsert([point(1, "old words", NORTH)])
    index.upsert([point(1, "new text", NORTH)])
    assert index.count() == 1
    assert ids(index, "demo", "old words", None, 5) == []


def test_deleting_a_version_leaves_the_others(index: PassageIndex) -> None:
    """A version's passages go, and only they."""
    index.upsert([point(1, "one", NORTH), point(2, "two", NORTH, version_id="v2")])
    index.delete_version("v1")
    assert (index.count(), index.count("v1"), index.count("v2")) == (1, 0, 1)
    assert ids(index, "demo", "one", NORTH, 5) == [name(2)]


def test_deleting_a_document_takes_all_versions(index: PassageIndex) -> None:
    """No version of a deleted document is left."""
    index.upsert([point(1, "one", NORTH), point(2, "two", NORTH, version_id="v2")])
    index.upsert([point(3, "three", NORTH, document_id="other", version_id="v3")])
    index.delete_document("doc")
    assert ids(index, "demo", "one two three", NORTH, 5) == [name(3)]


def test_only_what_is_in_force_at_that_time_is_found(index: PassageIndex) -> None:
    """With and without a vector: the first second is in, the last is not."""
    index.upsert([replace(point(1, "wash your hands", NORTH), span=LiveSpan(NOW, NOW + 10))])
    for vector in (NORTH, None):
        found = [
            bool(index.search("demo", "wash hands", vector, 5, at))
            for at in (NOW - 0.001, NOW, NOW + 9.999, NOW + 10)
        ]
        assert found == [False, True, True, False]


def test_a_new_passage_is_in_force_at_no_time(index: PassageIndex) -> None:
    """What nobody has opened is found by no search, whatever time it asks for."""
    index.upsert([replace(point(1, "wash your hands", NORTH), span=CLOSED)])
    assert [index.search("demo", "hands", NORTH, 5, at) for at in (0.0, NOW, 2 * NOW)] == [[]] * 3


def test_a_span_is_changed_for_one_version_alone(index: PassageIndex) -> None:
    """All passages of a version go out of force together, and no others."""
    index.upsert([point(1, "old hand rub", NORTH), point(2, "old hand wash", EAST)])
    index.upsert([point(3, "new hand rub", NORTH, version_id="v2")])
    index.set_span("v1", LiveSpan(0.0, NOW))
    assert ids(index, "demo", "hand rub wash", NORTH, 5) == [name(3)]
    assert len(index.search("demo", "hand rub wash", NORTH, 5, NOW - 1)) == 3


def test_the_versions_are_counted(index: PassageIndex) -> None:
    """So that what the record does not know can be found and removed."""
    index.upsert([point(1, "one", NORTH), point(2, "two", EAST)])
    index.upsert([point(3, "three", NORTH, version_id="v2", document_id="other")])
    assert index.versions() == {"v1": 2, "v2": 1}
    index.delete_version("v1")
    assert index.versions() == {"v2": 1}


def test_the_limit_is_kept(index: PassageIndex) -> None:
    """No more passages come back than were asked for, best first."""
    index.upsert([point(n, f"hand rub {n}", BOTH) for n in range(1, 8)])
    hits = index.search("demo", "hand rub", NORTH, 3, NOW)
    assert len(hits) == 3
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_question_without_content_words_is_served(index: PassageIndex) -> None:
    """Stop words alone leave BM25 nothing; that is no error."""
    index.upsert([point(1, "wash your hands", NORTH)])
    assert ids(index, "demo", "what is the", None, 5) == []
    assert ids(index, "demo", "what is the", NORTH, 5) == [name(1)]


def test_nothing_to_add_is_no_work(index: PassageIndex) -> None:
    """An empty batch is allowed."""
    index.upsert([])
    index.flush()
    assert index.count() == 0


def test_a_second_owner_is_refused_by_name(tmp_path: Path) -> None:
    """The second opener is told that the shard has an owner, and the first goes on."""
    first = open_index(settings_at(tmp_path))
    with pytest.raises(IndexInUse, match="open in another process"):
        open_index(settings_at(tmp_path))
    first.upsert([point(1, "still mine", NORTH)])
    assert first.count() == 1
    first.close()


def test_a_full_disk_is_refused_before_the_write(tmp_path: Path) -> None:
    """Below the reserve nothing is written: the engine would die of it."""
    index = EdgeIndex(settings_at(tmp_path))
    index._reserve_bytes = 2**62
    with pytest.raises(DiskFull) as refused:
        index.upsert([point(1, "too much", NORTH)])
    assert "Free some space" in refused.value.hint
    assert index.count() == 0
    index.close()


def test_other_dimensions_are_refused(tmp_path: Path) -> None:
    """An index of another embedding model is named as such, not searched."""
    EdgeIndex(settings_at(tmp_path)).close()
    with pytest.raises(IndexUnreadable, match="expected vector size"):
        EdgeIndex(replace(settings_at(tmp_path), embed_dimensions=4))


def test_the_servers_other_dimensions_are_refused(tmp_path: Path) -> None:
    """The same on a server: the collection is not touched."""
    client = QdrantClient(":memory:")
    ServerIndex(client, settings_at(tmp_path))
    with pytest.raises(IndexUnreadable, match="size 3, not 4"):
        ServerIndex(client, replace(settings_at(tmp_path), embed_dimensions=4))
    client.close()


def test_shards_and_copies_are_asked_for_once(server_url: str, tmp_path: Path) -> None:
    """A collection is made as the settings say; one that is there stays as it was made."""
    spread = {"qdrant_shards": 3, "qdrant_replicas": 2, "qdrant_write_consistency": 2}
    settings = on_server(settings_at(tmp_path), server_url, **spread)
    open_index(settings).close()
    open_index(replace(settings, qdrant_shards=1)).close()
    address = f"{server_url}/collections/{settings.qdrant_collection}"
    params = httpx.get(address, trust_env=False).json()["result"]["config"]["params"]
    made = {"shard_number": 3, "replication_factor": 2, "write_consistency_factor": 2}
    assert {name: params[name] for name in made} == made


def test_two_processes_that_make_the_collection_at_once_share_it(
    server_url: str, tmp_path: Path
) -> None:
    """Whoever comes second takes what the first has made."""
    settings = on_server(settings_at(tmp_path), server_url)
    with ThreadPoolExecutor(4) as threads:
        opened = list(threads.map(open_index, [settings] * 4))
    opened[0].upsert([point(1, "wash your hands", NORTH)])
    assert [one.count() for one in opened] == [1, 1, 1, 1]
    for one in opened:
        one.close()


def test_no_server_is_a_clear_error(tmp_path: Path) -> None:
    """A server that does not answer is named with its address."""
    with pytest.raises(IndexUnreachable, match=r"127\.0\.0\.1:9"):
        open_index(replace(settings_at(tmp_path), qdrant_url="http://127.0.0.1:9"))


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    """What was written is there after kill -9 without a flush, and the shard opens again."""
    script = f"""
import os, signal
from pathlib import Path
from rag.config import RagSettings
from rag.index import OPEN, IndexPoint
from rag.index.edge import EdgeIndex
index = EdgeIndex(RagSettings(Path({str(tmp_path)!r}) / "index", embed_dimensions=3,
                              index_reserve_bytes=0))
point = IndexPoint({name(1)!r}, "doc", "v1", "demo", "wash your hands", [1.0, 0.0, 0.0], OPEN)
index.upsert([point])
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", script], check=False)
    assert ended.returncode == -9
    index = EdgeIndex(settings_at(tmp_path))
    assert ids(index, "demo", "hands", NORTH, 5) == [name(1)]
    index.close()


def test_the_index_opens_again_after_close(tmp_path: Path) -> None:
    """Closing lets go of the shard; the same process may open it again."""
    index = EdgeIndex(settings_at(tmp_path))
    index.upsert([point(1, "kept", NORTH)])
    index.flush()
    index.close()
    again = EdgeIndex(settings_at(tmp_path))
    assert again.count("v1") == 1
    again.close()


def test_a_large_index_is_put_in_order_at_the_start(tmp_path: Path) -> None:
    """It finds the same afterwards, also what was added and removed since."""
    settings = replace(settings_at(tmp_path), index_scan_kib=1)
    index = EdgeIndex(settings)
    index.upsert([point(n, f"ward {n}", [1.0, n / 500, 0.0]) for n in range(500)])
    before = ids(index, "demo", "hygiene", NORTH, 5)
    index.close()
    again = EdgeIndex(settings)
    assert ids(again, "demo", "hygiene", NORTH, 5) == before == [name(n) for n in range(5)]
    assert again.count() == 500
    again.upsert([point(1000, "ward 1000", EAST)])
    again.delete_document("none")
    assert ids(again, "demo", "1000", EAST, 1) == [name(1000)]
    again.close()


def test_a_process_killed_while_it_puts_in_order_loses_nothing(tmp_path: Path) -> None:
    """Wherever in that it ends: the next start has every passage and finishes the work."""
    index = EdgeIndex(replace(settings_at(tmp_path), index_scan_kib=1_000_000))
    index.upsert([point(n, f"ward {n}", [1.0, n / 4000, 0.0]) for n in range(4000)])
    index.close()
    script = f"""
from pathlib import Path
from rag.config import RagSettings
from rag.index.edge import EdgeIndex
print("begun", flush=True)
EdgeIndex(RagSettings(Path({str(tmp_path)!r}) / "index", embed_dimensions=3, index_scan_kib=1,
                      index_reserve_bytes=0))
"""
    for wait_s in (0.0, 0.02, 0.05, 0.1, 0.2):
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as started:
            assert started.stdout is not None
            assert started.stdout.readline() == b"begun\n"
            with suppress(subprocess.TimeoutExpired):
                started.wait(wait_s)
            started.kill()
        index = EdgeIndex(replace(settings_at(tmp_path), index_scan_kib=1_000_000))
        assert index.count() == 4000
        assert ids(index, "demo", "ward 7", NORTH, 1) == [name(7)]
        index.close()


@pytest.mark.parametrize(
    ("left", "right", "expected"), [(NORTH, NORTH, 1.0), (NORTH, EAST, 0.0), (NORTH, [0.0] * 3, 0)]
)
def test_cosine(left: list[float], right: list[float], expected: float) -> None:
    """Equal directions give 1, right angles 0, and a zero vector is no error."""
    assert cosine(left, right) == pytest.approx(expected)


def test_a_cleared_index_holds_nothing_and_takes_new_passages(index: PassageIndex) -> None:
    """A rebuild from the record starts from nothing."""
    index.upsert([point(1, "wash your hands", NORTH), point(2, "visiting hours", EAST)])
    index.clear()
    assert (index.count(), ids(index, "demo", "hands", NORTH, 5)) == (0, [])
    index.upsert([point(3, "hand hygiene", NORTH)])
    assert ids(index, "demo", "hands", NORTH, 5) == [name(3)]
