"""Twelve ways to falsify the trail (AUD-3): each is found, and what needs an anchor says so."""

import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, delete, insert, select, update

from governance.audit.checkpoint import Checkpoints
from governance.audit.leaf import columns_in
from governance.audit.log import AuditLog
from governance.audit.merkle import Place, grow, leaf_hash
from governance.audit.note import Checkpoint, sign
from governance.audit.testing import ORIGIN, Ticking, Trail, disarm, event
from governance.audit.verdict import Code
from governance.errors import TrailBroken
from governance.record.trail_tables import audit_checkpoints, audit_leaves, audit_nodes

Falsify = Callable[[Connection, Trail], None]
LEAF, NODE, SIGNED = audit_leaves.c, audit_nodes.c, audit_checkpoints.c


def rows(connection: Connection) -> list[dict[str, object]]:
    found = connection.execute(select(audit_leaves).order_by(LEAF.seq))
    return [dict(row._mapping) for row in found]


def put(connection: Connection, leaves: list[dict[str, object]], *, rebuild: bool = True) -> None:
    """Put these leaves in the place of all; rebuild: with all hashes made to fit."""
    connection.execute(delete(audit_leaves))
    for number, row in enumerate(leaves):
        row["seq"] = number
        if rebuild:
            row["leaf_hash"] = leaf_hash(str(row["body"]).encode())
    connection.execute(insert(audit_leaves), leaves)
    if rebuild:
        rebuild_nodes(connection, leaves)


def rebuild_nodes(connection: Connection, leaves: list[dict[str, object]]) -> None:
    connection.execute(delete(audit_nodes))
    hashes: dict[Place, bytes] = {}
    for number, row in enumerate(leaves):
        leaf = leaf_hash(str(row["body"]).encode())
        hashes |= {Place(0, number): leaf, **grow(number, leaf, hashes)}
    made = [
        {"level": place.level, "position": place.position, "hash": one}
        for place, one in hashes.items()
        if place.level > 0
    ]
    connection.execute(insert(audit_nodes), made)


def cut(connection: Connection, size: int) -> None:
    """Back to so many events, nodes included."""
    connection.execute(delete(audit_leaves).where(LEAF.seq >= size))
    for level in range(1, 8):
        beyond = (NODE.level == level) & (NODE.position >= size >> level)
        connection.execute(delete(audit_nodes).where(beyond))


def changed(body: str, **values: object) -> str:
    return json.dumps(json.loads(body) | values, separators=(",", ":"), sort_keys=True)


def edit_body(connection: Connection, _trail: Trail) -> None:
    body = rows(connection)[7]["body"]
    new = changed(str(body), outcome="refused")
    connection.execute(update(audit_leaves).where(LEAF.seq == 7).values(body=new))


def edit_body_and_hash(connection: Connection, _trail: Trail) -> None:
    new = changed(str(rows(connection)[7]["body"]), outcome="refused")
    values = {"body": new, "leaf_hash": leaf_hash(new.encode())}
    connection.execute(update(audit_leaves).where(LEAF.seq == 7).values(values))


def edit_body_and_every_hash(connection: Connection, _trail: Trail) -> None:
    leaves = rows(connection)
    leaves[7]["body"] = changed(str(leaves[7]["body"]), outcome="refused")
    put(connection, leaves)


def edit_a_search_column(connection: Connection, _trail: Trail) -> None:
    connection.execute(update(audit_leaves).where(LEAF.seq == 7).values(actor_id="x|nobody"))


def edit_a_node(connection: Connection, _trail: Trail) -> None:
    place = (NODE.level == 2) & (NODE.position == 1)
    connection.execute(update(audit_nodes).where(place).values(hash=b"\0" * 32))


def delete_in_the_middle(connection: Connection, _trail: Trail) -> None:
    connection.execute(delete(audit_leaves).where(LEAF.seq == 7))


def delete_in_the_middle_and_close_up(connection: Connection, _trail: Trail) -> None:
    leaves = rows(connection)
    del leaves[7]
    for number, row in enumerate(leaves):
        row["body"] = changed(str(row["body"]), seq=number)
    put(connection, leaves)


def swap_two(connection: Connection, _trail: Trail) -> None:
    leaves = rows(connection)
    leaves[7], leaves[8] = leaves[8], leaves[7]
    put(connection, leaves)


def insert_one(connection: Connection, _trail: Trail) -> None:
    leaves = rows(connection)
    leaves.insert(7, dict(leaves[7]))
    for number, row in enumerate(leaves):
        row["body"] = changed(str(row["body"]), seq=number)
    put(connection, leaves)


def put_in_another_order(connection: Connection, _trail: Trail) -> None:
    leaves = rows(connection)
    put(connection, leaves[20:] + leaves[:20], rebuild=False)


def set_the_time_back(connection: Connection, _trail: Trail) -> None:
    leaves = rows(connection)
    leaves[32]["body"] = changed(str(leaves[32]["body"]), ts="2026-05-12T07:00:00.000Z")
    leaves[32]["at"] = Ticking().now.replace(hour=7)
    put(connection, leaves)


def change_the_root_of_a_checkpoint(connection: Connection, trail: Trail) -> None:
    note = sign(Checkpoint(ORIGIN, 20, b"\1" * 32).text, ORIGIN, Ed25519PrivateKey.generate())
    values = {"note": note, "root": b"\1" * 32}
    connection.execute(update(audit_checkpoints).where(SIGNED.size == 20).values(values))


def file_a_checkpoint_under_another_root(connection: Connection, _trail: Trail) -> None:
    changed_root = update(audit_checkpoints).where(SIGNED.size == 20).values(root=b"\1" * 32)
    connection.execute(changed_root)


def delete_the_tail(connection: Connection, _trail: Trail) -> None:
    cut(connection, 25)


@pytest.mark.parametrize(
    ("falsify", "code"),
    [
        (edit_body, Code.TAMPERED),
        (edit_body_and_hash, Code.TAMPERED),
        (edit_body_and_every_hash, Code.TAMPERED),
        (edit_a_search_column, Code.TAMPERED),
        (edit_a_node, Code.TAMPERED),
        (delete_in_the_middle, Code.TAMPERED),
        (delete_in_the_middle_and_close_up, Code.TAMPERED),
        (swap_two, Code.TAMPERED),
        (insert_one, Code.TAMPERED),
        (put_in_another_order, Code.TAMPERED),
        (set_the_time_back, Code.TAMPERED),
        (change_the_root_of_a_checkpoint, Code.KEY),
        (file_a_checkpoint_under_another_root, Code.TAMPERED),
        (delete_the_tail, Code.TRUNCATED),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_aud_3_is_found_without_an_anchor(trail: Trail, falsify: Falsify, code: Code) -> None:
    """The record and its own checkpoints are enough to see it."""
    assert trail.verify(anchored=False).code is Code.OK
    with trail.record.write() as connection:
        disarm(connection)
        falsify(connection, trail)
    verdict = trail.verify(anchored=False)
    assert verdict.code is code
    assert all(finding.text for finding in verdict.findings)


def delete_the_tail_with_its_checkpoints(connection: Connection, _trail: Trail) -> None:
    cut(connection, 20)
    connection.execute(delete(audit_checkpoints).where(SIGNED.size > 20))


def put_an_old_copy_back(connection: Connection, _trail: Trail) -> None:
    """The copy is from when 15 events were there and 10 of them signed."""
    cut(connection, 15)
    connection.execute(delete(audit_checkpoints).where(SIGNED.size > 10))


def begin_anew(connection: Connection, key: Ed25519PrivateKey, keep: int, size: int) -> None:
    """Another trail from event `keep` on, signed again where the true one was."""
    cut(connection, keep)
    connection.execute(delete(audit_checkpoints).where(SIGNED.size > keep))
    log = AuditLog(Ticking())
    for number in range(keep, size):
        log.append(connection, event(number + 1000))
        if (number + 1) % 10 == 0:
            said = Checkpoint(ORIGIN, number + 1, log.root(connection, number + 1))
            note = sign(said.text, ORIGIN, key)
            row = {"size": said.size, "root": said.root, "note": note, "created_at": Ticking().now}
            connection.execute(insert(audit_checkpoints), row)


def write_all_anew(connection: Connection, trail: Trail) -> None:
    begin_anew(connection, trail.key, 0, 33)


def fork(connection: Connection, trail: Trail) -> None:
    begin_anew(connection, trail.key, 20, 40)


@pytest.mark.parametrize(
    ("falsify", "code"),
    [
        (delete_the_tail_with_its_checkpoints, Code.TRUNCATED),
        (put_an_old_copy_back, Code.TRUNCATED),
        (write_all_anew, Code.FORKED),
        (fork, Code.FORKED),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_aud_3_is_found_with_an_anchor_alone(trail: Trail, falsify: Falsify, code: Code) -> None:
    """The record alone looks whole, and the verdict says that it had no anchor."""
    with trail.record.write() as connection:
        disarm(connection)
        falsify(connection, trail)
    blind = trail.verify(anchored=False)
    assert blind.code is Code.OK
    assert any("No anchor" in remark for remark in blind.remarks)
    assert trail.verify().code is code


def test_aud_3_a_trail_written_anew_with_another_key_is_found(trail: Trail) -> None:
    """Neither who knows the true key nor who has an anchor takes it for the true one."""
    other = Ed25519PrivateKey.generate()
    with trail.record.write() as connection:
        disarm(connection)
        begin_anew(connection, other, 0, 33)
    assert trail.verify(anchored=False).code is Code.KEY
    assert trail.verify(key=other).code is Code.KEY
    assert trail.verify(key=other, anchored=False).code is Code.OK


def test_a_falsified_trail_is_not_signed(trail: Trail) -> None:
    """A log must not sign two histories: where the anchor speaks against it, nothing is signed."""
    with trail.record.write() as connection:
        disarm(connection)
        write_all_anew(connection, trail)
    with pytest.raises(TrailBroken, match="another one than was signed"):
        trail.checkpoints.sign()
    blind = Checkpoints(trail.record, trail.key, ORIGIN)
    assert blind.sign() is not None


def test_a_body_that_is_no_json_is_found(trail: Trail) -> None:
    """Verification does not fall over what it cannot read."""
    with trail.record.write() as connection:
        disarm(connection)
        connection.execute(update(audit_leaves).where(LEAF.seq == 3).values(body="[1]"))
    assert trail.verify().code is Code.TAMPERED
    with pytest.raises(ValueError, match="no body"):
        columns_in("[1]")


def test_many_findings_are_told_in_few_words(trail: Trail) -> None:
    """A trail that is all wrong does not fill the screen."""
    with trail.record.write() as connection:
        disarm(connection)
        connection.execute(update(audit_leaves).values(action="x"))
    found = trail.verify().findings
    assert len(found) == 21
    assert found[-1].text == "And 13 more."
